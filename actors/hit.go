package actors

import (
	"context"
	"sync/atomic"
	"unsafe"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// Get returns the value of key: from memory where that is admissible,
// otherwise from the flight that it joins or starts (F0).
//
// The way of a hit is here in one piece: the key's slot in the index, what is shown
// there, one comparison with a coarse clock, the mark and the count. It calls nothing
// but name, for a call costs a tenth of a hit; what else looks like one is a method
// of a generic type, which alone is inlined in a program that has this package by
// way of api.
func (t *Table[V]) Get(ctx context.Context, key string, opts ...FetchOption) (V, error) {
	if len(opts) > 0 {
		return t.get(ctx, key, opts)
	}
	x := t.cells
	n := x.name(key)
	shard, i := x.place(n)
	slots := x.slots[shard].Load()
	if slots == nil {
		return t.getNew(ctx, key, n)
	}
	reused := slots.reused.Load()
	for ; ; i++ {
		i &= uint64(len(slots.at) - 1)
		slot := &slots.at[i]
		tail := slot.tail.Load()
		if tail&^readBit != n.tail {
			if tail == noName {
				// A cell is put there next: its line of memory may come meanwhile.
				_ = slots.cells[i].Load()
				return t.getNew(ctx, key, n)
			}
			continue
		}
		if slot.head.Load() != n.head {
			continue
		}
		if n.tail == longName && !slots.is(i, key) {
			continue
		}
		if t.clock.coarse.Load() >= slot.until.Load() {
			break
		}
		var p unsafe.Pointer
		var bits uint64
		if x.content == number {
			bits = atomic.LoadUint64(&slot.word)
		} else if p = atomic.LoadPointer((*unsafe.Pointer)(unsafe.Pointer(&slot.word))); p == nil {
			break // it was forgotten meanwhile
		}
		if slots.reused.Load() != reused {
			break
		}
		if tail&readBit == 0 {
			slots.mark(i, tail)
		}
		t.countHit()
		switch x.content {
		case number:
			return *(*V)(unsafe.Pointer(&bits)), nil
		case pointer:
			if p == unsafe.Pointer(&nilValue) {
				p = nil
			}
			return *(*V)(unsafe.Pointer(&p)), nil
		}
		return (*lifecycle.Version[V, *Future[V]])(p).Value, nil
	}
	return t.get(ctx, key, nil)
}

// get is Get for what is no hit.
func (t *Table[V]) get(ctx context.Context, key string, opts []FetchOption) (V, error) {
	v, err := t.lookup(ctx, key, opts)
	if err != nil {
		var zero V
		return zero, err
	}
	return v.Value, nil
}

// hit is the way of those who need the version. nil: it takes more than that.
func (t *Table[V]) hit(key string) *lifecycle.Version[V, *Future[V]] {
	x := t.cells
	n := x.name(key)
	shard, i := x.place(n)
	slots := x.slots[shard].Load()
	if slots == nil {
		return nil
	}
	reused := slots.reused.Load()
	for i = slots.seek(n, i); i != none; i = slots.seek(n, i+1) {
		if n.tail == longName && !slots.is(i, key) {
			continue
		}
		v := slots.shown(i, t.coarse(), x.content)
		if v == nil || slots.reused.Load() != reused {
			return nil
		}
		if tail := slots.at[i].tail.Load(); tail == n.tail {
			slots.mark(i, tail)
		}
		t.countHit()
		return v
	}
	return nil
}

// coarse is the coarse clock: what ends after it is certainly still to come.
func (t *Table[V]) coarse() lifecycle.Instant { return lifecycle.Instant(t.clock.coarse.Load()) }

// countHit is t.tallies.count(cHits) by hand: see Get.
func (t *Table[V]) countHit() {
	var here byte
	t.tallies[uint64(uintptr(unsafe.Pointer(&here)))>>stackBits*stackHash>>(64-stripeBits)].n[cHits].Add(1)
}
