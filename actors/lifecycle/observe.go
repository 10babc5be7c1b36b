package lifecycle

import "time"

// An observed resource whose flight failed is tried again after a while that
// doubles from the first to the second.
const (
	firstRetry = time.Second
	lastRetry  = time.Minute
)

// watch exists exactly while somebody observes the resource (S11).
type watch struct {
	refresh  []time.Duration // one an observer; 0: at the end of the TTL only
	failures int             // flights in a row that brought no value
	told     Instant         // the FreshEnd whose passing was told
	armed    Instant         // what DoArm last asked for
	landed   Instant         // when the last flight landed
}

// Observe adds an observer: the resource is fetched if nothing fresh is known
// and kept so until the last observer leaves. refresh, where positive, is the
// age at which this observer wants it fetched again though it is fresh.
func (r *Resource[V, F]) Observe(t *Turn[V, F], refresh time.Duration) {
	if r.closed {
		t.do(Effect[V, F]{Do: DoAnswer, Err: ErrClosed})
		return
	}
	if r.watch() == nil {
		r.setWatch(&watch{armed: Never, told: Never})
		if s := r.shown; s != nil && s.FreshEnd <= t.Now {
			r.watch().told = s.FreshEnd // it ended while nobody observed
		}
	}
	r.watch().refresh = append(r.watch().refresh, refresh)
	d := Demand[F]{}
	if r.air == nil && r.shown.Admit(t.Now, t.Rules, &d) != Serve {
		r.takeOff(t, queue[F]{future: t.mint()})
	}
	r.arm(t)
}

// Unobserve takes an observer with that refresh away.
func (r *Resource[V, F]) Unobserve(t *Turn[V, F], refresh time.Duration) {
	if r.watch() == nil {
		return
	}
	for i, have := range r.watch().refresh {
		if have == refresh {
			r.watch().refresh = append(r.watch().refresh[:i], r.watch().refresh[i+1:]...)
			break
		}
	}
	if len(r.watch().refresh) == 0 {
		// Also where nothing is armed: after Due the driver still has what it kept for it.
		t.do(Effect[V, F]{Do: DoArm, At: Never})
		r.setWatch(nil)
		return
	}
	r.arm(t)
}

// Due says that the instant which was asked for with DoArm has come.
func (r *Resource[V, F]) Due(t *Turn[V, F]) {
	w := r.watch()
	if w == nil || r.closed {
		return
	}
	if w.armed > t.Now {
		return
	}
	w.armed = Never
	if s := r.shown; s != nil && s.Known != Nothing && !s.Void && s.FreshEnd <= t.Now && w.told != s.FreshEnd {
		w.told = s.FreshEnd
		r.publish(t, r.copyBase(), Expired, NoReason, s.Seq, nil)
	}
	if r.air == nil && r.nextTry() <= t.Now {
		r.takeOff(t, queue[F]{future: t.mint()})
	}
	r.arm(t)
}

// nextTry is when an observed resource wants its next flight.
func (r *Resource[V, F]) nextTry() Instant {
	w, s := r.watch(), r.shown
	retry := w.landed.Plus(min(firstRetry<<min(max(w.failures-1, 0), 16), lastRetry))
	switch failing := w.failures > 0; {
	case s == nil, s.Known == Nothing, failing && (s.Known != Absent || s.Void):
		return retry
	case s.Void:
		return w.landed
	case failing && s.Failure() != nil:
		return max(retry, min(s.FreshEnd, w.refreshOf(s.At)))
	}
	next := s.FreshEnd
	if w.failures > 0 {
		next = max(retry, next) // an absence is asked for less and less often
	}
	next = min(next, w.refreshOf(s.At))
	if next <= w.landed {
		// It was too old when it came (Response.Age), and would be so again.
		next = w.landed.Plus(firstRetry)
	}
	return next
}

// refreshOf is when the most eager observer wants what is from at fetched again.
func (w *watch) refreshOf(at Instant) Instant {
	next := Never
	for _, refresh := range w.refresh {
		if refresh > 0 {
			next = min(next, at.Plus(refresh))
		}
	}
	return next
}

// arm asks for Due at the next instant at which an observed resource has
// something to do.
func (r *Resource[V, F]) arm(t *Turn[V, F]) {
	w := r.watch()
	if w == nil {
		return
	}
	at := Never
	if r.air == nil {
		at = r.nextTry()
	}
	if s := r.shown; s != nil && s.Known != Nothing && !s.Void && w.told != s.FreshEnd {
		at = min(at, s.FreshEnd)
	}
	if at != w.armed {
		w.armed = at
		t.do(Effect[V, F]{Do: DoArm, At: at})
	}
}
