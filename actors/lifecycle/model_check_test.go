package lifecycle_test

import (
	"errors"
	"fmt"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// happened lets the oracle follow what a command did, and holds every effect
// against it. n is the number that the turn was brought.
func (k *keyModel) happened(n uint64, e *errand, effects []effect) {
	k.expect = map[*mutation]finish{}
	if e.done != nil {
		e.done(n, effects)
	}
	for _, f := range effects {
		k.performs(f)
	}
	for what, how := range k.expect {
		k.m.must(false, "W3: %s is not told: %v", what.Owner, how)
	}
}

func (k *keyModel) performs(e effect) {
	m := k.m
	switch e.Do {
	case lifecycle.DoTakeOff, lifecycle.DoLookUp:
		m.must(k.commit == 0, "W4: #%d takes off while commit #%d is in the air", e.Stamp, k.commit)
		m.must(k.current == 0, "O1: #%d takes off while #%d is in the air", e.Stamp, k.current)
		m.must(e.Stamp > max(k.barrier, k.newest), "O1: #%d takes off, barrier %d, newest %d", e.Stamp, k.barrier, k.newest)
		k.current, k.newest = e.Stamp, e.Stamp
		c := &call{kind: aFetch, key: k.key, stamp: e.Stamp}
		if e.Do == lifecycle.DoLookUp {
			c.kind = aLookUp
			m.must(k.debt.erase == 0, "D4: a look-up while an erase is owed")
		}
		m.calls = append(m.calls, c)
	case lifecycle.DoCancel:
		m.must(e.Stamp == k.current, "O1: #%d is cancelled, #%d is in the air", e.Stamp, k.current)
		k.current = 0
		for _, c := range m.calls {
			c.over = c.over || c.key == k.key && c.stamp == e.Stamp && c.kind != aCommit
		}
	case lifecycle.DoCommit:
		k.commits(e)
	case lifecycle.DoFinish:
		how, ok := k.expect[e.Mutation]
		delete(k.expect, e.Mutation)
		m.must(ok, "W3: %s is told %v too early", e.Mutation.Owner, e.Err)
		m.must(!k.finished[e.Mutation], "W3: %s is told twice", e.Mutation.Owner)
		m.must(errors.Is(e.Err, how.err) && (e.Err == nil) == (how.err == nil) && e.Unknown == how.unknown,
			"W3: %s is told %v, unknown: %v; want %v", e.Mutation.Owner, e.Err, e.Unknown, how)
		k.finished[e.Mutation] = true
	case lifecycle.DoSettle:
		k.settles(e)
	case lifecycle.DoPublish:
		now := e.Version.Shown()
		m.must(say2(e.Before) == say2(k.after), "W1: the event before showed %s, %s begins with %s", say2(k.after), e.Kind, say2(e.Before))
		switch e.Kind {
		case lifecycle.Failed, lifecycle.Dropped, lifecycle.Expired, lifecycle.Invalidated:
			m.must(say2(now) == say2(e.Before), "W1: %s changes %s into %s", e.Kind, say2(e.Before), say2(now))
		}
		k.after, k.told = now, e.Version.Pending()
	case lifecycle.DoPersist:
		v := e.Version
		m.must(v.Known == lifecycle.Present && v.Value == k.base.value && v.Seq == k.base.seq, "W7: %s is persisted, confirmed is %s", sayKnown(v), k.base.value)
		m.must(!k.base.passing && !k.void(), "W7: what is void or not to be kept is persisted")
		k.debt.record, k.debt.seq = &record{known: v.Known, value: v.Value, change: k.base.change}, v.Seq
	case lifecycle.DoErase:
		k.debt = debt{erase: e.Stamp}
	case lifecycle.DoDie:
		k.buried()
	}
}

func say2(v *string) string {
	if v == nil {
		return "nothing"
	}
	return *v
}

// commits: one at a time, in order, on what its predecessor left, and not
// before an unknown outcome was read (W2, W3).
func (k *keyModel) commits(e effect) {
	m := k.m
	m.must(k.commit == 0, "W2: commit #%d takes off while #%d is in the air", e.Stamp, k.commit)
	m.must(k.current == 0, "W4: commit #%d takes off while #%d is in the air", e.Stamp, k.current)
	m.must(len(k.layers) > 0 && k.layers[0].what == e.Mutation, "W2: %s is not the first", e.Mutation.Owner)
	m.must(!k.unsure, "W3: commit #%d takes off on an unknown outcome", e.Stamp)
	first := k.over(k.base, k.usable())[0]
	m.must(first.firm || k.usable(), "W1: commit #%d of nothing", e.Stamp)
	m.must(first.known != lifecycle.Present || first.value == valueOf(e), "W1: %s commits %s, want %s", e.Mutation.Owner, valueOf(e), first.value)
	for f := range k.pending {
		if k.holders[f] > 0 {
			k.waited[f]++
			m.must(k.waited[f] <= 2, "W4: %s waits for %d commits", f, k.waited[f])
		}
	}
	k.commit = e.Stamp
	m.calls = append(m.calls, &call{kind: aCommit, key: k.key, stamp: e.Stamp, what: e.Mutation})
}

func (k *keyModel) settles(e effect) {
	m := k.m
	m.must(!k.done[e.Future], "C6: %s is settled twice", e.Future)
	k.done[e.Future] = true
	asks := k.asks[e.Future]
	delete(k.asks, e.Future)
	if k.holders[e.Future] == 0 || e.Version == nil || (e.Err != nil && e.Version.Known == lifecycle.Present) {
		m.must(k.holders[e.Future] == 0 || m.closed || e.Err != nil && !errors.Is(e.Err, lifecycle.ErrSuperseded), "C6: %s is settled with %v", e.Future, e.Err)
		return
	}
	// Somebody waits: he is shown what is known with the mutations over it.
	b, want := k.base, k.visible(k.base, true)
	if b.known == lifecycle.Nothing || e.Version.Seq != b.seq {
		// It landed below a barrier, or is not to be kept.
		b = k.landed
		m.must(e.Version.Seq == b.seq, "O0: %s is settled with #%d, known is #%d", e.Future, e.Version.Seq, k.base.seq)
		want = outcome{known: b.known, value: b.value}
		if all := k.over(b, true); len(all) > 0 {
			want = all[len(all)-1]
		}
	}
	m.must(e.Version.Known == want.known && e.Version.Value == want.value, "W1: %s is settled with %s, want %q", e.Future, sayKnown(e.Version), want.value)
	for _, a := range asks {
		m.must(want.firm || e.Version.Seq > a.barrier, "O6: #%d answers a demand above barrier %d", e.Version.Seq, a.barrier)
		m.must(want.firm || b.change == byHand || b.change >= a.change, "O8: change %d answers a demand made after change %d", b.change, a.change)
	}
}

// check is what holds after every step.
func (k *keyModel) check() {
	m, b := k.m, k.r.Base()
	m.must(len(k.world.settled)+len(k.pending) == k.minted, "C6: %d futures, %d settled", k.minted, len(k.world.settled))
	if m.closed {
		return
	}
	if b == nil {
		b = &version{}
	}
	m.must(b.Known == k.base.known && b.Value == k.base.value, "W3: the base is %s, want %q #%d", sayKnown(b), k.base.value, k.base.seq)
	m.must(b.Known == lifecycle.Nothing || b.Seq == k.base.seq && b.Void == k.void(), "O0: the base is %s, void: %v; want #%d, barrier %d", sayKnown(b), b.Void, k.base.seq, k.barrier)
	m.must(k.r.Barrier() == k.barrier, "O0: the barrier is %d, want %d", k.r.Barrier(), k.barrier)
	m.must(!k.usable() || k.base.change == byHand || k.base.change >= k.floorChange, "W4: change %d is shown after %d", k.base.change, k.floorChange)
	k.checkShown()
	group, queued := k.r.Pending()
	m.must((group == "") == (k.current == 0 && (k.commit == 0 || group == "")), "F1: %q, and #%d is in the air", group, k.current)
	m.must(k.r.Flying() == k.current, "O1: #%d is in the air, want #%d", k.r.Flying(), k.current)
	for f := range k.pending {
		m.must(f == group || f == queued, "C6: %s is pending and nothing will settle it", f)
	}
	m.must(len(k.layers) == 0 || k.commit != 0 || k.current != 0, "W2: %d mutations wait for nothing", len(k.layers))
	m.must(k.r.MayGo() == (len(k.layers) == 0 && group == "" && k.observers == 0 && k.debt.erase == 0), "M2: may go: %v", k.r.MayGo())
}

func (k *keyModel) checkShown() {
	m, v := k.m, k.r.Shown()
	if v == nil {
		v = &version{}
	}
	want := k.visible(k.base, k.usable())
	m.must(v.Known == want.known && v.Value == want.value, "W1: shown is %s, want %v %q", sayKnown(v), want.known, want.value)
	m.must(v.Known == lifecycle.Nothing || v.Void == (k.void() && !want.firm), "O0: shown is void: %v", v.Void)
	m.must(!v.Void || v.HitEnd <= m.now, "O0: what is void is a hit")
	m.must(say2(v.Shown()) == say2(k.after), "W1: shown is %s, the last event told of %s", sayKnown(v), say2(k.after))
	m.must(v.Pending() == k.told && (k.told == len(k.layers) || !k.layers[len(k.layers)-1].told),
		"W1: %d mutations are pending, the last event told of %d, shown are %d", len(k.layers), k.told, v.Pending())
	if v.Known != lifecycle.Nothing && !v.Void {
		s, ok := k.world.settled[v.Future]
		m.must(ok && s.Version != nil && s.Version.Known == v.Known && s.Version.Value == v.Value, "F2: %s is not settled with what is shown", v.Future)
	}
}

// buried: another resource is born under the floor (M2, O0).
func (k *keyModel) buried() {
	k.m.must(k.r.Floor() == max(k.barrier, k.wrote), "O0: %d is left behind, want %d and %d", k.r.Floor(), k.barrier, k.wrote)
	k.m.floor = max(k.m.floor, k.r.Floor())
	k.r = &resource{}
	k.r.Start(k.m.floor)
	k.barrier, k.base, k.unsure, k.wrote = k.m.floor, known{}, false, 0
	k.told = 0
	k.incarnation++
}

// rested: nothing is in the air any more. Then nothing is pending, and who asks
// the origin gets the truth.
func (k *keyModel) rested() {
	m := k.m
	m.must(len(k.layers) == 0 && len(k.pending) == 0, "W4: %d mutations and %v rest", len(k.layers), k.pending)
	m.must(say2(k.r.Shown().Shown()) == say2(k.r.Base().Shown()), "W3: %s is shown and nobody confirmed it", sayKnown(k.r.Shown()))
	k.ask(demand{Kind: lifecycle.ForceReload})
	for len(m.calls)+len(m.errand) > 0 {
		for len(m.errand) > 0 {
			m.takeErrand(0)
		}
		if len(m.calls) > 0 {
			m.land(m.takeCall(0), true)
		}
	}
	truth := k.truth()
	m.must(k.base.known == lifecycle.Nothing || fmt.Sprint(k.base.record) == fmt.Sprint(truth), "W3: known is %v, the truth %v", k.base.record, truth)
}
