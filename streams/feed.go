package streams

import "sync/atomic"

// feedKeep is how many of a watched key's newest events are kept for its watchers whatever happens to other keys.
const feedKeep = 16

// feed is the part of the log that belongs to one key. It exists while somebody subscribes to that key by name, so
// that the traffic of other keys neither wakes nor laps him. It is written inside the log's critical section.
type feed[V any] struct {
	ring ring[V]
	gate gate
	// revisions[i%feedKeep] is the revision of the feed's i-th event: enough to put the events of several feeds in
	// order without copying them.
	revisions [feedKeep]atomic.Uint64
	// dropped is the newest revision of this key that the feed no longer has, or had not yet when it was made.
	dropped atomic.Uint64
	refs    int // subscriptions; under the log's lock
}

func newFeed[V any](revision uint64) *feed[V] {
	f := &feed[V]{}
	f.ring.init(feedKeep, feedKeep/2)
	f.dropped.Store(revision)
	return f
}

// put adds a copy of e. Everything else is in place before the head tells of it.
func (f *feed[V]) put(e *Event[V]) {
	*f.ring.slot() = *e
	i := f.ring.head.Load() + 1
	place := &f.revisions[i%feedKeep]
	if i > feedKeep {
		f.dropped.Store(place.Load())
	}
	place.Store(e.Revision)
	f.ring.publish()
}
