package lifecycle

import "time"

// Resource is the state of one key. The zero Resource knows nothing and is
// ready; Start gives it the barrier that it is born with.
type Resource[V any, F any] struct {
	barrier uint64
	shown   *Version[V, F] // nil: nothing was ever known
	writes  *writes[V, F]  // nil: no mutation is pending
	air     *Air[F]        // nil: nothing is in the air
	rare    *rare          // nil: it is zero
	closed  bool
	// unsure says that a commit may have been applied: the resource is read
	// before the next one flies (W3).
	unsure bool
}

// Air is what is in the air: a flight, the group that waits for it, and the
// follow-up that queued behind it. A resource has one exactly while a flight flies,
// or is held.
type Air[F any] struct {
	stamp uint64 // of the newest flight; older ones land to be dropped (O2)
	group F      // the pending future of the flight and those it superseded (F1)
	wants wants  // of all who are in the group
	// timeout is what the group's flights are bounded by; 0: the cache's.
	timeout time.Duration
	// superseded counts takings-over since the group's last settlement (O4).
	superseded int
	queue      *queue[F] // nil: no follow-up is owed
	looking    bool      // the second tier is being asked; the origin is next
	// held: no flight flies; one takes off when the commit in the air has
	// landed, and answers every demand made until then (W4).
	held bool
	owed bool // it was held: no commit takes off before it has landed (W4)
}

// admits says whether what is in the air is above the barrier.
func (a *Air[F]) admits(barrier uint64) bool { return a.held || a.stamp > barrier }

// after says that something is in the air that was asked for after stamp, or may
// have been: what took off with stamp must not answer it.
func (a *Air[F]) after(stamp uint64) bool {
	return a != nil && (a.held || a.stamp > stamp || a.queue != nil)
}

// queue is the one follow-up flight that will serve everyone in it (O4).
type queue[F any] struct {
	future  F
	wants   wants
	timeout time.Duration
}

// wants is what the demands of one group ask for, beside an answer.
type wants struct {
	strict bool // a ForceReload or MaxAge demand is among them (F7)
	// young is the least MaxAge of those, 0 for a ForceReload: the second tier's
	// record answers the group where it is younger than that (D1, F10).
	young time.Duration
}

// add says that a demand of that kind joins.
func (w *wants) add(kind DemandKind, maxAge time.Duration) {
	if kind == Plain {
		return
	}
	if kind == ForceReload {
		maxAge = 0
	}
	if w.strict {
		maxAge = min(w.young, maxAge)
	}
	w.strict, w.young = true, maxAge
}

// stored says whether the second tier may have what answers the group.
func (w *wants) stored() bool { return !w.strict || w.young > 0 }

// Start sets the barrier a new resource is born with: the cache's floor (O0).
func (r *Resource[V, F]) Start(floor uint64) { r.barrier = max(r.barrier, floor) }

// Shown is what the resource shows now; nil before anything was known.
func (r *Resource[V, F]) Shown() *Version[V, F] { return r.shown }

// Barrier is the number at or below which knowledge is void.
func (r *Resource[V, F]) Barrier() uint64 { return r.barrier }

// Floor is the barrier that a successor of this resource is born with.
func (r *Resource[V, F]) Floor() uint64 { return max(r.barrier, r.wrote()) }

// Flying returns the stamp of the newest flight, 0 if none is in the air.
func (r *Resource[V, F]) Flying() uint64 {
	if r.air == nil {
		return 0
	}
	return r.air.stamp
}

// Pending returns the futures that what is in the air will settle: the
// group's and, where a follow-up is owed, the queue's.
func (r *Resource[V, F]) Pending() (group, queued F) {
	if a := r.air; a != nil {
		group = a.group
		if a.queue != nil {
			queued = a.queue.future
		}
	}
	return group, queued
}

// Joinable returns the future that a plain demand which the shown version does
// not answer joins, where that needs no decision: F0(b), or F0(c) where the
// flight in the air is below the barrier. While the storm guard holds, demands
// must ask (see Demand.Uncertain).
func (r *Resource[V, F]) Joinable(rules *Rules) (future F, ok bool) {
	a := r.air
	switch {
	case a == nil:
		return future, false
	case a.held:
		return a.group, true
	case a.stamp > r.barrier:
		return a.group, a.maySupersede(rules)
	case a.queue != nil:
		return a.queue.future, true
	}
	return future, false
}

// maySupersede says whether the storm guard lets another flight take over.
func (a *Air[F]) maySupersede(rules *Rules) bool {
	return rules.Reload == ReloadSupersede && a.superseded < rules.MaxSupersede
}

