package lifecycle

// rare is what few resources have: to the others it costs a word. Immutable.
type rare struct {
	// wrote is when the last write landed: a list that took off before may have
	// the record as it was (W4, W8). The barrier cannot say so: what the write
	// brought took off earlier itself.
	wrote   uint64
	erasing uint64 // the erase that the second tier has yet to acknowledge; 0: none
	watch   *watch // nil: nobody observes
}

func (r *Resource[V, F]) rarely() rare {
	if r.rare == nil {
		return rare{}
	}
	return *r.rare
}

func (r *Resource[V, F]) setRare(next rare) {
	r.rare = nil
	if next != (rare{}) {
		r.rare = new(rare)
		*r.rare = next
	}
}

func (r *Resource[V, F]) wrote() uint64   { return r.rarely().wrote }
func (r *Resource[V, F]) erasing() uint64 { return r.rarely().erasing }
func (r *Resource[V, F]) watch() *watch   { return r.rarely().watch }

func (r *Resource[V, F]) setWrote(at uint64) {
	next := r.rarely()
	next.wrote = at
	r.setRare(next)
}

func (r *Resource[V, F]) setErasing(erase uint64) {
	next := r.rarely()
	next.erasing = erase
	r.setRare(next)
}

func (r *Resource[V, F]) setWatch(w *watch) {
	next := r.rarely()
	next.watch = w
	r.setRare(next)
}
