package streams

import (
	"context"
	"fmt"
)

// subscribe registers a subscription whose first event is the one after place. late: place may be lapped already, and
// then the subscriber is told as one that fell behind.
func (l *Log[V]) subscribe(ctx context.Context, set *settings, place uint64, late bool) (*Subscription[V], error) {
	if ctx.Err() != nil {
		return nil, contextError(ctx)
	}
	s := &Subscription[V]{
		log: l, set: set, filter: set.filter(), ctx: ctx,
		done: make(chan struct{}), wake: make(chan struct{}, 1), turn: make(chan struct{}, 1),
	}
	s.scanned = l.ring.head.Load()
	if set.named {
		s.scanned = l.wire(s)
	}
	s.lieDown()
	if place != nowhere {
		if err := s.rewind(place, late); err != nil {
			s.end(err)
			return nil, err
		}
	}
	s.sent, s.told, s.placed = s.scanned, s.scanned, true
	if set.snapshot {
		s.placed = false
		s.snapshot = &snapshot[V]{fixed: true, boundary: s.scanned, known: s.scanned}
	}
	if err := l.admit(s, late); err != nil {
		s.end(err)
		return nil, err
	}
	if set.live {
		release, err := l.cfg.Observe(set.keys, set.refresh)
		if err != nil {
			s.end(err)
			return nil, fmt.Errorf("freshet: %s: observe: %w", l.cfg.Cache, err)
		}
		s.mu.Lock()
		s.release = release
		s.mu.Unlock()
	}
	s.hook()
	return s, nil
}

// admit puts s on the list of open subscriptions. Nobody else knows of s before. One that is late began before the log
// was closed, and may drain it.
func (l *Log[V]) admit(s *Subscription[V], late bool) error {
	l.subsMu.Lock()
	defer l.subsMu.Unlock()
	if l.closed && !late {
		return &refusedError{l.cfg.Cache, "subscribe", l.cfg.Closed}
	}
	l.subCount++
	s.number = l.subCount
	l.subs[s] = struct{}{}
	return nil
}

// hook ties the subscription to its context without a goroutine.
func (s *Subscription[V]) hook() {
	unhook := context.AfterFunc(s.ctx, func() { s.end(contextError(s.ctx)) })
	s.mu.Lock()
	s.unhook = unhook
	over := s.err != nil
	s.mu.Unlock()
	if over {
		unhook()
	}
}

// limit is the newest revision that may be delivered.
func (l *Log[V]) limit() uint64 { return min(l.ring.head.Load(), l.last.Load()) }
