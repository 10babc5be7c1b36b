package streams

import "sync/atomic"

// feedKeep is how many of a watched key's newest events are kept for its watchers whatever happens to other keys.
const feedKeep = 16

const feedMarks = 2 * feedKeep

// feed is the part of the log that belongs to one key. It exists while somebody subscribes to that key by name, so
// that the traffic of other keys neither wakes nor laps him. It is written inside the log's critical section.
type feed[V any] struct {
	ring ring[V]
	gate gate
	// revisions[i%feedMarks] is the revision of the feed's i-th event: enough to put the events of several feeds in
	// order without copying them. There are more of them than events, so that a reader can tell whether one was
	// overwritten under his eyes: see overwritten.
	revisions [feedMarks]atomic.Uint64
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
	if i > feedKeep {
		f.dropped.Store(f.revisions[(i-feedKeep)%feedMarks].Load())
	}
	f.revisions[i%feedMarks].Store(e.Revision)
	f.ring.publish()
}

// overwritten reports whether revisions from index first on, read before, may be those of later events. The one being
// written is not published yet, hence the one more.
func (f *feed[V]) overwritten(first uint64) bool {
	return f.ring.head.Load()+1 >= first+feedMarks
}
