package actors

import (
	"sync"
	"sync/atomic"
)

// writes are the writes of a table that are with the origin: Close waits for
// them, and ends those that it cannot wait for.
type writes[V any] struct {
	pending atomic.Int64 // mutations and creates that have not ended
	flying  waitGroup

	mu     sync.Mutex
	all    map[*write[V]]struct{}
	closed bool
}

// enter counts w in, or says false where no write may begin any more.
func (s *writes[V]) enter(w *write[V]) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if s.all == nil {
		s.all = make(map[*write[V]]struct{})
	}
	s.all[w] = struct{}{}
	s.flying.add()
	return true
}

func (s *writes[V]) leave(w *write[V]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, in := s.all[w]; in {
		delete(s.all, w)
		s.flying.done()
	}
}

// close keeps new writes out, and returns those that are with the origin.
func (s *writes[V]) close() []*write[V] {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	all := make([]*write[V], 0, len(s.all))
	for w := range s.all {
		all = append(all, w)
	}
	return all
}
