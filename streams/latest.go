package streams

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"sync"
)

// View is what a subscription says is so at present: a map of keys to values that follows the stream. Everything may be
// called concurrently, and reads see either the state before an event or the one after it.
//
// A snapshot is shown when it is complete: until Synced the View stays what it was, empty at first, also when it has to
// begin anew after a Gap. When the subscription ends, the View keeps what it had; Err tells that it does not follow any
// more.
type View[V any] struct {
	sub  *Subscription[V]
	done chan struct{} // closed when the follower has ended

	mu       sync.RWMutex
	values   map[string]*V
	revision uint64
	synced   bool
	ready    chan struct{} // closed at the first Synced
}

// Latest makes a View of a subscription and takes the subscription over. It follows on one goroutine, which ends with
// the subscription or by Close.
//
// The subscription must have been made WithSnapshot, and not with DropOldest: a map with a hole in its past is wrong
// and does not know where. Otherwise the answer is an error, and the subscription is as it was.
func Latest[V any](sub *Subscription[V]) (*View[V], error) {
	switch {
	case sub == nil:
		return nil, errors.New("freshet: Latest needs a subscription, and was given nil: is the error of Watch looked at?")
	case !sub.set.snapshot:
		return nil, errors.New("freshet: Latest needs a subscription WithSnapshot")
	case sub.set.overflow == DropOldest:
		return nil, errors.New("freshet: Latest needs a subscription OnOverflow(Resync) or OnOverflow(Disconnect)")
	case sub.set.kinds != 0:
		return nil, errors.New("freshet: Latest needs a subscription to all Kinds")
	}
	v := &View[V]{sub: sub, done: make(chan struct{}), values: make(map[string]*V), ready: make(chan struct{})}
	go v.follow()
	return v, nil
}

// Get is the value of key, and whether there is one.
func (v *View[V]) Get(key string) (value V, ok bool) {
	v.mu.RLock()
	p := v.values[key]
	v.mu.RUnlock()
	if p == nil {
		return value, false
	}
	return *p, true
}

// Len is how many keys have a value.
func (v *View[V]) Len() int {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return len(v.values)
}

// All ranges over a copy of the map: it is of one moment, and the loop may take as long as it likes.
func (v *View[V]) All() iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		v.mu.RLock()
		values := maps.Clone(v.values)
		v.mu.RUnlock()
		for key, p := range values {
			if !yield(key, *p) {
				return
			}
		}
	}
}

// Revision is the revision that the View is of; 0 before the first Synced.
func (v *View[V]) Revision() uint64 {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.revision
}

// Wait returns when the View has shown its first snapshot, with the cause when the subscription ended before, and with
// ctx's error when that ended first.
func (v *View[V]) Wait(ctx context.Context) error {
	select {
	case <-v.ready:
		return nil
	default:
	}
	select {
	case <-v.ready:
		return nil
	case <-v.done:
		return fmt.Errorf("freshet: the view never had a snapshot: %w", v.sub.Err())
	case <-ctx.Done():
		return contextError(ctx)
	}
}

// Err is nil while the View follows, and then the cause of its end.
func (v *View[V]) Err() error { return v.sub.Err() }

// Close ends the subscription and waits for the follower. Closing twice is fine.
func (v *View[V]) Close() {
	v.sub.Close()
	<-v.done
}

func (v *View[V]) follow() {
	defer close(v.done)
	next := make(map[string]*V) // what a snapshot has gathered so far
	for e, err := range v.sub.Events() {
		switch {
		case err != nil:
			return
		case e.Kind == Gap:
			v.synced = false
			next = make(map[string]*V)
		case e.Kind == Synced:
			v.show(next, e.Revision)
			next = nil
		case !v.synced:
			apply(next, &e)
		default:
			v.mu.Lock()
			apply(v.values, &e)
			v.revision = e.Revision
			v.mu.Unlock()
		}
	}
}

func (v *View[V]) show(values map[string]*V, revision uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.values, v.revision, v.synced = values, revision, true
	select {
	case <-v.ready:
	default:
		close(v.ready)
	}
}

// apply makes the map what it is after e. Every kind but the control ones says in After what is visible, whatever else it
// tells: under a Deleted that the origin confirms, later mutations may show a value; a Failed shows what goes on serving.
func apply[V any](values map[string]*V, e *Event[V]) {
	switch {
	case e.Kind.Control():
	case e.After == nil:
		delete(values, e.Key)
	default:
		values[e.Key] = e.After
	}
}
