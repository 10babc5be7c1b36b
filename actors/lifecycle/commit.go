package lifecycle

// Committed says that the origin applied the mutation whose commit has the given
// stamp; k is the record as the origin has it now. That is the base, unless a
// Set or an Invalidate, also of a tag that it carries, came while the commit
// flew: a value that was set stays, and what was invalidated is read by the next
// demand (W3).
func (r *Resource[V, F]) Committed(t *Turn[V, F], stamp uint64, k Knowledge[V]) {
	if !r.lands(stamp) {
		return
	}
	if r.stale(&k) || t.overtaken(&k) {
		t.do(Effect[V, F]{Do: DoAgain})
		return
	}
	if k.Older && k.TTL < 0 {
		k.TTL = 0 // as in Arrived
	}
	held, kept := r.Base(), stamp > r.barrier
	covered := kept && stamp <= k.Cover // a tag that it carries was invalidated meanwhile
	if k.Tags == nil {
		k.Tags = held.Tags() // a write changes the record, not what it belongs to
	}
	base, brought := r.copyBase(), true
	vague := kept && !covered && k.Older // it says less than what is held (O9)
	switch {
	case vague:
		// The origin has applied it, and nobody knows what it has now: it is read.
		brought, base.Void, base.HitEnd, base.Notes = false, true, 0, base.Notes.withoutFailure()
	case kept && !covered:
		base = r.version(t, &k, stamp, held.Future)
	case covered || held.Void && held.Known != Nothing && held.Seq < stamp:
		// It answers nobody, and is nearer to the truth than what was held.
		base = r.version(t, &k, stamp, held.Future)
		base.Void, base.HitEnd = true, 0
	default:
		brought = false
	}
	if !r.over(t, base, 1, brought) {
		return
	}
	r.setWrote(t.barrier())
	switch {
	case vague:
		r.barrier = t.barrier()
		r.erase(t, r.barrier)
	case covered:
		r.barrier = k.Cover
		r.erase(t, k.Cover)
	case kept:
		r.barrier = stamp - 1
		r.unsure = false
		r.keep(t, base, true)
	}
	first, out := r.takeFirst(t, base)
	kind := Committed
	if first.what.Kind == Delete {
		kind = Deleted
	}
	r.publish(t, base, kind, NoReason, first.stamp, nil)
	answer := k.Value
	t.do(Effect[V, F]{Do: DoFinish, Mutation: first.what, Value: &answer})
	r.afterCommit(t, out)
}

// Refusal is what the failure of a commit says of the origin. Who brings the failure
// finds out: to look into it is to run user code.
type Refusal uint8

// The refusals.
const (
	Refused Refusal = iota // it has not applied it
	Unclear                // it may have applied it
	NoSuch                 // it has not: it has no such record
)

// Rejected says that the mutation whose commit has the given stamp failed. It
// alone is taken out. Where that is Unclear what is held is void, and read before
// the next commit flies (W3). An origin that says "not found" has said what
// there is.
func (r *Resource[V, F]) Rejected(t *Turn[V, F], stamp uint64, err error, what Refusal) {
	if !r.lands(stamp) {
		return
	}
	base, reason := r.copyBase(), NoReason
	unknown, gone := what == Unclear, what == NoSuch && stamp > r.barrier
	switch {
	case unknown:
		reason = ByUnknown
		base.Void, base.HitEnd, base.Notes = true, 0, base.Notes.withoutFailure()
	case gone:
		base = r.version(t, &Knowledge[V]{Known: Absent}, stamp, base.Future)
	}
	if !r.over(t, base, 1, gone) {
		return
	}
	switch {
	case unknown:
		r.barrier = t.barrier()
		r.unsure = true
		r.erase(t, r.barrier)
	case gone:
		r.barrier = stamp - 1
		r.setWrote(t.barrier())
		r.keep(t, base, true)
	}
	first, out := r.takeFirst(t, base)
	r.publish(t, base, RolledBack, reason, first.stamp, err)
	t.do(Effect[V, F]{Do: DoFinish, Mutation: first.what, Err: err, Unknown: unknown})
	r.afterCommit(t, out)
}

