package streams

import (
	"math/bits"
	"sync/atomic"
)

// maxSpan bounds the events of a chunk, and with it the copying a reader does under one pin.
const maxSpan = 64

// ring keeps the newest events of one order. One writer at a time (the caller's lock sees to that) and any number of
// readers, which take no lock at all: a reader that is slow, preempted or stuck can't hold the writer up (S8).
//
// The slots lie in chunks. Before a reader looks into a chunk it pins it and then looks whether the chunk is still the
// one it means; before the writer reuses a chunk it first disowns it and then looks for pins. Whoever comes second sees
// the other: the reader finds the chunk gone and looks again, or the writer leaves the chunk to the reader (and to the
// garbage collector) and takes a new one. So there is no torn read, and no allocation unless a reader is caught inside.
type ring[V any] struct {
	keep  uint64 // events that may be read: exactly the newest keep
	shift uint   // a chunk has 1<<shift slots
	table []atomic.Pointer[chunk[V]]
	floor atomic.Uint64 // what is below was forgotten early; 0: nothing was

	_    apart
	head atomic.Uint64 // index of the newest event; 1 is the first
	_    apart

	current *chunk[V]  // the writer's chunk
	slots   []Event[V] // its slots: the writer stays clear of the pins
}

type chunk[V any] struct {
	first atomic.Uint64 // index of slots[0]; 0 while it is disowned
	slots []Event[V]
	pins  atomic.Int64
}

// apart keeps what one processor writes out of the cache lines that another reads: two lines, as they are fetched in
// pairs.
type apart [120]byte

func (r *ring[V]) init(keep, span uint64) {
	r.keep = keep
	r.shift = uint(bits.Len64(span) - 1)
	span = 1 << r.shift
	// One more chunk than the history fills: the one being written.
	r.table = make([]atomic.Pointer[chunk[V]], (keep+span-1)/span+1)
}

// spanFor is a chunk size that wastes little on a small ring.
func spanFor(keep uint64) uint64 { return min(max(keep/8, 1), maxSpan) }

// oldest is the index of the oldest event that may be read when head is the newest.
func (r *ring[V]) oldest(head uint64) uint64 {
	oldest := max(r.floor.Load(), 1)
	if head > r.keep {
		oldest = max(oldest, head-r.keep+1)
	}
	return oldest
}

// forget gives up the oldest chunk that is kept, before its time, unless it is the one being written. It returns the
// indices that went: from, up to and without to.
func (r *ring[V]) forget() (from, to uint64, ok bool) {
	from = r.oldest(r.head.Load())
	part := (from - 1) >> r.shift
	to = (part+1)<<r.shift + 1
	place := &r.table[part%uint64(len(r.table))]
	c := place.Load()
	if c == nil || c == r.current {
		return 0, 0, false
	}
	r.floor.Store(to)
	c.first.Store(0)
	if c.pins.Load() == 0 {
		clear(c.slots)
	} else {
		place.Store(&chunk[V]{slots: make([]Event[V], 1<<r.shift)})
	}
	return from, to, true
}

// slot is the place of the next event. The writer fills it and then calls publish.
func (r *ring[V]) slot() *Event[V] {
	i := r.head.Load() // the next index, counted from zero
	at := i & (1<<r.shift - 1)
	if at == 0 {
		r.turn(i)
	}
	return &r.slots[at]
}

func (r *ring[V]) publish() { r.head.Store(r.head.Load() + 1) }

// turn makes the chunk current that holds the i-th event, counted from zero. What a chunk held before lies there until it
// is written over, event by event: a full ring holds no more for it.
func (r *ring[V]) turn(i uint64) {
	n := i >> r.shift
	place := &r.table[n%uint64(len(r.table))]
	c := place.Load()
	if c != nil {
		c.first.Store(0)
	}
	if c == nil || c.pins.Load() != 0 {
		c = &chunk[V]{slots: make([]Event[V], 1<<r.shift)}
	}
	c.first.Store(n<<r.shift + 1)
	place.Store(c)
	r.current, r.slots = c, c.slots
}

// read copies events into dst, from index from on, as far as the first that is above revision limit, the end of a
// chunk, or the end of dst; only those that pass f. It returns how many, and the first index that it did not look at.
// lapped: the event at from is no longer kept.
func (r *ring[V]) read(from, limit uint64, f *filter, dst []Event[V]) (n int, next uint64, lapped bool) {
	for {
		head := r.head.Load()
		if from > head || len(dst) == 0 {
			return 0, from, false
		}
		if from < r.oldest(head) {
			return 0, from, true
		}
		part := (from - 1) >> r.shift
		c := r.table[part%uint64(len(r.table))].Load()
		c.pins.Add(1)
		first := c.first.Load()
		if first != part<<r.shift+1 {
			c.pins.Add(-1)
			continue // reused between two looks; the next look at head says so
		}
		last := min(head, first+1<<r.shift-1)
		slots := c.slots[from-first : last-first+1]
		if f == nil {
			n, next = takeAll(dst, slots, from, limit)
		} else {
			n, next = takeSome(dst, slots, from, limit, f)
		}
		c.pins.Add(-1)
		return n, next, false
	}
}

// takeAll is takeSome without a filter, in one go.
func takeAll[V any](dst, slots []Event[V], from, limit uint64) (n int, next uint64) {
	n = min(len(slots), len(dst))
	for n > 0 && slots[n-1].Revision > limit {
		n--
	}
	copy(dst, slots[:n])
	return n, from + uint64(n)
}

// takeSome copies those of slots, of which the first has index from, that pass f.
func takeSome[V any](dst, slots []Event[V], from, limit uint64, f *filter) (n int, next uint64) {
	for i := range slots {
		e := &slots[i]
		if n == len(dst) || e.Revision > limit {
			return n, from + uint64(i)
		}
		if f.passes(e.Key, e.Kind) {
			dst[n] = *e
			n++
		}
	}
	return n, from + uint64(len(slots))
}
