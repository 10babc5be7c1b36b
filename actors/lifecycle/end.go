package lifecycle

// MayGo says whether the resource can be evicted (M2). A flight keeps it, also
// one that nobody waits for: evicting under a refresh would fetch twice.
func (r *Resource[V, F]) MayGo() bool {
	return r.air == nil && !r.Pinned() && !r.closed
}

// Pinned says whether something other than a flight keeps the resource (M2): an
// observer, an erase that is not acknowledged, a mutation.
func (r *Resource[V, F]) Pinned() bool {
	return r.watch() != nil || r.erasing() != 0 || r.writes != nil
}

// Evict ends the resource to make room, where it can go. Its barrier has to
// outlive it: the driver raises the cache's floor to it (O0).
func (r *Resource[V, F]) Evict(t *Turn[V, F], why Reason) {
	if !r.MayGo() {
		return
	}
	r.closed = true
	if r.shown != nil && r.shown.Known != Nothing {
		r.publish(t, &Version[V, F]{}, Evicted, why, r.barrier, nil)
	}
	t.do(Effect[V, F]{Do: DoDie})
}

// Close ends the resource with its cache: what is in the air is cancelled and
// its futures settle with ErrClosed (C5).
func (r *Resource[V, F]) Close(t *Turn[V, F]) {
	if r.closed {
		return
	}
	r.closed = true
	r.setWatch(nil)
	r.ground(t, ErrClosed, Effect[V, F]{Do: DoSettle, Err: ErrClosed})
	r.closeWrites(t)
	t.do(Effect[V, F]{Do: DoArm, At: Never})
}
