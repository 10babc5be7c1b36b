package record

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Prefixes is an immutable set of erased prefixes. The zero value is empty. A
// lookup costs one map access for every distinct length of them.
type Prefixes struct {
	erased  map[string]Tombstone
	lengths []int // distinct, rising
}

// NewPrefixes returns the set of erased.
func NewPrefixes(erased map[string]Tombstone) Prefixes {
	p := Prefixes{erased: erased}
	seen := map[int]bool{}
	for prefix := range erased {
		if !seen[len(prefix)] {
			seen[len(prefix)] = true
			p.lengths = append(p.lengths, len(prefix))
		}
	}
	slices.Sort(p.lengths)
	return p
}

// Len is how many prefixes there are.
func (p Prefixes) Len() int { return len(p.erased) }

// All are the prefixes; the map must not be changed.
func (p Prefixes) All() map[string]Tombstone { return p.erased }

// Cover reports whether a record of key read at readAt is erased.
func (p Prefixes) Cover(key string, readAt time.Time) bool {
	for _, n := range p.lengths {
		if n > len(key) {
			return false
		}
		if t, ok := p.erased[key[:n]]; ok && t.Covers(readAt) {
			return true
		}
	}
	return false
}

// Add is p with prefix erased by t, of at most limit prefixes: beyond it the
// older half becomes one, their common beginning. That erases more than was
// asked, which costs a second tier misses and never an answer.
func (p Prefixes) Add(prefix string, t Tombstone, limit int) Prefixes {
	erased := make(map[string]Tombstone, len(p.erased)+1)
	maps.Copy(erased, p.erased)
	erased[prefix] = erased[prefix].Join(t)
	if len(erased) > limit {
		oldest := slices.SortedFunc(maps.Keys(erased), func(a, b string) int {
			if c := erased[a].At.Compare(erased[b].At); c != 0 {
				return c
			}
			return strings.Compare(a, b)
		})[:len(erased)/2+1]
		common, joined := oldest[0], Tombstone{}
		for _, o := range oldest {
			common, joined = commonPrefix(common, o), joined.Join(erased[o])
			delete(erased, o)
		}
		erased[common] = erased[common].Join(joined)
	}
	return NewPrefixes(erased)
}

// Drop is p without those of gone that are over at now and were not renewed
// since gone was taken.
func (p Prefixes) Drop(gone Prefixes, now time.Time) Prefixes {
	erased := maps.Clone(p.erased)
	maps.DeleteFunc(erased, func(prefix string, t Tombstone) bool {
		old, ok := gone.erased[prefix]
		return ok && old == t && !now.Before(t.Until)
	})
	return NewPrefixes(erased)
}

func commonPrefix(a, b string) string {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return a[:n]
}
