package lifecycle

// Invalidate raises the barrier to the given number, 0 for a fresh one (O6),
// and erases the second tier's record.
func (r *Resource[V, F]) Invalidate(t *Turn[V, F], barrier uint64) {
	if barrier == 0 {
		barrier = t.barrier()
	}
	if r.closed || barrier <= r.barrier {
		return
	}
	r.erase(t, barrier)
	r.Void(t, barrier)
}

// Void is Invalidate where the caller sees to the second tier, for many keys
// at once. What is shown stays for comparison and conditional requests, and
// answers nobody.
func (r *Resource[V, F]) Void(t *Turn[V, F], barrier uint64) {
	if r.closed || barrier <= r.barrier {
		return
	}
	r.barrier = barrier
	if b := r.Base(); b != nil && b.Seq <= barrier && b.admissible(t.Now) {
		next := *b
		next.Void, next.HitEnd = true, 0
		next.Notes = b.Notes.withoutFailure()
		r.publish(t, &next, Invalidated, NoReason, barrier, nil)
	}
	r.flyAgain(t)
}

// admissible says whether anything about v may still answer a demand: the
// knowledge, or a failure that is remembered.
func (v *Version[V, F]) admissible(now Instant) bool {
	failure := v.Failure()
	return (v.Known != Nothing && !v.Void) || (failure != nil && now < failure.Until)
}

func (n *Notes[V, F]) withoutFailure() *Notes[V, F] {
	if n == nil || n.Failure == nil {
		return n
	}
	return n.with(nil)
}

// with is n with that failure.
func (n *Notes[V, F]) with(failure *Failure[F]) *Notes[V, F] {
	next := Notes[V, F]{Failure: failure}
	if n != nil {
		next.Validator, next.Tags, next.Passing = n.Validator, n.Tags, n.Passing
	}
	return &next
}

// flyAgain sees to those who wait for a flight that the barrier overtook, and
// to observers.
func (r *Resource[V, F]) flyAgain(t *Turn[V, F]) {
	a := r.air
	if a != nil && !a.admits(r.barrier) {
		switch {
		case !t.Waiting && r.watch() == nil:
			r.ground(t, ErrSuperseded, Effect[V, F]{Do: DoSettle, Err: ErrSuperseded})
		case a.maySupersede(t.Rules):
			r.supersede(t)
		case r.watch() != nil:
			r.enqueue(t, 0)
		}
	}
	if r.watch() != nil && r.air == nil {
		r.takeOff(t, queue[F]{future: t.mint()})
	}
	r.advance(t)
	r.arm(t)
}

// Expire ends freshness now (O6): F6 and F7 count from now.
func (r *Resource[V, F]) Expire(t *Turn[V, F]) {
	b := r.Base()
	if r.closed || b == nil || b.Known == Nothing || b.Void || t.Now >= b.FreshEnd {
		return
	}
	next := *b
	next.FreshEnd, next.HitEnd = t.Now, t.Now
	r.publish(t, &next, Expired, NoReason, b.Seq, nil)
	if r.watch() != nil {
		r.watch().told = t.Now
		if r.air == nil {
			r.takeOff(t, queue[F]{future: t.mint()})
		}
	}
	r.arm(t)
}

// Set is a value learned elsewhere (O7): it raises the barrier and is the
// value; flights are dropped and their futures settle with it.
func (r *Resource[V, F]) Set(t *Turn[V, F], k Knowledge[V]) {
	switch {
	case r.closed:
		t.do(Effect[V, F]{Do: DoAnswer, Err: ErrClosed})
		return
	case r.stale(&k) || t.overtaken(&k):
		t.do(Effect[V, F]{Do: DoAgain})
		return
	case k.Older:
		r.publish(t, r.copyBase(), Dropped, ByNewer, t.stamp(), nil)
		return
	}
	barrier, stamp := t.barrier(), t.stamp()
	if r.writes != nil {
		barrier, stamp = t.between() // a commit may take off
	}
	if k.Tags == nil && k.Known == Present {
		k.Tags = r.Base().Tags() // it is another value, not of something else
	}
	r.adopt(t, &k, barrier, stamp, BySet, told{})
}

// adopt makes k, which no flight brought, the base at once: everybody who waits
// gets it. It says false where user code has to run first.
func (r *Resource[V, F]) adopt(t *Turn[V, F], k *Knowledge[V], barrier, stamp uint64, from Reason, as told) bool {
	var future F
	switch {
	case r.air != nil:
		future = r.air.group
	case r.writes == nil: // else not before user code has run
		future = t.settling(k.Known)
	}
	v := r.version(t, k, stamp, future)
	if !r.over(t, v, 0, true) {
		return false
	}
	if r.air == nil {
		if r.writes != nil {
			v.Future = t.settling(k.Known)
		}
		t.settle(v.Future, v, k.Err)
	}
	r.barrier = barrier
	answer := r.learn(t, k, v, from, as)
	if r.air != nil {
		r.ground(t, ErrSuperseded, settled(v.Future, answer, k.Err))
	}
	r.advance(t)
	return true
}

// Remove is Invalidate that also forgets (O10).
func (r *Resource[V, F]) Remove(t *Turn[V, F]) {
	if r.closed {
		return
	}
	r.barrier = t.barrier()
	r.erase(t, r.barrier)
	r.forgetBelow(t)
	if b := r.Base(); b != nil && (b.Known != Nothing || b.Notes != nil) {
		r.publish(t, &Version[V, F]{}, Evicted, ByRemoval, r.barrier, nil)
	}
	r.flyAgain(t)
}
