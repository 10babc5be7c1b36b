package pattern

import "container/heap"

// Optimal is the best hit ratio that anyone who knew the future could have at
// a capacity (Belady's: what is needed last goes first).
func Optimal(keys []uint32, capacity int) float64 {
	next := nextUses(keys)
	held := make(map[uint32]int, capacity) // key: when it is needed next
	var order needs
	hits := 0
	for i, key := range keys {
		if _, ok := held[key]; ok {
			hits++
		} else if len(held) >= capacity {
			for {
				last := heap.Pop(&order).(need)
				if at, ok := held[last.key]; ok && at == last.at {
					delete(held, last.key)
					break
				}
			}
		}
		held[key] = next[i]
		heap.Push(&order, need{key: key, at: next[i]})
	}
	return float64(hits) / float64(len(keys))
}

// nextUses says, for each access, when its key is needed next.
func nextUses(keys []uint32) []int {
	next := make([]int, len(keys))
	seen := make(map[uint32]int)
	for i := len(keys) - 1; i >= 0; i-- {
		at, ok := seen[keys[i]]
		if !ok {
			at = len(keys) + i // never: each at a time of its own
		}
		next[i] = at
		seen[keys[i]] = i
	}
	return next
}

type need struct {
	key uint32
	at  int
}

// needs is a heap with the latest need on top.
type needs []need

func (n needs) Len() int           { return len(n) }
func (n needs) Less(i, j int) bool { return n[i].at > n[j].at }
func (n needs) Swap(i, j int)      { n[i], n[j] = n[j], n[i] }
func (n *needs) Push(x any)        { *n = append(*n, x.(need)) }
func (n *needs) Pop() any {
	last := (*n)[len(*n)-1]
	*n = (*n)[:len(*n)-1]
	return last
}
