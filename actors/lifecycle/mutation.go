package lifecycle

// MutationKind says how a mutation makes the value that is shown.
type MutationKind uint8

const (
	// Alter makes it from the value before it, with Apply.
	Alter MutationKind = iota
	// Replace shows Value, whatever was before.
	Replace
	// Delete hides the value.
	Delete
)

// Mutation is a write that the origin has not confirmed. Immutable.
type Mutation[V any] struct {
	Kind  MutationKind
	Value V                  // Replace
	Apply func(V) (V, error) // Alter; user code, which no command calls
	Owner any                // the driver's own
}

// layer is a mutation over the confirmed base (W1).
type layer[V any] struct {
	what  *Mutation[V]
	stamp uint64 // names it in its events
	// ready says that value is what the resource shows with this layer on top.
	// It is not where Apply had nothing to start from yet: then it is read
	// first.
	ready bool
	told  bool // it was told as Optimistic
	// firm says that the value does not depend on the base: the layer, or one
	// below it, stands.
	firm  bool
	value *V // nil: hidden, or not ready
}

// stands says that the layer's value does not depend on what is below it.
func (l *layer[V]) stands() bool { return l.what.Kind != Alter }

// writes exists exactly while mutations are pending: the base that the origin
// confirmed, and the layers over it, the oldest first.
type writes[V any, F any] struct {
	base   *Version[V, F]
	layers []layer[V]
	// commit is the stamp of the commit in the air, which is that of the first
	// layer; 0: none.
	commit uint64
	// edition changes with the layers: what a Replay was asked for.
	edition uint64
}

// Base is what the origin confirmed: what is shown, but for mutations. It is
// what knowledge is compared with (Knowledge.Against).
func (r *Resource[V, F]) Base() *Version[V, F] {
	if r.writes != nil {
		return r.writes.base
	}
	return r.shown
}

// committing says that a commit is in the air.
func (r *Resource[V, F]) committing() bool { return r.writes != nil && r.writes.commit != 0 }

// top is what a mutation on top of all others starts from.
func (r *Resource[V, F]) top(now Instant) (known Known, value V) {
	if w := r.writes; w != nil {
		l := &w.layers[len(w.layers)-1]
		switch {
		case !l.ready:
			return Nothing, value
		case l.value == nil:
			return Absent, value
		}
		return Present, *l.value
	}
	return r.shown.start(now)
}

// start is what mutations can start from where v is the base: void knowledge
// is none, nor is an absence that is no longer remembered (W1).
func (v *Version[V, F]) start(now Instant) (known Known, value V) {
	if v == nil || v.Void || v.forgotten(now) {
		return Nothing, value
	}
	return v.Known, v.Value
}

// forgotten says that v is an absence that is no longer remembered (F4).
func (v *Version[V, F]) forgotten(now Instant) bool { return v.Known == Absent && now >= v.FreshEnd }

// Mutate adds a mutation (W2). It shows at once where there is something to
// start from; otherwise the resource is read first.
func (r *Resource[V, F]) Mutate(t *Turn[V, F], m *Mutation[V]) {
	if r.closed {
		t.do(Effect[V, F]{Do: DoFinish, Mutation: m, Err: ErrClosed})
		return
	}
	l := layer[V]{what: m, stamp: t.stamp()}
	known, value := r.top(t.Now)
	switch {
	case m.Kind == Replace:
		l.take(Result[V]{Known: Present, Value: m.Value})
	case m.Kind == Delete:
		l.take(Result[V]{Known: Absent})
	case known != Nothing:
		if !r.replayed(t, known, value, []layer[V]{l}, false) {
			return
		}
		result := t.Replay.Results[0]
		if result.Err != nil {
			t.do(Effect[V, F]{Do: DoFinish, Mutation: m, Err: result.Err})
			return
		}
		l.take(result)
	}
	if r.writes == nil {
		r.writes = &writes[V, F]{base: r.shown}
		if r.shown == nil {
			r.writes.base = &Version[V, F]{}
		}
	}
	w := r.writes
	n := len(w.layers)
	l.firm = l.stands() || (n > 0 && w.layers[n-1].firm)
	w.layers, w.edition = append(w.layers, l), t.number()
	if l.ready {
		r.tell(t, n)
	}
	r.advance(t)
	r.arm(t)
}

// take makes result the layer's.
func (l *layer[V]) take(result Result[V]) {
	l.ready, l.value = result.Known != Nothing, nil
	if result.Known == Present {
		l.value = &result.Value
	}
}

