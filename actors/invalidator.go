package actors

import (
	"fmt"
	"strings"
)

// Invalidator is a Store that hears what other processes do to its records. A
// cache on one listens by itself: what others erased or replaced is expired here
// (Table.Expire), and is asked of the origin again when somebody wants it.
type Invalidator interface {
	Store
	// OnInvalidate has f told until stop is called; after stop returned f is not
	// called any more. f is called from one goroutine, one call at a time; the
	// implementation bounds what waits for it and tells what it had to drop as
	// Invalidation.Lost.
	OnInvalidate(f func(Invalidation)) (stop func())
}

// Invalidation is what other processes erased or replaced.
type Invalidation struct {
	// Keys were erased, or hold something else than before.
	Keys []string
	// Prefixes were erased by DeletePrefix.
	Prefixes []string
	// Lost says that messages may have been lost (the connection was, the
	// database was flushed, or the listeners were too slow): any key may have
	// changed.
	Lost bool
}

// covers says whether key is within what is told by more than its name.
func (i *Invalidation) covers(key string) bool {
	if i.Lost {
		return true
	}
	for _, p := range i.Prefixes {
		if strings.HasPrefix(key, p) {
			return true
		}
	}
	return false
}

// heard expires what i tells of. It does not erase: others would hear of that,
// and so on for ever.
func (t *Table[V]) heard(i Invalidation) {
	defer t.makeRoom() // the history holds what is told of
	expire := func(c *cell[V]) {
		// First: what a look-up read before this is not there to expire yet.
		if f := c.flight.Load(); f != nil {
			f.overtaken()
		}
		t.expire(c)
	}
	for _, key := range i.Keys {
		if c := t.cells.find(key); c != nil {
			expire(c)
		}
	}
	if !i.Lost && len(i.Prefixes) == 0 {
		return
	}
	for c := range t.cells.all() {
		if t.closed.Load() {
			return
		}
		if i.covers(c.key) {
			expire(c)
		}
	}
}

// listen has the table hear of what other processes do, if the Store can tell.
func (s *tier[V]) listen() error {
	if s == nil {
		return nil
	}
	store, ok := s.store.(Invalidator)
	if !ok {
		return nil
	}
	if err := guarded(func() { s.deafen = store.OnInvalidate(s.table.heard) }); err != nil {
		return fmt.Errorf("freshet: config: Store: %w", err)
	}
	return nil
}

// stopListening ends it, on a goroutine of its own: a stop waits for what is
// being told, and how long that takes is the Store's affair.
func (s *tier[V]) stopListening() {
	if s == nil || s.deafen == nil {
		return
	}
	s.table.working.add()
	go func() {
		defer s.table.working.done()
		_ = contained(s.deafen)
	}()
}
