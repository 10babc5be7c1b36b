package streams

import (
	"context"

	"github.com/reactivex/rxgo/v2"
)

// Observable is the log as an rxgo Observable; each item's V is an Event[V]. The cursor is taken here: an observer gets
// what was appended after this call, however late it observes, as far as the history goes back (S6). Every observer has
// a subscription of its own with these options. What [Keys] promises against other keys' traffic holds from the moment
// of observing; up to then the place ages with the history as a token does, and who comes too late is treated as one
// that fell behind.
//
// An observer ends with the context that it observes with, rxgo.WithContext, by closing its channel; it must have one,
// or be read to its end: rxgo knows no other way to leave. Any other end of the subscription is one error item before
// the channel closes, and wrong options are that item at once. See the package comment for the operators that are safe.
func (l *Log[V]) Observable(opts ...Option) rxgo.Observable {
	set, err := settle(opts, l.cfg.Scan != nil, l.cfg.Observe != nil, l.cfg.CheckKey)
	if err != nil {
		return thrown(&refusedError{l.cfg.Cache, "observe", err})
	}
	place, err := l.place(set.since)
	if err != nil {
		return thrown(&refusedError{l.cfg.Cache, "observe", err})
	}
	if place == nowhere && !set.snapshot { // a snapshot holds whatever happened before it
		place = l.ring.head.Load()
	}
	return rxgo.Defer([]rxgo.Producer{func(ctx context.Context, next chan<- rxgo.Item) {
		s, err := l.subscribe(ctx, set, place, true)
		if err != nil {
			rxgo.Error(err).SendContext(ctx, next)
			return
		}
		for e, err := range s.Events() {
			if err != nil {
				rxgo.Error(err).SendContext(ctx, next)
				return
			}
			if !rxgo.Of(e).SendContext(ctx, next) {
				return
			}
		}
	}})
}

// thrown gives the error to every observer; rxgo.Thrown gives it to the first alone.
func thrown(err error) rxgo.Observable {
	return rxgo.Defer([]rxgo.Producer{func(ctx context.Context, next chan<- rxgo.Item) {
		rxgo.Error(err).SendContext(ctx, next)
	}})
}