// tellFallen tells of the layers that a replay took out.
func (r *Resource[V, F]) tellFallen(t *Turn[V, F], out []fallen[V]) {
	for _, f := range out {
		if f.told {
			r.publish(t, r.copyBase(), RolledBack, NoReason, f.stamp, f.err)
		}
		t.do(Effect[V, F]{Do: DoFinish, Mutation: f.what, Err: f.err})
	}
}

// tellNew shows the layers that became ready.
func (r *Resource[V, F]) tellNew(t *Turn[V, F]) {
	w := r.writes
	if w == nil {
		return
	}
	for i := range w.layers {
		if w.layers[i].ready && !w.layers[i].told {
			r.tell(t, i)
		}
	}
}

// tell shows layer i.
func (r *Resource[V, F]) tell(t *Turn[V, F], i int) {
	l := &r.writes.layers[i]
	l.told = true
	r.publish(t, r.writes.base, Optimistic, NoReason, l.stamp, nil)
}

// forgetBelow makes the layers that stood on the base wait for another one.
func (r *Resource[V, F]) forgetBelow(t *Turn[V, F]) {
	if w := r.writes; w != nil {
		w.edition = t.number()
		for i := range w.layers {
			l := &w.layers[i]
			if l.stands() {
				return
			}
			l.ready, l.value = false, nil
		}
	}
}

// layered is base with the layers over it: what is shown. A future that was
// settled with the base alone would tell of another value.
func (r *Resource[V, F]) layered(t *Turn[V, F], base *Version[V, F]) *Version[V, F] {
	w := r.writes
	w.base = base
	next := *base
	next.Notes = base.Notes.over(base, len(w.layers))
	for i := len(w.layers) - 1; i >= 0; i-- {
		l := &w.layers[i]
		if !l.ready || !l.told {
			continue
		}
		next.Known = Absent
		var none V
		next.Value = none
		if l.value != nil {
			next.Known, next.Value = Present, *l.value
		}
		if l.firm {
			// It depends on no knowledge, and stays until its commit lands.
			next.Void, next.FreshEnd, next.HitEnd = false, Never, Never
			if base.Known == Nothing {
				next.Seq, next.At = l.stamp, t.Now
			}
		}
		break
	}
	if next.Known != Nothing {
		next.Future = t.settling(next.Known)
		t.settle(next.Future, &next, nil)
	}
	if len(w.layers) == 0 {
		r.writes = nil // what is shown is the base again
	}
	return &next
}

// advance lets the first layer's commit take off, if nothing is in its way, or
// the read that has to come before (W2, W3, W4).
func (r *Resource[V, F]) advance(t *Turn[V, F]) {
	w := r.writes
	if w == nil || w.commit != 0 || len(w.layers) == 0 || r.closed {
		return
	}
	if !r.mayCommit() {
		if r.air == nil {
			r.takeOff(t, queue[F]{future: t.mint()})
		}
		return
	}
	if a := r.air; a != nil {
		if a.owed {
			return // it flies between two commits: writes must not starve reads
		}
		r.hold(t)
	}
	first := &w.layers[0]
	w.commit = t.stamp()
	t.do(Effect[V, F]{Do: DoCommit, Stamp: w.commit, Mutation: first.what, Value: first.value})
}

// mayCommit says whether the first layer has what its commit needs.
func (r *Resource[V, F]) mayCommit() bool {
	w := r.writes
	if w == nil || len(w.layers) == 0 || r.unsure || !w.layers[0].ready {
		return false
	}
	return w.layers[0].stands() || (w.base.Known != Nothing && !w.base.Void)
}

// needsRead says that a mutation waits for a read.
func (r *Resource[V, F]) needsRead() bool {
	return r.writes != nil && !r.committing() && !r.mayCommit()
}

// hold keeps what is in the air on the ground while a commit flies: what it
// would bring overlaps the commit (W4). It flies after, if anybody waits.
func (r *Resource[V, F]) hold(t *Turn[V, F]) {
	a := r.air
	if !t.Waiting {
		r.ground(t, ErrSuperseded, Effect[V, F]{Do: DoSettle, Err: ErrSuperseded})
		return
	}
	t.do(Effect[V, F]{Do: DoCancel, Stamp: a.stamp, Err: ErrSuperseded})
	a.held, a.looking, a.stamp = true, false, 0
}
