package lifecycle_test

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// These are the steps of TestWalk that bring news: from the origin, from
// somebody who knows better, from observers.

func (w walk) drawKnowledge(t *rapid.T) knowledge {
	k := knowledge{
		Known: rapid.SampledFrom([]lifecycle.Known{lifecycle.Present, lifecycle.Present, lifecycle.Absent}).Draw(t, "known"),
		TTL:   rapid.SampledFrom([]time.Duration{0, 0, time.Second, -1}).Draw(t, "ttl"),
		Age:   rapid.SampledFrom([]time.Duration{0, 0, time.Second, 20 * time.Second}).Draw(t, "age"),
		Tags:  rapid.SampledFrom([][]string{nil, nil, {"x"}, {"y"}}).Draw(t, "tags"),
	}
	if k.Known == lifecycle.Present {
		k.Value = rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "value")
		k.Unchanged = rapid.IntRange(0, 3).Draw(t, "unchanged") == 1 // also where nothing is held: sources err
	}
	return k
}

// judge adds what user code says of k.
func (w walk) judge(k knowledge) knowledge {
	if k.Unchanged && w.known == lifecycle.Present {
		k.Value = w.value
	}
	k = w.w.against(k)
	k.Older = w.newer && k.Known == lifecycle.Present && k.Against != 0 && !k.Equal && k.Value < w.value
	for _, tag := range k.Tags {
		k.Cover = max(k.Cover, w.tagBarrier[tag])
	}
	return k
}

// arrive lets the flight with that stamp, the newest, land.
func (w walk) arrive(t *rapid.T, stamp uint64, k knowledge) {
	w.t = t
	k = w.judge(k)
	was := w.current
	w.current, w.landed, w.disturbed = 0, w.w.now, false
	void := stamp <= max(w.barrier, k.Cover)
	if void {
		w.disturbed = true
		w.overtaken(stamp, k, was)
		return
	}
	w.learn(k, stamp)
	w.run(w.w.waiting(), func(t *turn) { w.w.r.Arrived(t, stamp, &k, false) })
}

// overtaken is a landing below a barrier, which nobody is told of but those
// who asked before it was raised (O0).
func (w walk) overtaken(stamp uint64, k knowledge, was uint64) {
	group, _ := w.w.r.Pending()
	again := was > w.barrier && !w.guarded()
	w.run(w.w.waiting(), func(t *turn) { w.w.r.Arrived(t, stamp, &k, false) })
	w.must(w.w.pending[group] == again, "O0: a tag's invalidation is mended: %v", again)
}

func (w walk) Arrived(t *rapid.T) {
	if w.current == 0 {
		t.Skip()
	}
	w.arrive(t, w.current, w.drawKnowledge(t))
}

// ArrivedAgainst is a landing whose Equal was computed against what is no
// longer held: it has to be computed again.
func (w walk) ArrivedAgainst(t *rapid.T) {
	w.t = t
	k := w.judge(present("b"))
	k.Against++
	if w.current == 0 || w.current <= w.barrier {
		t.Skip()
	}
	effects := w.run(w.w.waiting(), func(t *turn) { w.w.r.Arrived(t, w.current, &k, false) })
	w.must(len(effects) == 1 && effects[0].Do == lifecycle.DoAgain, "F9: compared with what is not held")
}

// Overtaken is news of which a tag is invalidated after its turn took its
// numbers; a reader that starts after that joins without asking. Whatever the
// turn does must not answer him with it.
func (w walk) Overtaken(t *rapid.T) {
	w.t = t
	k := w.judge(knowledge{Known: lifecycle.Present, Value: "c", Tags: []string{"x"}})
	lands := w.current > max(w.barrier, k.Cover) && rapid.Bool().Draw(t, "lands")
	if slices.Contains(w.w.r.Shown().Tags(), "x") {
		t.Skip() // then the invalidation comes as a command of its own
	}
	w.disturbed = true
	effects := w.run(w.w.waiting(), func(t *turn) {
		w.w.number += 2
		k.Cover = w.w.number
		w.tagBarrier["x"] = k.Cover
		if future, ok := w.w.r.Joinable(&w.w.rules); ok {
			w.asks[future] = append(w.asks[future], w.ask(demand{}, 0))
			w.w.holders[future]++
		}
		if lands {
			w.w.r.Arrived(t, w.current, &k, false)
		} else {
			w.w.r.Set(t, k)
		}
	})
	w.must(len(effects) == 1 && effects[0].Do == lifecycle.DoAgain, "O6: a turn goes by numbers that a tag has overtaken")
}

// Late is a flight that is not the newest: dropped, and told (O2).
func (w walk) Late(t *rapid.T) {
	w.t = t
	if len(w.late) == 0 {
		t.Skip()
	}
	stamp := rapid.SampledFrom(w.late).Draw(t, "stamp")
	k := w.judge(w.drawKnowledge(t))
	if rapid.Bool().Draw(t, "fails") {
		effects := w.run(w.w.waiting(), func(t *turn) { w.w.r.Failed(t, stamp, errOrigin) })
		w.must(len(effects) == 0, "O2: the failure of a flight that is not the newest")
		return
	}
	late := rapid.Bool().Draw(t, "late")
	effects := w.run(w.w.waiting(), func(t *turn) { w.w.r.Arrived(t, stamp, &k, late) })
	w.must(len(effects) == 1 && effects[0].Kind == lifecycle.Dropped, "O2: a late response")
}

