package actors

import (
	"sync/atomic"
	"time"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// Retention is how long a value is kept, at least, after it became useless to
// plain demands: its validator and the value itself still serve a conditional
// request, MaxAge and Peek. After that, and a TTL, it is evicted by age.
const Retention = time.Hour

const (
	sweepEvery = 10 * time.Minute
	sweepPause = 10 * time.Millisecond
	sweepStep  = 512
)

// sweeper evicts what is useless and old, a few resources at a time, so that a
// cache without bounds does not keep every key it was ever asked for.
type sweeper[V any] struct {
	table *Table[V]
	awake atomic.Bool
	timer deadline
}

// wanted starts the sweeping, where it rests because nothing ages.
func (s *sweeper[V]) wanted() {
	if !s.awake.Load() && s.awake.CompareAndSwap(false, true) {
		s.timer.owner = s
		s.table.deadlines.set(&s.timer, s.table.clock.Now().Plus(sweepEvery))
	}
}

func (s *sweeper[V]) due() {
	t := s.table
	cells, done := t.policy.nextToAge(sweepStep)
	now := t.clock.Now()
	for _, c := range cells {
		if !c.rank.pinned() && t.aged(c.shown.Load(), now) {
			c.send(&message[V]{op: opEvict, reason: lifecycle.ByAge})
		}
	}
	switch {
	case !done:
		t.deadlines.set(&s.timer, now.Plus(sweepPause))
	case t.policy.entries.Load() > 0:
		t.deadlines.set(&s.timer, now.Plus(sweepEvery))
	default:
		s.awake.Store(false)
		if t.policy.entries.Load() > 0 {
			s.wanted() // something came in between
		}
	}
}

// aged says whether v is useless and has been for long.
func (t *Table[V]) aged(v *lifecycle.Version[V, *Future[V]], now lifecycle.Instant) bool {
	if v == nil {
		return true // nothing was ever known; a flight would keep it
	}
	useless := t.uselessAfter(v)
	if v.Void {
		useless = v.At // it has been since its invalidation, which is not noted
	}
	if failure := v.Failure(); failure != nil {
		useless = max(useless, failure.Until)
	}
	return now > useless.Plus(Retention)
}

// uselessAfter is when v stops to answer plain demands, and a TTL later.
func (t *Table[V]) uselessAfter(v *lifecycle.Version[V, *Future[V]]) lifecycle.Instant {
	useless := v.FreshEnd
	if v.Known == lifecycle.Present {
		useless = useless.Plus(max(t.rules.Stale, t.rules.StaleOnError))
		useless = useless.Plus(v.FreshEnd.Sub(v.At))
	}
	return useless
}
