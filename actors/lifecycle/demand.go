package lifecycle

import "time"

// DemandKind says what answers a demand.
type DemandKind uint8

const (
	// Plain takes what is fresh, or stale within F6.
	Plain DemandKind = iota
	// MaxAge takes what is younger than Demand.MaxAge, fresh or not (F10).
	MaxAge
	// ForceReload takes only what takes off after it (O3).
	ForceReload
)

// Demand asks for the resource.
type Demand[F any] struct {
	Kind    DemandKind
	MaxAge  time.Duration
	Timeout time.Duration // of a flight that this demand starts; 0: the cache's
	// Uncertain is the newest barrier of any tag of the cache. A flight below
	// it may turn out to carry a tag that was invalidated before this demand
	// began. While the flight can still be taken over that is mended when it
	// lands; under the storm guard this demand must not join it.
	Uncertain uint64
}

// Demand answers a demand with the first that applies (F0): what is shown,
// the flight in the air, the queued follow-up, a new flight.
func (r *Resource[V, F]) Demand(t *Turn[V, F], d Demand[F]) {
	if r.closed {
		t.do(Effect[V, F]{Do: DoAnswer, Err: ErrClosed})
		return
	}
	switch r.shown.Admit(t.Now, t.Rules, &d) {
	case Serve:
		t.do(Effect[V, F]{Do: DoAnswer, Future: r.shown.Future, Version: r.shown})
	case ServeAndRefresh:
		t.do(Effect[V, F]{Do: DoAnswer, Future: r.shown.Future, Version: r.shown})
		if r.air == nil {
			r.takeOff(t, queue[F]{future: t.mint(), timeout: d.Timeout})
		}
	case ServeFailure:
		t.do(Effect[V, F]{Do: DoAnswer, Future: r.shown.Failure().Future})
	case Refuse:
		future := r.board(t, &d)
		t.next(DoAnswer).Future = future
	}
}

// board finds or starts the flight that will answer d. Its barrier decides.
func (r *Resource[V, F]) board(t *Turn[V, F], d *Demand[F]) F {
	a := r.air
	if a == nil {
		q := queue[F]{future: t.mint(), timeout: d.Timeout}
		q.wants.add(d.Kind, d.MaxAge)
		r.takeOff(t, q)
		return r.air.group
	}
	guarded := !a.maySupersede(t.Rules)
	barrier := r.barrier
	switch {
	case d.Kind == ForceReload:
		barrier = t.barrier()
	case guarded:
		barrier = max(barrier, d.Uncertain)
	}
	switch {
	case a.admits(barrier):
		a.wants.add(d.Kind, d.MaxAge)
		return a.group
	case guarded:
		q := r.enqueue(t, d.Timeout)
		q.wants.add(d.Kind, d.MaxAge)
		return q.future
	default:
		a.wants.add(d.Kind, d.MaxAge)
		a.timeout = d.Timeout
		r.supersede(t)
		return a.group
	}
}

// Leave says that nobody waits for future any more (Turn.Waiting speaks of
// this future alone). With AbortAbandoned, and unobserved, what nobody waits
// for ends (C3), but for a flight that a mutation needs.
func (r *Resource[V, F]) Leave(t *Turn[V, F], future F) {
	a := r.air
	if a == nil || t.Waiting || !t.Rules.AbortAbandoned || r.watch() != nil {
		return
	}
	switch {
	case same(future, a.group) && r.needsRead():
	case same(future, a.group):
		if !a.held {
			t.do(Effect[V, F]{Do: DoCancel, Stamp: a.stamp, Err: ErrAbandoned})
		}
		t.do(Effect[V, F]{Do: DoSettle, Future: a.group, Err: ErrAbandoned})
		r.landed(t)
	case a.queue != nil && same(future, a.queue.future):
		t.do(Effect[V, F]{Do: DoSettle, Future: future, Err: ErrAbandoned})
		a.queue = nil
	}
}

// same compares two handles. F is not constrained to comparable types because
// the compiler (1.26) cannot check that where F's own type refers to Resource.
func same[F any](a, b F) bool { return any(a) == any(b) }
