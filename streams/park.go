package streams

import (
	"context"
	"time"
)

// park sleeps until something of the subscription's was appended, and reports whether to look again: not when ctx or
// the subscription has ended, nor where there is something to hand out already.
func (s *Subscription[V]) park(ctx context.Context) bool {
	select {
	case <-s.wake: // of an earlier sleep
	default:
	}
	for i := range s.sleepers {
		s.sleepers[i].enter()
	}
	defer func() {
		for i := range s.sleepers {
			s.sleepers[i].leave()
		}
	}()
	if s.look() { // what was appended before we entered rings for nobody
		return false
	}
	s.mu.Lock()
	if s.snapshot != nil {
		s.mu.Unlock()
		return true
	}
	now := time.Now()
	if s.idle.IsZero() {
		s.idle = now
	}
	wait := idleBookmark - now.Sub(s.idle)
	s.parked = true
	s.mu.Unlock()

	if s.rest == nil {
		s.rest = time.NewTimer(wait)
	} else {
		s.rest.Reset(wait)
	}
	again := true
	select {
	case <-s.wake:
	case <-s.rest.C:
		s.rested()
	case <-s.done:
		again = false
	case <-ctx.Done():
		again = false
	}
	s.rest.Stop()
	s.mu.Lock()
	s.parked = false
	s.woken++
	s.mu.Unlock()
	return again
}

// rested tells the subscriber where it is after a long silence.
func (s *Subscription[V]) rested() {
	if s.look() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil && !s.out.left() && s.snapshot == nil {
		s.bookmarkLocked()
	}
}