// takeOff starts a flight for a new group, when no commit is in the air.
func (r *Resource[V, F]) takeOff(t *Turn[V, F], q queue[F]) {
	a := t.Driver.Air()
	a.group, a.wants, a.timeout, a.held = q.future, q.wants, q.timeout, r.committing()
	r.air = a
	if !a.held {
		r.depart(t)
	}
}

// depart starts the flight of a group that has none.
func (r *Resource[V, F]) depart(t *Turn[V, F]) {
	a := r.air
	if r.mayLookUp(t) && a.wants.stored() {
		a.stamp, a.looking = t.stamp(), true
		t.do(Effect[V, F]{Do: DoLookUp, Stamp: a.stamp, Future: a.group})
		return
	}
	r.flyOn(t)
}

// takeOver lets a new flight serve the group of the one in the air, which the
// caller has cancelled or seen land (O3).
func (r *Resource[V, F]) takeOver(t *Turn[V, F]) {
	a := r.air
	a.superseded++
	r.flyOn(t)
}

// flyOn lets an origin call with a fresh stamp serve the group.
func (r *Resource[V, F]) flyOn(t *Turn[V, F]) {
	a := r.air
	a.looking = false
	a.stamp = t.stamp()
	e := t.next(DoTakeOff)
	e.Stamp, e.Future, e.Version, e.Timeout = a.stamp, a.group, r.last(), a.timeout
}

// supersede cancels the flight in the air and takes over from it.
func (r *Resource[V, F]) supersede(t *Turn[V, F]) {
	t.do(Effect[V, F]{Do: DoCancel, Stamp: r.air.stamp, Err: ErrSuperseded})
	r.takeOver(t)
}

// enqueue returns the follow-up behind the flight in the air (O4).
func (r *Resource[V, F]) enqueue(t *Turn[V, F], timeout time.Duration) *queue[F] {
	if r.air.queue == nil {
		r.air.queue = &queue[F]{future: t.mint(), timeout: timeout}
	}
	return r.air.queue
}

// clearAir says that nothing is in the air. Nobody but the resource ever had its
// air, so the driver may give that to whoever takes off next.
func (r *Resource[V, F]) clearAir(t *Turn[V, F]) {
	a := r.air
	r.air = nil
	*a = Air[F]{}
	t.Driver.TakeBack(a)
}

// landed clears the air after its group was settled; a follow-up takes off.
func (r *Resource[V, F]) landed(t *Turn[V, F]) {
	q := r.air.queue
	r.clearAir(t)
	if r.watch() != nil {
		r.watch().landed = t.Now
	}
	if q == nil || r.mayCommit() {
		r.advance(t)
	}
	if q != nil {
		r.takeOff(t, *q)
	}
	r.arm(t)
}

// ground drops everything in the air: all its futures settle as settle says.
func (r *Resource[V, F]) ground(t *Turn[V, F], cause error, settle Effect[V, F]) {
	a := r.air
	if a == nil {
		return
	}
	if !a.held {
		t.do(Effect[V, F]{Do: DoCancel, Stamp: a.stamp, Err: cause})
	}
	settle.Future = a.group
	t.do(settle)
	if a.queue != nil {
		settle.Future = a.queue.future
		t.do(settle)
	}
	r.clearAir(t)
	r.arm(t)
}

// last is what a conditional request may build on.
func (r *Resource[V, F]) last() *Version[V, F] {
	if b := r.Base(); b != nil && b.Known == Present {
		return b
	}
	return nil
}

// copyBase is a new base like the one there is, for what changes beside it.
func (r *Resource[V, F]) copyBase() *Version[V, F] {
	b := r.Base()
	if b == nil {
		return &Version[V, F]{}
	}
	next := *b
	return &next
}

// publish makes base the base, shows it with the mutations over it, and tells of
// that.
func (r *Resource[V, F]) publish(t *Turn[V, F], base *Version[V, F], kind Kind, reason Reason, seq uint64, err error) {
	before, next, pending := r.shown.Shown(), base, r.writes != nil
	if pending {
		next = r.layered(t, base)
	}
	r.shown = next
	e := t.Effects.publish()
	e.Kind, e.Reason, e.Stamp, e.Version, e.Before, e.Err = kind, reason, seq, next, before, err
	if pending && r.writes == nil && base.passing() {
		r.publish(t, &Version[V, F]{}, Evicted, ByAge, base.Seq, nil)
	}
}
