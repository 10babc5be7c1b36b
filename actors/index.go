package actors

import (
	"hash/maphash"
	"iter"
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// index finds the cell of a key, and for a hit the value without the cell:
// beside the key's name a slot holds the version that is shown. What a hit
// waits for is memory, and so it touches two lines of it, the slot's and the
// version's. Readers take no lock.
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
	slots  [indexShards]atomic.Pointer[indexSlots[V]] // nil: empty
	shards [indexShards]indexShard
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

// indexSlots are the slots of a shard, a power of two of them.
type indexSlots[V any] struct {
	at []indexSlot[V]
	// reused counts how often a grave became another key's slot. It is counted
	// after the new name was written and before anything is shown there: a
	// reader who finds it unchanged after he has read what is shown, read the
	// name that goes with that.
	reused atomic.Uint64
	_      [64 - 32]byte
}

// indexSlot is empty, a grave, or a cell's. A writer stores the name's tail
// last.
type indexSlot[V any] struct {
	head, tail atomic.Uint64
	hot        atomic.Pointer[lifecycle.Version[V, *Future[V]]] // what a hit is answered with; nil: ask the cell
	cell       atomic.Pointer[cell[V]]
}

func newIndex[V any]() *index[V] { return &index[V]{namer: newNamer()} }

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

// slot is the i-th, going round.
func (s *indexSlots[V]) slot(i uint64) *indexSlot[V] { return &s.at[i&uint64(len(s.at)-1)] }

// hit returns what is shown for key, where now is before its HitEnd, and marks
// that it was read. nil: ask the cell.
func (x *index[V]) hit(key string, now lifecycle.Instant) *lifecycle.Version[V, *Future[V]] {
	if len(key) > maxShort {
		return x.hitLong(key, now)
	}
	n := x.name(key)
	shard, i := x.place(n)
	slots := x.slots[shard].Load()
	if slots == nil {
		return nil
	}
	reused := slots.reused.Load()
	for {
		slot := slots.slot(i)
		tail := slot.tail.Load()
		if tail&^readBit == n.tail && slot.head.Load() == n.head {
			v := slot.hot.Load()
			if v == nil || now >= v.HitEnd || slots.reused.Load() != reused {
				return nil
			}
			if tail&readBit == 0 {
				slot.mark(tail)
			}
			return v
		}
		if tail == noName {
			return nil
		}
		i++
	}
}

// hitLong is hit for a key whose name does not tell it from all others: the
// cell's key has to be compared.
func (x *index[V]) hitLong(key string, now lifecycle.Instant) *lifecycle.Version[V, *Future[V]] {
	hash := maphash.String(x.seed, key)
	slots := x.slots[hash>>(64-indexShardBits)].Load()
	if slots == nil {
		return nil
	}
	for i := hash; ; i++ {
		slot := slots.slot(i)
		tail := slot.tail.Load()
		if tail&^readBit == longName && slot.head.Load() == hash {
			if c := slot.cell.Load(); c != nil && c.key == key {
				v := c.shown.Load()
				if v == nil || v.Known != lifecycle.Present || now >= v.HitEnd {
					return nil
				}
				c.rank.touch()
				return v
			}
		}
		if tail == noName {
			return nil
		}
	}
}

// mark sets the read bit, which spares later readers the cell, and marks the
// cell. In this order: whoever takes the cell's mark off clears the bit after
// it (unmark), so a bit that stays has a mark that stays.
func (s *indexSlot[V]) mark(tail uint64) {
	if !s.tail.CompareAndSwap(tail, tail|readBit) {
		return
	}
	if c := s.cell.Load(); c != nil {
		c.rank.touch()
	}
}

// unmark is called after the cell's mark was taken off, by the policy.
func (c *cell[V]) unmark() {
	if slot := c.table.cells.slotOf(c); slot != nil {
		slot.tail.And(^readBit)
	}
}

// find returns the cell of key, nil if there is none.
func (x *index[V]) find(key string) *cell[V] {
	n := x.name(key)
	shard, from := x.place(n)
	slots := x.slots[shard].Load()
	if slots == nil {
		return nil
	}
	return slots.find(n, from, key)
}

func (s *indexSlots[V]) find(n name, i uint64, key string) *cell[V] {
	for ; ; i++ {
		slot := s.slot(i)
		tail := slot.tail.Load()
		if tail&^readBit == n.tail && slot.head.Load() == n.head {
			if c := slot.cell.Load(); c != nil && c.key == key {
				return c
			}
		}
		if tail == noName {
			return nil
		}
	}
}

// slotOf returns the slot of c, nil where it is not in.
func (x *index[V]) slotOf(c *cell[V]) *indexSlot[V] {
	n := x.name(c.key)
	shard, i := x.place(n)
	slots := x.slots[shard].Load()
	if slots == nil {
		return nil
	}
	for ; ; i++ {
		slot := slots.slot(i)
		if slot.cell.Load() == c {
			return slot
		}
		if slot.tail.Load() == noName {
			return nil
		}
	}
}

// enter puts c in, or returns the cell that has its key already.
func (x *index[V]) enter(c *cell[V]) (have *cell[V], entered bool) {
	n := x.name(c.key)
	at, from := x.place(n)
	shard := &x.shards[at]
	shard.mu.Lock()
	defer shard.mu.Unlock()
	slots := x.slots[at].Load()
	if slots != nil {
		if have := slots.find(n, from, c.key); have != nil {
			return have, false
		}
	}
	if slots == nil || 4*(shard.used+1) > 3*len(slots.at) {
		slots = x.growLocked(at)
	}
	slot := slots.free(from)
	grave := slot.tail.Load() != noName
	slot.head.Store(n.head)
	slot.cell.Store(c)
	slot.tail.Store(n.tail)
	if grave {
		slots.reused.Add(1)
	} else {
		shard.used++
	}
	shard.live++
	return c, true
}

// free is the first slot from i on that is nobody's.
func (s *indexSlots[V]) free(i uint64) *indexSlot[V] {
	for ; ; i++ {
		slot := s.slot(i)
		if tail := slot.tail.Load(); tail == noName || tail == graveName {
			return slot
		}
	}
}

// growLocked moves a shard to slots that are half taken at the most, without
// the graves and the read bits.
func (x *index[V]) growLocked(at uint64) *indexSlots[V] {
	shard := &x.shards[at]
	size := firstSlots
	for size < 2*(shard.live+1) {
		size *= 2
	}
	next := &indexSlots[V]{at: make([]indexSlot[V], size)}
	if old := x.slots[at].Load(); old != nil {
		for i := range old.at {
			from := &old.at[i]
			c := from.cell.Load()
			if c == nil {
				continue
			}
			n := name{from.head.Load(), from.tail.Load() &^ readBit}
			_, i := x.place(n)
			to := next.free(i)
			to.head.Store(n.head)
			to.cell.Store(c)
			to.hot.Store(from.hot.Load())
			to.tail.Store(n.tail)
		}
	}
	shard.used = shard.live
	x.slots[at].Store(next)
	return next
}

// remove takes c, and only c, out.
func (x *index[V]) remove(c *cell[V]) {
	at, _ := x.place(x.name(c.key))
	shard := &x.shards[at]
	shard.mu.Lock()
	defer shard.mu.Unlock()
	slot := x.slotOf(c)
	if slot == nil {
		return
	}
	slot.tail.Store(graveName)
	slot.hot.Store(nil)
	slot.cell.Store(nil)
	shard.live--
	if n := len(x.slots[at].Load().at); n > firstSlots && 8*shard.live < n {
		x.growLocked(at) // it shrinks
	}
}

// all yields every cell that was in before the walk began and is not taken out
// meanwhile, and perhaps some that came later; of each key one. A key that is
// taken out and comes back behind the walk may lie ahead of it then: so a shard
// is looked through first, and whoever has left his slot since is left out.
func (x *index[V]) all() iter.Seq[*cell[V]] {
	type place struct {
		slot *indexSlot[V]
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
			for j := range slots.at {
				slot := &slots.at[j]
				if c := slot.cell.Load(); c != nil {
					found = append(found, place{slot, c})
				}
			}
			for _, p := range found {
				if p.slot.cell.Load() == p.cell && !yield(p.cell) {
					return
				}
			}
		}
	}
}