// lands says whether the commit with that stamp is still waited for.
func (r *Resource[V, F]) lands(stamp uint64) bool {
	return r.writes != nil && r.writes.commit == stamp && stamp != 0
}

// takeFirst takes the first layer off, and gives the rest what over brought.
func (r *Resource[V, F]) takeFirst(t *Turn[V, F], base *Version[V, F]) (first layer[V], out []fallen[V]) {
	w := r.writes
	first, w.layers, w.commit = w.layers[0], w.layers[1:], 0
	return first, r.rebase(t, base)
}

// keep gives v to the second tier, if it is to be kept. What that has is void
// where v was written: until it has v, it is not asked (D4).
func (r *Resource[V, F]) keep(t *Turn[V, F], v *Version[V, F], written bool) {
	switch {
	case v.Known == Absent, v.passing():
		r.erase(t, v.Seq)
	case t.Rules.Store:
		if written {
			r.erase(t, v.Seq)
		}
		t.do(Effect[V, F]{Do: DoPersist, Version: v})
	}
}

// afterCommit lets go what the commit held up: reads that somebody waits for,
// and then the next commit (W4).
func (r *Resource[V, F]) afterCommit(t *Turn[V, F], out []fallen[V]) {
	r.tellFallen(t, out)
	r.tellNew(t)
	switch a := r.air; {
	case r.closed:
		return
	case a != nil && a.held && !t.Waiting:
		r.ground(t, ErrSuperseded, Effect[V, F]{Do: DoSettle, Err: ErrSuperseded})
	case a != nil && a.held:
		a.held, a.owed = false, true
		r.depart(t)
	}
	if r.air == nil && r.watch() != nil && r.shown.Admit(t.Now, t.Rules, &Demand[F]{}) != Serve {
		r.takeOff(t, queue[F]{future: t.mint()})
	}
	r.advance(t)
	r.arm(t)
}

// Created says that the origin made the record, by a call that took off with the
// given stamp: k is what it is (W5). It becomes the base as in Committed, unless
// something came between, a barrier, another write or a read: nobody knows which
// was first at the origin, so what is held is void and read by the next demand.
func (r *Resource[V, F]) Created(t *Turn[V, F], stamp uint64, k Knowledge[V]) {
	held := r.Base()
	switch {
	case r.closed:
	case r.stale(&k), t.overtaken(&k):
		t.do(Effect[V, F]{Do: DoAgain})
	case k.Older:
		r.publish(t, r.copyBase(), Created, NoReason, stamp, nil)
	case stamp <= max(r.barrier, r.wrote(), k.Cover), r.committing(), held != nil && held.Seq > stamp, r.air.after(stamp):
		r.createdAmid(t, stamp, &k)
	case r.adopt(t, &k, stamp-1, stamp, NoReason, told{kind: Created, seq: stamp, forced: true}):
		r.setWrote(t.barrier())
	}
}

// createdAmid is Created where something came between.
func (r *Resource[V, F]) createdAmid(t *Turn[V, F], stamp uint64, k *Knowledge[V]) {
	base, brought := r.copyBase(), false
	if base.Seq < stamp {
		base, brought = r.version(t, k, stamp, base.Future), true
	}
	base.Void, base.HitEnd, base.Notes = true, 0, base.Notes.withoutFailure()
	if !r.over(t, base, 0, brought) {
		return
	}
	r.barrier = t.barrier()
	r.setWrote(r.barrier)
	r.erase(t, r.barrier)
	out := r.rebase(t, base)
	r.publish(t, base, Created, NoReason, stamp, nil)
	r.tellFallen(t, out)
	r.tellNew(t)
	r.flyAgain(t)
}

// closeWrites ends the mutations that wait for their commit. The one whose
// commit is in the air is awaited (C5).
func (r *Resource[V, F]) closeWrites(t *Turn[V, F]) {
	w := r.writes
	if w == nil {
		return
	}
	queued := w.layers
	if w.commit != 0 {
		queued = queued[1:]
	}
	w.layers, w.edition = w.layers[:len(w.layers)-len(queued)], t.number()
	for i := range queued {
		t.do(Effect[V, F]{Do: DoFinish, Mutation: queued[i].what, Err: ErrClosed})
	}
	if len(w.layers) == 0 {
		r.writes = nil
	}
}
