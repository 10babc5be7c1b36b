package actors

import (
	"iter"
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// index finds the cell of a key, and for a hit the value without the cell: beside
// the key's name a slot holds it, where it is one word, or the version that is
// shown. What a hit waits for is memory, and so it touches one line of it, the
// slot's, or the version's too. Readers take no lock.
//
// It is a hash table with linear probing in shards, so that growing one moves a
// fraction of the keys and holds up a fraction of the writers.
//
// Whatever is written to a slot, but for its read bit, is written under its
// shard's lock: no publish is lost to a shard that grows meanwhile. Who reads
// slots that were given up for larger ones began before that, and sees what was
// shown then.
type index[V any] struct {
	namer
	content content
	most    int                                        // slots that a shard needs where the cache is full; 0: it has no bound
	slots   [indexShards]atomic.Pointer[indexSlots[V]] // nil: empty
	shards  [indexShards]indexShard
}

const (
	indexShardBits = 7 // of a place
	indexShards    = 1 << indexShardBits
	firstSlots     = 8
)

// indexShard is what the writers of a shard share.
type indexShard struct {
	mu   sync.Mutex
	live int
	used int // live, and graves
	_    [64 - 24]byte
}

// indexSlots are the slots of a shard, a power of two of them, and beside each its
// cell.
type indexSlots[V any] struct {
	at    []indexSlot
	cells []atomic.Pointer[cell[V]]
	// reused counts how often a grave became another key's slot. It is counted
	// after the new name was written and before anything is shown there: a
	// reader who finds it unchanged after he has read what is shown, read the
	// name that goes with that.
	reused atomic.Uint64
	_      [64 - 56]byte
}

// none is no slot.
const none = ^uint64(0)

// newIndex makes the index of a cache of so many entries at the most, 0: any number.
func newIndex[V any](maxEntries int) *index[V] {
	x := &index[V]{namer: newNamer(), content: contentOf[V]()}
	if maxEntries > 0 {
		x.most = firstSlots
		for 3*x.most/4 < maxEntries/indexShards {
			x.most *= 2
		}
	}
	return x
}

func (x *index[V]) makeSlots(n int) *indexSlots[V] {
	return &indexSlots[V]{at: makeSlots(n, x.content), cells: make([]atomic.Pointer[cell[V]], n)}
}

// place is where the search for a name begins: a shard, and how many slots from
// the first. A long name is a hash already; that of a short one is wyhash, two
// multiplications, as Go's maps have it where the processor lacks AES.
func (x *index[V]) place(n name) (shard, from uint64) {
	if n.tail == longName {
		return n.head >> (64 - indexShardBits), n.head
	}
	hi, lo := bits.Mul64(n.head^x.salts[0], n.tail^x.salts[1])
	hi, lo = bits.Mul64(hi^lo, 0x1d8e4e27c47d124f)
	return (hi ^ lo) >> (64 - indexShardBits), hi ^ lo
}

// seek returns the first slot from i on whose name is n, none where there is none.
func (s *indexSlots[V]) seek(n name, i uint64) uint64 {
	for {
		i &= uint64(len(s.at) - 1)
		tail := s.at[i].tail.Load()
		if tail&^readBit == n.tail && s.at[i].head.Load() == n.head {
			return i
		}
		if tail == noName {
			return none
		}
		i++
	}
}

// is says whether slot i is key's, where the name does not.
func (s *indexSlots[V]) is(i uint64, key string) bool {
	c := s.cells[i].Load()
	return c != nil && c.key == key
}

// shown is the version that is shown in slot i, where now is before its HitEnd. nil:
// ask the cell.
func (s *indexSlots[V]) shown(i uint64, now lifecycle.Instant, holds content) *lifecycle.Version[V, *Future[V]] {
	if int64(now) >= s.at[i].until.Load() {
		return nil
	}
	if holds == version {
		return (*lifecycle.Version[V, *Future[V]])(atomic.LoadPointer(s.at[i].pointer()))
	}
	c := s.cells[i].Load()
	if c == nil {
		return nil
	}
	v := c.shown.Load()
	if v == nil || v.Known != lifecycle.Present || now >= v.HitEnd {
		return nil
	}
	return v
}

// mark sets the read bit, which spares later readers the cell, and marks the
// cell. In this order: whoever takes the cell's mark off clears the bit after
// it (unmark), so a bit that stays has a mark that stays.
func (s *indexSlots[V]) mark(i, tail uint64) {
	if !s.at[i].tail.CompareAndSwap(tail, tail|readBit) {
		return
	}
	if c := s.cells[i].Load(); c != nil {
		c.rank.touch()
	}
}

// unmark is called after the cell's mark was taken off, by the policy.
func (c *cell[V]) unmark() {
	if slots, i := c.table.cells.slotOf(c); i != none {
		slots.at[i].tail.And(^readBit)
	}
}

// find returns the cell of key, nil if there is none.
func (x *index[V]) find(key string) *cell[V] { return x.findNamed(x.name(key), key) }

// findNamed is find for who knows the key's name already.
func (x *index[V]) findNamed(n name, key string) *cell[V] {
	shard, from := x.place(n)
	slots := x.slots[shard].Load()
	if slots == nil {
		return nil
	}
	return slots.find(n, from, key)
}

func (s *indexSlots[V]) find(n name, i uint64, key string) *cell[V] {
	for i = s.seek(n, i); i != none; i = s.seek(n, i+1) {
		if c := s.cells[i].Load(); c != nil && c.key == key {
			return c
		}
	}
	return nil
}

// slotOf returns the slot of c, none where it is not in.
func (x *index[V]) slotOf(c *cell[V]) (slots *indexSlots[V], i uint64) {
	n := x.name(c.key)
	shard, from := x.place(n)
	slots = x.slots[shard].Load()
	return slots, slots.slotOf(c, n, from)
}

// slotOf is the slot of c, whose name is n and may lie from slot i on.
func (s *indexSlots[V]) slotOf(c *cell[V], n name, i uint64) uint64 {
	if s == nil {
		return none
	}
	for i = s.seek(n, i); i != none; i = s.seek(n, i+1) {
		if s.cells[i].Load() == c {
			return i
		}
	}
	return none
}

// enter puts c in, or returns the cell that has its key already.
func (x *index[V]) enter(c *cell[V]) (have *cell[V], entered bool) {
	return x.enterNamed(x.name(c.key), c)
}

// enterNamed is enter for who knows the name of c's key already.
func (x *index[V]) enterNamed(n name, c *cell[V]) (have *cell[V], entered bool) {
	at, from := x.place(n)
	shard := &x.shards[at]
	shard.mu.Lock()
	defer shard.mu.Unlock()
	slots, i := x.slots[at].Load(), uint64(0)
	if slots != nil {
		if have, i = slots.findOrFree(n, from, c.key); have != nil {
			return have, false
		}
	}
	if slots == nil || 4*(shard.used+1) > 3*len(slots.at) {
		slots = x.growLocked(at)
		i = slots.free(from)
	}
	grave := slots.at[i].tail.Load() != noName
	slots.put(i, n, c)
	if grave {
		slots.reused.Add(1)
	} else {
		shard.used++
	}
	shard.live++
	return c, true
}

// put makes slot i that of c, whose name is n.
func (s *indexSlots[V]) put(i uint64, n name, c *cell[V]) {
	s.at[i].head.Store(n.head)
	s.cells[i].Store(c)
	s.at[i].tail.Store(n.tail)
}

// findOrFree is find, and where key has no cell the slot that one may take.
func (s *indexSlots[V]) findOrFree(n name, i uint64, key string) (c *cell[V], free uint64) {
	for free = none; ; i++ {
		i &= uint64(len(s.at) - 1)
		switch tail := s.at[i].tail.Load(); {
		case tail == noName && free == none:
			return nil, i
		case tail == noName:
			return nil, free
		case tail == graveName && free == none:
			free = i
		case tail&^readBit == n.tail && s.at[i].head.Load() == n.head:
			if c := s.cells[i].Load(); c != nil && c.key == key {
				return c, none
			}
		}
	}
}

// free is the first slot from i on that is nobody's.
func (s *indexSlots[V]) free(i uint64) uint64 {
	for ; ; i++ {
		i &= uint64(len(s.at) - 1)
		if tail := s.at[i].tail.Load(); tail == noName || tail == graveName {
			return i
		}
	}
}

// growLocked moves a shard to slots that are half taken at the most, without
// the graves and the read bits.
func (x *index[V]) growLocked(at uint64) *indexSlots[V] {
	shard := &x.shards[at]
	old := x.slots[at].Load()
	size := x.sizeFor(shard.live+1, old)
	next := x.makeSlots(size)
	if old != nil {
		for i := range old.at {
			c := old.cells[i].Load()
			if c == nil {
				continue
			}
			n := name{old.at[i].head.Load(), old.at[i].tail.Load() &^ readBit}
			_, from := x.place(n)
			j := next.free(from)
			next.at[j].take(&old.at[i], n, x.content)
			preset(&next.cells[j], c)
		}
	}
	shard.used = shard.live
	x.slots[at].Store(next)
	return next
}

// sizeFor is how many slots hold n cells. A shard that grows does so fourfold, which
// spares most of the moving, as long as it ends at half of what it takes in a full
// cache at the most: who bounds a cache has memory for that many.
func (x *index[V]) sizeFor(n int, old *indexSlots[V]) int {
	size := firstSlots
	for size < 2*n {
		size *= 2
	}
	if old != nil && size > len(old.at) && 4*size <= x.most {
		size *= 2
	}
	return size
}

// remove takes c, and only c, out.
func (x *index[V]) remove(c *cell[V]) {
	n := x.name(c.key)
	at, from := x.place(n)
	shard := &x.shards[at]
	shard.mu.Lock()
	defer shard.mu.Unlock()
	slots := x.slots[at].Load()
	i := slots.slotOf(c, n, from)
	if i == none {
		return
	}
	slot := &slots.at[i]
	slot.tail.Store(graveName)
	slot.hide()
	slot.forget(x.content)
	slots.cells[i].Store(nil)
	shard.live--
	if n := len(slots.at); n > firstSlots && 8*shard.live < n {
		x.growLocked(at) // it shrinks
	}
}

// all yields every cell that was in before the walk began and is not taken out
// meanwhile, and perhaps some that came later; of each key one. A key that is
// taken out and comes back behind the walk may lie ahead of it then: so a shard
// is looked through first, and whoever has left his slot since is left out.
func (x *index[V]) all() iter.Seq[*cell[V]] {
	type place struct {
		slot int
		cell *cell[V]
	}
	return func(yield func(*cell[V]) bool) {
		var found []place
		for i := range x.slots {
			slots := x.slots[i].Load()
			if slots == nil {
				continue
			}
			found = found[:0]
			for j := range slots.cells {
				if c := slots.cells[j].Load(); c != nil {
					found = append(found, place{j, c})
				}
			}
			for _, p := range found {
				if slots.cells[p.slot].Load() == p.cell && !yield(p.cell) {
					return
				}
			}
		}
	}
}
