package lifecycle

// mayLookUp says whether the second tier is worth asking: nothing is known, and
// what it holds is not about to be erased (D1, D4).
func (r *Resource[V, F]) mayLookUp(t *Turn[V, F]) bool {
	return t.Rules.Store && r.erasing() == 0 && (r.Base() == nil || r.Base().Known == Nothing)
}

// erase takes the second tier's record out. Until Stored acknowledges the
// newest erase the second tier is not asked (D4).
func (r *Resource[V, F]) erase(t *Turn[V, F], number uint64) {
	if t.Rules.Store {
		r.setErasing(number)
		t.do(Effect[V, F]{Do: DoErase, Stamp: number})
	}
}

// Stored says that the second tier has acknowledged the erase with that number,
// or a record that was read after it.
func (r *Resource[V, F]) Stored(erase uint64) {
	if e := r.erasing(); e != 0 && e <= erase {
		r.setErasing(0)
	}
}

// Looked says what the second tier had for the look-up with the given stamp;
// found is false where it had nothing, failed, or did not answer in time: then
// the origin is asked as if there were no second tier (D2). What it had keeps
// its age, and is shown even where it is too old to answer, for the origin to
// confirm (D1).
func (r *Resource[V, F]) Looked(t *Turn[V, F], stamp uint64, k Knowledge[V], found bool) {
	a := r.air
	if a == nil || a.stamp != stamp || !a.looking {
		return
	}
	if found && t.overtaken(&k) {
		t.do(Effect[V, F]{Do: DoAgain})
		return
	}
	if !found || stamp <= max(r.barrier, k.Cover) {
		r.flyOn(t)
		return
	}
	v := r.version(t, &k, stamp, a.group)
	verdict := v.Admit(t.Now, t.Rules, &Demand[F]{})
	if a.wants.strict && v.Admit(t.Now, t.Rules, &Demand[F]{Kind: MaxAge, MaxAge: a.wants.young}) != Serve {
		verdict = Refuse // one future answers all of the group, the pickiest too
	}
	if !r.over(t, v, 0, true) {
		return
	}
	if verdict == Refuse {
		v.Future = t.settling(v.Known)
		t.settle(v.Future, v, nil)
		r.learn(t, &k, v, ByStore, told{})
		r.flyOn(t)
		return
	}
	answer := r.learn(t, &k, v, ByStore, told{})
	t.settle(a.group, answer, nil)
	r.landed(t)
	if verdict == ServeAndRefresh && r.air == nil {
		r.takeOff(t, queue[F]{future: t.mint()})
	}
}