func (w walk) Failed(t *rapid.T) {
	w.t = t
	stamp := w.current
	if stamp == 0 {
		t.Skip()
	}
	w.current, w.landed, w.disturbed = 0, w.w.now, false
	w.run(w.w.waiting(), func(t *turn) { w.w.r.Failed(t, stamp, errOrigin) })
	if stamp > w.barrier {
		w.failed, w.failEnd = stamp, w.w.now+instant(w.w.rules.Failure)
	} else {
		w.failed = 0
	}
}

// flown checks what O6 says of flights that a barrier overtook.
func (w walk) flown(waited, guarded bool) {
	_, queued := w.w.r.Pending()
	switch observed := len(w.observers) > 0; {
	case observed:
		w.must(w.current > w.barrier || queued != "", "O6: an observed resource does not fly")
	case !waited:
		w.must(w.current == 0 || w.current > w.barrier, "O6: #%d flies for nobody", w.current)
	case !guarded:
		w.must(w.current == 0 || w.current > w.barrier, "O6: nothing takes the place of #%d", w.current)
	}
}

func (w walk) Invalidate(t *rapid.T) { w.invalidate(t, 0) }

func (w walk) invalidate(t *rapid.T, barrier uint64) {
	w.t = t
	waited, guarded := w.w.waiting(), w.guarded()
	w.disturbed = true
	if barrier == 0 {
		w.barrier = w.w.number + 1
	} else {
		w.barrier = max(w.barrier, barrier)
	}
	w.run(waited, func(t *turn) { w.w.r.Invalidate(t, barrier) })
	w.flown(waited, guarded)
}

// InvalidateTag takes a number first and comes to each key after.
func (w walk) InvalidateTag(t *rapid.T) {
	tag := rapid.SampledFrom([]string{"x", "y"}).Draw(t, "tag")
	w.disturbed = true
	w.w.number += 2
	number := w.w.number
	w.tagBarrier[tag] = number
	for _, has := range w.w.r.Shown().Tags() {
		if has == tag {
			w.invalidate(t, number)
		}
	}
}

func (w walk) Expire(t *rapid.T) {
	w.t = t
	w.disturbed = true
	if w.fresh() {
		w.freshEnd, w.hitEnd = w.w.now, w.w.now
		defer func() {
			w.must(len(w.observers) == 0 || w.current != 0, "O6: an observed resource does not fly when it expires")
		}()
	}
	w.run(w.w.waiting(), w.w.r.Expire)
}

func (w walk) Set(t *rapid.T) {
	w.t = t
	k := w.drawKnowledge(t)
	k.Unchanged = false
	k = w.judge(k)
	w.disturbed = true
	if !k.Older {
		w.barrier = w.w.number + 1
		learned := k
		if k.Tags == nil && k.Known == lifecycle.Present {
			learned.Tags = w.tags // it is another value of the same record
		}
		w.learn(learned, w.barrier+1)
	}
	effects := w.run(w.w.waiting(), func(t *turn) { w.w.r.Set(t, k) })
	if k.Older {
		w.must(len(effects) == 1 && effects[0].Kind == lifecycle.Dropped, "O9: an older value is set")
		return
	}
	w.must(len(w.w.pending) == 0, "O7: %v outlive a Set", w.w.pending)
}

func (w walk) Remove(t *rapid.T) {
	w.t = t
	waited, guarded := w.w.waiting(), w.guarded()
	w.disturbed = true
	w.barrier = w.w.number + 1
	w.forget()
	w.run(waited, w.w.r.Remove)
	w.flown(waited, guarded)
}

func (w walk) Observe(t *rapid.T) {
	w.t = t
	refresh := rapid.SampledFrom([]time.Duration{0, 0, time.Second, 15 * time.Second}).Draw(t, "refresh")
	w.disturbed = true
	w.observers = append(w.observers, refresh)
	w.run(w.w.waiting(), func(t *turn) { w.w.r.Observe(t, refresh) })
	value, renew, _ := w.admits(demand{})
	w.must(w.current != 0 || value && !renew, "S11: an observed resource is not fetched")
}

func (w walk) Unobserve(t *rapid.T) {
	w.t = t
	if len(w.observers) == 0 {
		t.Skip()
	}
	refresh := w.observers[0]
	w.observers = w.observers[1:]
	w.run(w.w.waiting(), func(t *turn) { w.w.r.Unobserve(t, refresh) })
}

// Evict ends the resource; another one is born under the floor (M2, O0).
func (w walk) Evict(t *rapid.T) {
	w.t = t
	free := w.current == 0 && len(w.observers) == 0
	w.must(w.w.r.MayGo() == free, "M2: may go: %v", w.w.r.MayGo())
	if !free {
		effects := w.run(w.w.waiting(), func(t *turn) { w.w.r.Evict(t, lifecycle.BySize) })
		w.must(len(effects) == 0, "M2: it goes all the same")
		return
	}
	w.run(w.w.waiting(), func(t *turn) { w.w.r.Evict(t, lifecycle.BySize) })
	w.must(w.closed, "M2: it does not die")
	floor := w.w.r.Barrier()
	w.w.r = &resource{}
	w.w.r.Start(floor)
	w.forget()
	w.closed = false
}
