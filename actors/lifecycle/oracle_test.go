package lifecycle_test

import (
	"time"

	"pgregory.net/rapid"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// oracle says what the rules of the design demand, in the simplest words there
// are: what is known, since when and above which barrier; who asked for which
// future, and what he must not be answered with. It never looks into the
// machine, only at its effects and at what it shows.
type oracle struct {
	t *rapid.T
	w *world

	// What is known (O0), and the last failure since.
	known        lifecycle.Known
	value        string
	seq          uint64
	at, freshEnd instant
	hitEnd       instant
	tags         []string
	barrier      uint64
	tagBarrier   map[string]uint64
	failed       uint64 // the stamp of the failure that is remembered
	failEnd      instant

	// What is in the air.
	current  uint64 // the newest flight, 0: none
	newest   uint64 // the highest stamp that ever took off
	late     []uint64
	takeOffs map[string]int // by future
	asks     map[string][]ask
	done     map[string]bool // settled futures

	// Who observes (S11).
	observers []time.Duration
	landed    instant
	disturbed bool // something but a landing has happened since
	expired   map[[2]int64]bool

	closed    bool
	published []printed
	before    *version
}

// ask is a demand that was answered with a pending future: what settles it has
// to be above barrier and, for each tag it carries, above that tag's.
type ask struct {
	strict  bool
	barrier uint64
	tags    map[string]uint64
}

// printed is a version as it was when it was published.
type printed struct {
	v    *version
	copy version
	note lifecycle.Notes[string, string]
}

func newOracle(t *rapid.T, w *world) *oracle {
	return &oracle{
		t: t, w: w, tagBarrier: map[string]uint64{}, barrier: w.r.Barrier(), takeOffs: map[string]int{},
		asks: map[string][]ask{}, done: map[string]bool{}, expired: map[[2]int64]bool{}, landed: -1,
	}
}

func (o *oracle) must(ok bool, rule string, args ...any) {
	if !ok {
		o.t.Helper()
		o.t.Fatalf(rule, args...)
	}
}

// usable: knowledge is usable iff its stamp is above the barrier (O0).
func (o *oracle) usable() bool { return o.known != lifecycle.Nothing && o.seq > o.barrier }
func (o *oracle) fresh() bool  { return o.usable() && o.w.now < o.freshEnd }

// within: the value is usable, and freshness ended less than d ago.
func (o *oracle) within(d time.Duration) bool {
	return o.usable() && o.known == lifecycle.Present && o.w.now < o.freshEnd.Plus(d)
}

func (o *oracle) quiet() bool { return o.failed > o.barrier && o.w.now < o.failEnd }

func (o *oracle) guarded() bool {
	group, _ := o.w.r.Pending()
	return o.w.rules.Reload == lifecycle.ReloadQueue || o.takeOffs[group] > o.w.rules.MaxSupersede
}

func (o *oracle) uncertain() (n uint64) {
	for _, b := range o.tagBarrier {
		n = max(n, b)
	}
	return n
}

// admits says what F0(a) answers.
func (o *oracle) admits(d demand) (value, refresh, failure bool) {
	switch {
	case d.Kind == lifecycle.ForceReload:
		return false, false, false
	case d.Kind == lifecycle.MaxAge:
		kept := o.known == lifecycle.Present || o.w.now < o.freshEnd // F4
		return o.usable() && kept && time.Duration(o.w.now-o.at) < d.MaxAge, false, false
	case o.fresh():
		return true, o.w.now >= o.hitEnd && !o.quiet(), false
	case o.within(o.w.rules.Stale):
		return true, !o.quiet(), false
	case o.quiet():
		value = o.within(o.w.rules.StaleOnError)
		return value, false, !value
	}
	return false, false, false
}

// ask is what somebody who asks now is owed.
func (o *oracle) ask(d demand, number uint64) ask {
	a := ask{strict: d.Kind != lifecycle.Plain, barrier: o.barrier, tags: map[string]uint64{}}
	if d.Kind == lifecycle.ForceReload {
		a.barrier = number
	}
	for tag, b := range o.tagBarrier {
		a.tags[tag] = b
	}
	return a
}

// owes checks that v may answer a (O0, O3, O6).
func (o *oracle) owes(a ask, v *version) {
	o.must(v.Seq > a.barrier, "O6: knowledge #%d answers a demand above barrier %d", v.Seq, a.barrier)
	for _, tag := range v.Tags() {
		o.must(v.Seq > a.tags[tag], "O6: knowledge #%d with a tag invalidated at %d answers a later demand", v.Seq, a.tags[tag])
	}
}

// learn is what the rules make of knowledge with that stamp.
func (o *oracle) learn(k knowledge, stamp uint64) {
	o.failed = 0
	if k.Older {
		k.TTL = max(k.TTL, 0) // what is older evicts nothing (O9)
	}
	if k.Known == lifecycle.Present && k.TTL < 0 {
		o.forget()
		return
	}
	had := o.known == lifecycle.Present
	if !had || !(k.Unchanged || k.Older) {
		o.tags = k.Tags
	} else if k.Unchanged && !k.Older && k.Tags != nil {
		o.tags = k.Tags
	}
	if k.Known == lifecycle.Absent {
		o.value = ""
	} else if !had || !(k.Unchanged || k.Older) {
		o.value = k.Value
	}
	o.known, o.seq, o.at = k.Known, stamp, o.w.now-instant(k.Age)
	ttl := k.TTL
	if ttl == 0 {
		ttl = o.w.rules.TTL
	}
	switch {
	case k.Known == lifecycle.Absent:
		o.freshEnd = o.at + instant(o.w.rules.Missing)
		o.hitEnd = o.freshEnd
	case ttl == 0:
		o.freshEnd, o.hitEnd = lifecycle.Never, lifecycle.Never
	default:
		o.freshEnd = o.at + instant(ttl)
		o.hitEnd = o.freshEnd - instant(float64(ttl)*o.w.rules.Ahead)
	}
}

func (o *oracle) forget() {
	o.known, o.value, o.seq, o.tags, o.failed = lifecycle.Nothing, "", 0, nil, 0
	o.at, o.freshEnd, o.hitEnd = 0, 0, 0
}

// run runs a command and checks every effect in its order.
func (o *oracle) run(waiting bool, command func(*turn)) []effect {
	o.before = o.w.r.Shown()
	effects := o.w.doWaiting(waiting, command)
	for _, e := range effects {
		switch e.Do {
		case lifecycle.DoTakeOff:
			o.tookOff(e)
		case lifecycle.DoCancel:
			o.must(e.Stamp == o.current, "O1: flight #%d is cancelled, #%d is in the air", e.Stamp, o.current)
			o.late, o.current = append(o.late, e.Stamp), 0
		case lifecycle.DoSettle:
			o.must(!o.done[e.Future], "C6: %s is settled twice", e.Future)
			o.done[e.Future] = true
			o.settles(e)
		case lifecycle.DoPublish:
			o.publishes(e)
		case lifecycle.DoDie:
			o.closed = true
		}
	}
	return effects
}

func (o *oracle) tookOff(e effect) {
	o.must(o.current == 0, "O1: #%d takes off while #%d is in the air", e.Stamp, o.current)
	o.must(e.Stamp > o.newest, "O1: #%d takes off after #%d", e.Stamp, o.newest)
	o.must(e.Stamp > o.barrier, "O0: #%d takes off below barrier %d", e.Stamp, o.barrier)
	o.current, o.newest = e.Stamp, e.Stamp
	o.takeOffs[e.Future]++
	flights := 1 + o.w.rules.MaxSupersede
	if o.w.rules.Reload == lifecycle.ReloadQueue {
		flights = 1
	}
	o.must(o.takeOffs[e.Future] <= flights, "O4: %d flights for %s", o.takeOffs[e.Future], e.Future)
	held := o.known == lifecycle.Present
	o.must((e.Version != nil) == held, "F9: a flight builds on %v, held is %v", sayKnown(e.Version), held)
	o.must(!held || e.Version.Seq == o.seq, "F9: a flight builds on %s, held is #%d", sayKnown(e.Version), o.seq)
}

// settles checks what a future is settled with against everyone who was given
// it, before any demand of this command is added.
func (o *oracle) settles(e effect) {
	asks, strict := o.asks[e.Future], false
	delete(o.asks, e.Future)
	for _, a := range asks {
		strict = strict || a.strict
	}
	switch e.Err {
	case lifecycle.ErrClosed:
		o.must(o.closed, "C5: %s settles with ErrClosed in an open cache", e.Future)
		return
	case lifecycle.ErrSuperseded, lifecycle.ErrAbandoned:
		o.must(o.w.holders[e.Future] == 0, "C3: %s settles with %v and is held", e.Future, e.Err)
		return
	}
	for _, a := range asks {
		if e.Version == nil || (e.Err != nil && e.Version.Known == lifecycle.Present) {
			o.must(e.Stamp > a.barrier, "O3: failure #%d answers a demand above barrier %d", e.Stamp, a.barrier)
		} else {
			o.owes(a, e.Version)
		}
		if e.Version != nil && !a.strict {
			o.owes(a, e.Version)
		}
	}
	o.must(e.Version == nil || !e.Version.Void, "O0: %s settles with a void version", e.Future)
	o.must(e.Version == nil || e.Version.Known != lifecycle.Absent || e.Err != nil, "F4: absence settles %s without an error", e.Future)
	if e.Err == errOrigin && o.takeOffs[e.Future] > 0 {
		o.must(e.Version != nil == (e.Stamp > o.barrier && o.within(o.w.rules.StaleOnError)), "F7: fallback %s", sayKnown(e.Version))
	}
	if e.Version != nil && e.Version.Seq < e.Stamp {
		o.must(o.within(o.w.rules.StaleOnError) && e.Stamp > o.barrier, "F7: an old value settles %s", e.Future)
		o.must(e.Err != nil == strict, "F7: strict is %v, the error %v", strict, e.Err)
	}
}

func (o *oracle) publishes(e effect) {
	now, was := e.Version, o.before
	o.must((e.Before == nil) == (was.Shown() == nil) && (e.Before == nil || *e.Before == was.Value), "W1: Before is not what was shown")
	p := printed{v: now, copy: *now}
	if now.Notes != nil {
		p.note = *now.Notes
	}
	o.published = append(o.published, p)
	same := was == nil && now.Known == lifecycle.Nothing ||
		was != nil && now.Known == was.Known && now.Value == was.Value && now.Seq == was.Seq && now.FreshEnd == was.FreshEnd && now.Void == was.Void
	switch e.Kind {
	case lifecycle.Dropped, lifecycle.Failed:
		o.must(same, "O2: %s changes what is shown", e.Kind)
	case lifecycle.Loaded:
		o.must(e.Before == nil && now.Known == lifecycle.Present, "F9: Loaded over %s", sayKnown(was))
	case lifecycle.Updated:
		o.must(e.Before != nil && *e.Before != now.Value, "F9: Updated with an equal value")
	case lifecycle.Revalidated:
		o.must(was != nil && now.Known == was.Known && now.Value == was.Value, "F9: Revalidated with another value")
	case lifecycle.Missing:
		o.must(now.Known == lifecycle.Absent && (was == nil || was.Known != lifecycle.Absent), "F4: Missing")
	case lifecycle.Evicted:
		o.must(now.Known == lifecycle.Nothing, "O10: Evicted shows %s", sayKnown(now))
	case lifecycle.Expired:
		once := [2]int64{int64(now.Seq), int64(now.FreshEnd)}
		o.must(!o.expired[once], "S11: Expired is told twice of #%d", now.Seq)
		o.expired[once] = true
		o.must(now.FreshEnd <= o.w.now, "S11: Expired is told of what is fresh")
	}
	if was != nil && e.Kind != lifecycle.Evicted {
		o.must(now.Seq >= was.Seq, "O2: the shown version goes from #%d to #%d", was.Seq, now.Seq)
	}
	o.before = now
}
