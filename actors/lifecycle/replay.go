package lifecycle

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
	held := r.Base().Held()
	p := t.Replay
	if p != nil && p.edition == edition && p.Known == known && p.held == held && p.brought == brought && len(p.Results) == len(layers) {
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
	if base != nil && (brought || !base.forgotten(t.Now)) {
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
	firm := false
	for i, l := range w.layers {
		result := t.Replay.Results[i]
		firm = firm || l.stands()
		l.firm = firm
		committing := i == 0 && w.commit != 0
		switch {
		case result.Err != nil && committing:
			l.take(result)
		case base.Void && !firm && (result.Err != nil || !l.told):
			l.ready, l.value = false, nil
		case result.Err != nil:
			out = append(out, fallen[V]{l, result.Err})
			continue
		default:
			l.take(result)
		}
		kept = append(kept, l)
	}
	w.layers, w.edition = kept, t.number()
	return out
}
