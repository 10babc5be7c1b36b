package streams

// wire is one key's feed as one subscription sees it.
type wire[V any] struct {
	feed *feed[V]
	next uint64 // index in the feed
}

// newest is the revision of the newest event that the subscription has not taken from the feed, 0 where it has all. It may
// have read that event from the log's ring.
func (w *wire[V]) newest() uint64 {
	head := w.feed.ring.head.Load()
	if head < w.next {
		return 0
	}
	return w.feed.revisions[head%feedMarks].Load() // or of one that took its place since: newer still
}

// wire ties s to the feeds of its keys, a few at a time so that no writer waits long, and returns the revision from
// which on they have everything.
func (l *Log[V]) wire(s *Subscription[V]) (revision uint64) {
	s.wires = make([]wire[V], len(s.set.keys))
	for i := 0; i < len(s.wires); {
		l.mu.Lock()
		revision = l.ring.head.Load()
		for end := min(i+manyKeys, len(s.wires)); i < end; i++ {
			key := s.set.keys[i]
			f := l.feeds[key]
			if f == nil {
				f = newFeed[V](revision)
				l.feeds[key] = f
			}
			f.refs++
			s.wires[i] = wire[V]{feed: f, next: f.ring.head.Load() + 1}
		}
		l.mu.Unlock()
	}
	return revision
}

func (l *Log[V]) unwire(s *Subscription[V]) {
	for i := 0; i < len(s.wires); {
		l.mu.Lock()
		for end := min(i+manyKeys, len(s.wires)); i < end; i++ {
			f := s.wires[i].feed
			if f.refs--; f.refs == 0 {
				delete(l.feeds, s.set.keys[i])
			}
		}
		l.mu.Unlock()
	}
}

// lieDown makes the subscription's places to sleep.
func (s *Subscription[V]) lieDown() {
	if s.set.named && len(s.wires) <= manyKeys {
		s.sleepers = make([]sleeper, len(s.wires))
		for i := range s.wires {
			s.sleepers[i] = sleeper{gate: &s.wires[i].feed.gate, wake: s.wake}
		}
		return
	}
	s.sleepers = []sleeper{{gate: &s.log.gate, wake: s.wake}}
}
