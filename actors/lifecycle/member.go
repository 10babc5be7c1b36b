package lifecycle

// Seeded says that a list which took off with the given stamp had the record in
// it: k (W8). It is usable where it is above the barrier and later than what is
// held, unless a commit is pending that it may overlap. An older flight is
// answered by it as by one that took over (O2), and so is a look-up: what the
// second tier has is older than any list. A later flight goes on.
func (r *Resource[V, F]) Seeded(t *Turn[V, F], stamp uint64, k Knowledge[V]) {
	held, a := r.Base(), r.air
	switch {
	case r.closed, r.writes != nil, stamp <= max(r.barrier, r.wrote()):
		return
	case held != nil && held.Known != Nothing && held.Seq >= stamp:
		return
	case r.stale(&k):
		t.do(Effect[V, F]{Do: DoAgain})
		return
	}
	k.Tags = held.Tags()
	if a == nil || (a.stamp > stamp && !a.looking) {
		v := r.version(t, &k, stamp, t.settling(k.Known))
		t.settle(v.Future, v, nil)
		r.learn(t, &k, v, ByList, told{})
		return
	}
	t.do(Effect[V, F]{Do: DoCancel, Stamp: a.stamp, Err: ErrSuperseded})
	v := r.version(t, &k, stamp, a.group)
	t.settle(a.group, r.learn(t, &k, v, ByList, told{}), nil)
	r.landed(t)
}

// Amend changes what is held because of a write beside it: a list whose
// membership changed. It is as fresh as it was; what took off before is void,
// for it may not have seen the write.
func (r *Resource[V, F]) Amend(t *Turn[V, F], k Knowledge[V]) {
	if r.closed {
		return
	}
	if r.stale(&k) {
		t.do(Effect[V, F]{Do: DoAgain})
		return
	}
	held := r.Base()
	if held.Held() == 0 || held.Void {
		r.Invalidate(t, 0)
		return
	}
	barrier, stamp := t.between()
	if k.Equal {
		r.barrier = barrier
		r.flyAgain(t)
		return
	}
	next := *held
	next.Value, next.Seq = k.Value, stamp
	if !r.over(t, &next, 0, true) {
		return
	}
	r.barrier = barrier
	r.erase(t, barrier) // what the second tier has may not have seen the write
	next.Future = t.settling(next.Known)
	t.settle(next.Future, &next, nil)
	out := r.rebase(t, &next)
	r.publish(t, &next, Updated, ByMember, next.Seq, nil)
	r.tellFallen(t, out)
	r.tellNew(t)
	if r.air == nil {
		r.arm(t) // what is held has the write in it: an observer needs no other
		return
	}
	r.flyAgain(t)
}
