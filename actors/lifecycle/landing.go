package lifecycle

// Arrived says that the flight with the given stamp came back with knowledge;
// an origin that says "not found" has answered too (F4). late says that the
// flight had run into its timeout.
func (r *Resource[V, F]) Arrived(t *Turn[V, F], stamp uint64, k *Knowledge[V], late bool) {
	a := r.air
	if a == nil || a.stamp != stamp {
		r.drop(t, stamp, late)
		return
	}
	if t.overtaken(k) {
		t.do(Effect[V, F]{Do: DoAgain})
		return
	}
	if stamp <= max(r.barrier, k.Cover) {
		r.arrivedVoid(t, *k)
		return
	}
	if r.stale(k) {
		t.do(Effect[V, F]{Do: DoAgain})
		return
	}
	if k.Older && k.TTL < 0 {
		lasting := *k
		k, lasting.TTL = &lasting, 0 // it says nothing of the newer value, which stays
	}
	v := r.version(t, k, stamp, a.group)
	if !r.over(t, v, 0, true) {
		return
	}
	answer := r.learn(t, k, v, ByFlight, told{})
	t.settle(a.group, answer, k.Err)
	r.landed(t)
}

// arrivedVoid handles the newest flight's response where it is below the
// barrier: it is neither kept nor persisted (O0).
func (r *Resource[V, F]) arrivedVoid(t *Turn[V, F], k Knowledge[V]) {
	a := r.air
	if a.stamp > r.barrier && a.maySupersede(t.Rules) {
		// A tag that it carries was invalidated while it flew, and demands made
		// after that joined, for nobody knew. They all get a newer flight.
		r.publish(t, r.copyBase(), Dropped, ByBarrier, a.stamp, nil)
		r.takeOver(t)
		return
	}
	// Its group was handed out before the barrier was raised: later demands
	// went to the queue. It gets the response as it came, under the mutations.
	k.Unchanged, k.Equal, k.Older = false, false, false
	v := r.version(t, &k, a.stamp, a.group)
	if !r.over(t, v, 0, true) {
		return
	}
	if r.writes != nil {
		last := &t.Replay.Results[len(t.Replay.Results)-1]
		v.Known, v.Value = last.Known, last.Value
	}
	r.publish(t, r.copyBase(), Dropped, ByBarrier, a.stamp, nil)
	t.settle(a.group, v, k.Err)
	r.landed(t)
}

// drop tells of a response that is not the newest flight's (O2).
func (r *Resource[V, F]) drop(t *Turn[V, F], stamp uint64, late bool) {
	if r.closed {
		return
	}
	reason := BySupersession
	switch {
	case late:
		reason = ByTimeout
	case stamp <= r.barrier:
		reason = ByBarrier
	}
	r.publish(t, r.copyBase(), Dropped, reason, stamp, nil)
}

// Failed says that the flight with the given stamp failed. The failure of a
// flight that is no longer the newest is nobody's business.
func (r *Resource[V, F]) Failed(t *Turn[V, F], stamp uint64, err error) {
	a := r.air
	if a == nil || a.stamp != stamp {
		return
	}
	owing := r.needsRead()
	if owing && !r.over(t, r.Base(), 1, false) {
		return
	}
	void, held := stamp <= r.barrier, r.Base()
	carried := !void && held.carriesOn(t.Now, t.Rules)
	next := r.copyBase()
	failure := &Failure[F]{Err: err, Until: t.Now}
	next.Notes = next.Notes.with(failure)
	if !void {
		failure.Until, failure.Future = t.Now.Plus(t.Rules.Failure), a.group
		if carried && t.Rules.Failure > 0 {
			// What is remembered may outlast the time in which the old value
			// carries on, and the group's future gives that value.
			failure.Future = t.mint()
			t.do(Effect[V, F]{Do: DoSettle, Future: failure.Future, Stamp: stamp, Err: err})
		}
	}
	if r.watch() != nil {
		r.watch().failures++
	}
	if !owing {
		r.publish(t, next, Failed, NoReason, stamp, err)
	} else {
		r.failFirst(t, next, stamp, err)
	}
	settle := Effect[V, F]{Do: DoSettle, Future: a.group, Stamp: stamp, Err: err}
	switch {
	case carried && a.wants.strict:
		settle.Version = r.shown
	case carried:
		settle = settled(a.group, r.shown, nil)
	}
	t.do(settle)
	r.landed(t)
}

// failFirst takes out the mutation that waited for a flight which failed, after
// that was told.
func (r *Resource[V, F]) failFirst(t *Turn[V, F], base *Version[V, F], stamp uint64, err error) {
	told := r.writes.layers[0].told
	if told {
		r.publish(t, base, Failed, NoReason, stamp, err)
	}
	first, out := r.takeFirst(t, base)
	if !told {
		r.publish(t, base, Failed, NoReason, stamp, err)
	}
	r.tellFallen(t, append([]fallen[V]{{first, err}}, out...))
	r.tellNew(t)
}
