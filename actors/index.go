package actors

import (
	"hash/maphash"
	"iter"
	"sync"
	"sync/atomic"
)

// index finds the cell of a key. Readers take no lock: a hit reads a slot, then
// the cell, whose key stands in its first cache line. (xsync.Map, which served
// before, keeps an entry between the two: one more wait for memory, and twice
// the time of a hit.)
//
// It is a hash table with linear probing in shards, so that growing one moves a
// fraction of the keys and holds up a fraction of the writers.
type index[V any] struct {
	seed   maphash.Seed
	shards [indexShards]indexShard[V]
}

const (
	indexShards    = 128
	indexShardBits = 7
	firstSlots     = 8
)

type indexShard[V any] struct {
	slots atomic.Pointer[indexSlots[V]] // nil: empty
	mu    sync.Mutex                    // writers
	live  int
	used  int // live, and graves
	_     [64 - 32]byte
}

type indexSlots[V any] struct {
	mask uint64
	at   []indexSlot[V]
}

// indexSlot is empty (hash 0), a grave (hash 1), or taken. A writer stores the
// cell before the hash, so whoever sees the hash sees the cell, or a later one:
// a reader compares the key.
type indexSlot[V any] struct {
	hash atomic.Uint64
	cell atomic.Pointer[cell[V]]
}

const (
	emptySlot = 0
	graveSlot = 1
)

func newIndex[V any]() *index[V] { return &index[V]{seed: maphash.MakeSeed()} }

// hash never is that of an empty slot or a grave.
func (x *index[V]) hash(key string) uint64 { return maphash.String(x.seed, key) | 2 }

func (x *index[V]) shard(hash uint64) *indexShard[V] {
	return &x.shards[hash>>(64-indexShardBits)]
}

// find returns the cell of key, nil if there is none.
func (x *index[V]) find(key string) *cell[V] {
	hash := x.hash(key)
	slots := x.shard(hash).slots.Load()
	if slots == nil {
		return nil
	}
	return slots.find(hash, key)
}

func (s *indexSlots[V]) find(hash uint64, key string) *cell[V] {
	for i := hash >> 2; ; i++ {
		slot := &s.at[i&s.mask]
		switch slot.hash.Load() {
		case hash:
			if c := slot.cell.Load(); c != nil && c.key == key {
				return c
			}
		case emptySlot:
			return nil
		}
	}
}

// enter puts c in, or returns the cell that has its key already.
func (x *index[V]) enter(c *cell[V]) (have *cell[V], entered bool) {
	hash := x.hash(c.key)
	shard := x.shard(hash)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	slots := shard.slots.Load()
	if slots != nil {
		if have := slots.find(hash, c.key); have != nil {
			return have, false
		}
	}
	if slots == nil || 4*(shard.used+1) > 3*len(slots.at) {
		slots = shard.growLocked()
	}
	if slots.put(hash, c) {
		shard.used++
	}
	shard.live++
	return c, true
}

// put takes the first slot that is free, and says whether it was empty rather
// than a grave.
func (s *indexSlots[V]) put(hash uint64, c *cell[V]) (fresh bool) {
	for i := hash >> 2; ; i++ {
		slot := &s.at[i&s.mask]
		if was := slot.hash.Load(); was == emptySlot || was == graveSlot {
			slot.cell.Store(c)
			slot.hash.Store(hash)
			return was == emptySlot
		}
	}
}

// growLocked moves the shard to slots that are half taken at the most, without
// the graves. A reader that still walks the old ones sees what was there when
// it began.
func (s *indexShard[V]) growLocked() *indexSlots[V] {
	n := firstSlots
	for n < 2*(s.live+1) {
		n *= 2
	}
	next := &indexSlots[V]{mask: uint64(n - 1), at: make([]indexSlot[V], n)}
	if old := s.slots.Load(); old != nil {
		for i := range old.at {
			if hash := old.at[i].hash.Load(); hash > graveSlot {
				next.put(hash, old.at[i].cell.Load())
			}
		}
	}
	s.used = s.live
	s.slots.Store(next)
	return next
}

// remove takes c, and only c, out.
func (x *index[V]) remove(c *cell[V]) {
	hash := x.hash(c.key)
	shard := x.shard(hash)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	slots := shard.slots.Load()
	if slots == nil {
		return
	}
	for i := hash >> 2; ; i++ {
		slot := &slots.at[i&slots.mask]
		switch slot.hash.Load() {
		case emptySlot:
			return
		case hash:
			if slot.cell.Load() == c {
				slot.hash.Store(graveSlot)
				slot.cell.Store(nil)
				shard.live--
				if n := len(slots.at); n > firstSlots && 8*shard.live < n {
					shard.growLocked() // it shrinks
				}
				return
			}
		}
	}
}

// all yields every cell that was in before the walk began and is not taken out
// meanwhile, and perhaps some that came later.
func (x *index[V]) all() iter.Seq[*cell[V]] {
	return func(yield func(*cell[V]) bool) {
		for i := range x.shards {
			slots := x.shards[i].slots.Load()
			if slots == nil {
				continue
			}
			for j := range slots.at {
				if c := slots.at[j].cell.Load(); c != nil && !yield(c) {
					return
				}
			}
		}
	}
}
