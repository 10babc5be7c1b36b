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
	value *V   // nil: hidden, or not ready
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

// Replay is user code that a command needs: Apply of Layers, one after the
// other, over a value. The driver runs it and brings it back with the same
// command in another turn; where the resource has moved on meanwhile another
// one is asked for.
type Replay[V any] struct {
	Known   Known // what there is to start from
	Over    V
	Layers  []*Mutation[V]
	Results []Result[V] // one a layer

	edition, held uint64
	brought       bool // over what the command brings, not over the base
}

// Result is what one layer makes of what is below it.
type Result[V any] struct {
	Known Known // Nothing: there was nothing to start from
	Value V
	Err   error // of Apply: the layer is taken out
}

// Run fills Results. apply calls a mutation's Apply and survives what that does.
func (p *Replay[V]) Run(apply func(f func(V) (V, error), v V) (V, error)) {
	p.Results = make([]Result[V], 0, len(p.Layers))
	known, value := p.Known, p.Over
	for _, m := range p.Layers {
		r := Result[V]{Known: known, Value: value}
		switch {
		case m.Kind == Replace:
			r.Known, r.Value = Present, m.Value
		case m.Kind == Delete:
			var none V
			r.Known, r.Value = Absent, none
		case known == Absent:
			r.Err = ErrNotFound
		case known == Present:
			v, err := apply(m.Apply, value)
			if r.Err = err; err == nil {
				r.Value = v
			}
		}
		if r.Err == nil {
			known, value = r.Known, r.Value
		}
		p.Results = append(p.Results, r)
	}
}

// base is what the origin confirmed: what is shown, but for mutations.
func (r *Resource[V, F]) base() *Version[V, F] {
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
	if v == nil || v.Void || (v.Known == Absent && now >= v.FreshEnd) {
		return Nothing, value
	}
	return v.Known, v.Value
}

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
	w.layers = append(w.layers, l)
	w.edition = t.Number
	r.tellNew(t)
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

// replayed says whether the turn brought layers replayed over value; otherwise
// it asks for that.
func (r *Resource[V, F]) replayed(t *Turn[V, F], known Known, value V, layers []layer[V], brought bool) bool {
	if len(layers) == 0 {
		return true
	}
	edition := uint64(0)
	if r.writes != nil {
		edition = r.writes.edition
	}
	held := r.base().Held()
	p := t.Replay
	if p != nil && p.edition == edition && p.held == held && p.brought == brought && len(p.Results) == len(layers) {
		return true
	}
	p = &Replay[V]{Known: known, Over: value, edition: edition, held: held, brought: brought}
	for i := range layers {
		p.Layers = append(p.Layers, layers[i].what)
	}
	t.do(Effect[V, F]{Do: DoReplay, Replay: p})
	return false
}

// over asks for the pending layers, but for the first skip, to be replayed over
// base, which a command is about to make the base.
func (r *Resource[V, F]) over(t *Turn[V, F], base *Version[V, F], skip int, brought bool) bool {
	if r.writes == nil {
		return true
	}
	var (
		known Known
		value V
	)
	if base != nil {
		known, value = base.Known, base.Value
	}
	return r.replayed(t, known, value, r.writes.layers[skip:], brought)
}

// fallen is a layer that a replay took out.
type fallen[V any] struct {
	layer[V]
	err error
}

// rebase gives the layers what over brought. A layer whose Apply failed falls
// out, but for one whose commit is in the air: that one shows nothing. Over a
// void base nothing fails, and what did not show yet goes on waiting.
func (r *Resource[V, F]) rebase(t *Turn[V, F], base *Version[V, F]) (out []fallen[V]) {
	w := r.writes
	if w == nil || len(w.layers) == 0 {
		return nil
	}
	kept := make([]layer[V], 0, len(w.layers))
	stands := !base.Void
	for i, l := range w.layers {
		result := t.Replay.Results[i]
		stands = stands || l.stands()
		switch {
		case !stands && (result.Err != nil || !l.told):
			l.ready, l.value = false, nil
		case result.Err != nil && (i > 0 || w.commit == 0):
			out = append(out, fallen[V]{l, result.Err})
			continue
		default:
			l.take(result)
		}
		kept = append(kept, l)
	}
	w.layers, w.edition = kept, t.Number
	return out
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
		if l := &w.layers[i]; l.ready && !l.told {
			l.told = true
			r.publish(t, w.base, Optimistic, NoReason, l.stamp, nil)
		}
	}
}

// forgetBelow makes the layers that stood on the base wait for another one.
func (r *Resource[V, F]) forgetBelow(t *Turn[V, F]) {
	if w := r.writes; w != nil {
		w.edition = t.Number
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
		if w.stand(i) {
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
		t.do(settled(next.Future, &next, nil))
	}
	if len(w.layers) == 0 {
		r.writes = nil // what is shown is the base again
	}
	return &next
}

// stand says whether the value of layer i does not depend on the base.
func (w *writes[V, F]) stand(i int) bool {
	for ; i >= 0; i-- {
		if w.layers[i].stands() {
			return true
		}
	}
	return false
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
			r.takeOff(t, queue[F]{future: t.Mint()})
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
	var before V
	if first.value != nil {
		before = *first.value
	}
	t.do(Effect[V, F]{Do: DoCommit, Stamp: w.commit, Mutation: first.what, Value: before})
}

// mayCommit says whether the first layer has what its commit needs.
func (r *Resource[V, F]) mayCommit() bool {
	w := r.writes
	if w == nil || len(w.layers) == 0 || r.unsure || !w.layers[0].ready {
		return false
	}
	return w.layers[0].stands() || (w.base.Known != Nothing && !w.base.Void)
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
