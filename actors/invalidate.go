package actors

import (
	"context"
	"errors"
	"strings"
	"time"
)

// Invalidate raises the barriers of keys (O6). A bad key is named in the error
// and keeps no other from being invalidated.
func (t *Table[V]) Invalidate(_ context.Context, keys ...string) error {
	return t.each(keys, func(key string) {
		t.withBarrier(key, &message[V]{op: opInvalidate})
	})
}

// Expire ends the freshness of keys (O6).
func (t *Table[V]) Expire(_ context.Context, keys ...string) error {
	return t.each(keys, func(key string) { t.expire(t.cells.find(key)) })
}

// expire ends the freshness of c; nil: nothing to end.
func (t *Table[V]) expire(c *cell[V]) {
	if c != nil {
		c.send(&message[V]{op: opExpire})
	}
}

// Remove is Invalidate that also forgets (O10).
func (t *Table[V]) Remove(_ context.Context, keys ...string) error {
	return t.each(keys, func(key string) {
		t.withBarrier(key, &message[V]{op: opRemove})
		t.vacate(t.cells.find(key))
	})
}

func (t *Table[V]) each(keys []string, do func(key string)) error {
	if t.closed.Load() {
		return ErrClosed
	}
	var errs []error
	for _, key := range keys {
		if err := checkKey(key); err != nil {
			errs = append(errs, err)
			continue
		}
		do(key)
	}
	t.makeRoom() // a flight that was given up kept its resource
	return errors.Join(append(errs, t.stillOpen())...)
}

// stillOpen says of a call at its end whether Close may have overtaken it: a closed cell does
// as it is told no more, and the Store that it would have told outlives the cache.
func (t *Table[V]) stillOpen() error {
	if t.closed.Load() {
		return ErrClosed
	}
	return nil
}

// InvalidatePrefix invalidates every key that starts with prefix and says how
// many were resident. The empty prefix is all of them.
func (t *Table[V]) InvalidatePrefix(_ context.Context, prefix string) (n int, err error) {
	if t.closed.Load() {
		return 0, ErrClosed
	}
	defer func() { err = t.stillOpen() }() // when the erase is owed
	var barrier uint64
	if t.tier != nil {
		// Before the barrier: a look-up above it does not see the old records. They
		// are erased after the walk, for what it makes void may land until then.
		covered := t.tier.cover(prefix)
		defer func() { t.tier.erasePrefix(covered, barrier) }()
	}
	barrier = t.numbers.Add(1)
	// Before the walk: a cell that comes too late for it starts above.
	t.raiseFloor(barrier)
	for c := range t.cells.all() {
		if strings.HasPrefix(c.key, prefix) && t.raise(c, opVoid, barrier) {
			n++
		}
	}
	t.makeRoom()
	if prefix == "" && t.lists != nil {
		t.lists.invalidate()
	}
	return n, nil
}

// InvalidateTag invalidates every resource that carries one of tags, whichever
// it is, and says how many were resident. What is in the air and turns out to
// carry one is below the barrier too.
func (t *Table[V]) InvalidateTag(_ context.Context, tags ...string) (int, error) {
	if t.closed.Load() {
		return 0, ErrClosed
	}
	if len(tags) == 0 {
		return 0, nil
	}
	now := time.Now
	if t.tier != nil {
		now = t.tier.eraseTick // what was read before it is void
	}
	barrier, covered := t.tags.raise(tags, now, func() uint64 { return t.numbers.Add(1) })
	n := 0
	for c := range covered {
		if t.raise(c, opInvalidate, barrier) {
			n++
		}
	}
	t.makeRoom()
	return n, t.stillOpen()
}

// raise lifts c's barrier, and says false where c was evicted: then the floor,
// or the tag, has it.
func (t *Table[V]) raise(c *cell[V], how op, barrier uint64) bool {
	m := message[V]{op: how, stamp: barrier}
	c.send(&m)
	return !m.gone
}
