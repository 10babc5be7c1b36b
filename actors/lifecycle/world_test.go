package lifecycle_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

type (
	instant   = lifecycle.Instant
	resource  = lifecycle.Resource[string, string]
	turn      = lifecycle.Turn[string, string]
	effect    = lifecycle.Effect[string, string]
	version   = lifecycle.Version[string, string]
	knowledge = lifecycle.Knowledge[string]
	demand    = lifecycle.Demand[string]
	mutation  = lifecycle.Mutation[string]
	replay    = lifecycle.Replay[string]
)

// world drives one resource the way package actors does: one counter, two
// numbers a turn, a clock that stands still while a command runs, futures that
// are plain names ("f1") and a count of who holds each.
type world struct {
	rules   lifecycle.Rules
	r       *resource
	now     instant
	number  uint64
	minted  int
	armed   instant
	holders map[string]int
	settled map[string]effect
	pending map[string]bool
	commit  uint64 // the stamp of the last that took off
	applied int    // calls of Apply
	free    *lifecycle.Air[string]
}

func newWorld(rules lifecycle.Rules, floor uint64) *world {
	w := &world{
		rules: rules, r: &resource{}, armed: lifecycle.Never,
		holders: map[string]int{}, settled: map[string]effect{}, pending: map[string]bool{},
	}
	w.r.Start(floor)
	return w
}

// waiting says whether anybody holds a future that is still pending.
func (w *world) waiting() bool {
	for f := range w.pending {
		if w.holders[f] > 0 {
			return true
		}
	}
	return false
}

// do runs one command and performs its effects.
func (w *world) do(command func(*turn)) []effect { return w.doWaiting(w.waiting(), command) }

// doWaiting runs the user code that the command asks for, and the command again.
func (w *world) doWaiting(waiting bool, command func(*turn)) []effect {
	effects := w.step(waiting, nil, command)
	for p := asked(effects); p != nil; {
		w.replay(p)
		more := w.step(waiting, p, command)
		effects, p = append(effects, more...), asked(more)
	}
	return effects
}

// asked is the replay that the effects ask for.
func asked(effects []effect) *replay {
	for _, e := range effects {
		if e.Do == lifecycle.DoReplay {
			return e.Replay
		}
	}
	return nil
}

func (w *world) replay(p *replay) {
	p.Run(func(f func(string) (string, error), v string) (string, error) {
		w.applied++
		return f(v)
	})
}

// step is one turn.
func (w *world) step(waiting bool, replay *replay, command func(*turn)) (effects []effect) {
	t := &turn{Rules: &w.rules, Driver: w, Now: w.now, Number: w.number + 1, Waiting: waiting, Replay: replay}
	w.number += 2
	command(t)
	publishes := 0
	for i := range t.Effects.Len() {
		e := *t.Effects.At(i)
		effects = append(effects, e)
		switch e.Do {
		case lifecycle.DoSettle:
			w.settled[e.Future] = e
			delete(w.pending, e.Future)
		case lifecycle.DoArm:
			w.armed = e.At
		case lifecycle.DoPublish:
			publishes++
			e.Version.Revision++
		case lifecycle.DoCommit:
			w.commit = e.Stamp
		}
	}
	if n, last := t.Effects.Publishes(); n != publishes || (n > 0 && last.Do != lifecycle.DoPublish) {
		panic(fmt.Sprintf("%d are published, and it says %d", publishes, n))
	}
	return effects
}

// valueOf is what e commits or finishes with.
func valueOf(e effect) string {
	if e.Value == nil {
		return ""
	}
	return *e.Value
}

func (w *world) Fresh() uint64 { panic("a turn of this world has its numbers") }

func (w *world) Mint(any) string {
	w.minted++
	f := fmt.Sprintf("f%d", w.minted)
	w.pending[f] = true
	return f
}

func (w *world) Ready() string { return w.Mint(nil) }

func (*world) Room(string) *version { return &version{} }

// Air gives away what came back, and checks that nobody has used it since.
func (w *world) Air() (a *lifecycle.Air[string]) {
	if a, w.free = w.free, nil; a == nil {
		a = &lifecycle.Air[string]{}
	}
	mustBeZero(a)
	return a
}

func (w *world) TakeBack(a *lifecycle.Air[string]) {
	mustBeZero(a)
	if a == w.free {
		panic("it came back twice")
	}
	w.free = a
}

func mustBeZero(a *lifecycle.Air[string]) {
	if !reflect.ValueOf(*a).IsZero() {
		panic(fmt.Sprintf("an Air that is nobody's holds %+v", *a))
	}
}

// demand asks, and holds what is pending.
func (w *world) demand(d demand) []effect {
	effects := w.do(func(t *turn) { w.r.Demand(t, d) })
	for _, e := range effects {
		if e.Do == lifecycle.DoAnswer && w.pending[e.Future] {
			w.holders[e.Future]++
		}
	}
	return effects
}

func (w *world) leave(future string) []effect {
	w.holders[future]--
	return w.doWaiting(w.holders[future] > 0, func(t *turn) { w.r.Leave(t, future) })
}

// against completes k with what user code would say of it now.
func (w *world) against(k knowledge) knowledge {
	base := w.r.Base()
	k.Against = base.Held()
	k.Equal = k.Known == lifecycle.Present && k.Against != 0 && base.Value == k.Value
	return k
}

func present(value string) knowledge { return knowledge{Known: lifecycle.Present, Value: value} }

// What follows says things in the words of the golden scripts.

func say(i instant) string {
	if i == lifecycle.Never {
		return "never"
	}
	return time.Duration(i).String()
}

func sayErr(err error) string {
	for name, known := range map[string]error{
		"ErrNotFound": lifecycle.ErrNotFound, "ErrClosed": lifecycle.ErrClosed,
		"ErrSuperseded": lifecycle.ErrSuperseded, "ErrAbandoned": lifecycle.ErrAbandoned,
	} {
		if errors.Is(err, known) {
			return name
		}
	}
	return err.Error()
}

func sayKnown(v *version) string {
	switch {
	case v == nil || v.Known == lifecycle.Nothing:
		return "nothing"
	case v.Known == lifecycle.Absent:
		return fmt.Sprintf("absence#%d", v.Seq)
	}
	return fmt.Sprintf("%s#%d", v.Value, v.Seq)
}

func (w *world) sayEffect(e effect) string {
	switch e.Do {
	case lifecycle.DoAnswer:
		if e.Err != nil {
			return "answer " + sayErr(e.Err)
		}
		if e.Version != nil {
			return fmt.Sprintf("answer %s, which is %s", e.Future, sayKnown(e.Version))
		}
		if s, ok := w.settled[e.Future]; ok {
			return fmt.Sprintf("answer %s, which failed: %s", e.Future, sayErr(s.Err))
		}
		return "answer " + e.Future
	case lifecycle.DoTakeOff:
		s := fmt.Sprintf("take off #%d for %s", e.Stamp, e.Future)
		if e.Version != nil {
			s += " on " + sayKnown(e.Version)
		}
		if e.Timeout != 0 {
			s += " within " + e.Timeout.String()
		}
		return s
	case lifecycle.DoCancel:
		return fmt.Sprintf("cancel #%d: %s", e.Stamp, sayErr(e.Err))
	case lifecycle.DoSettle:
		switch {
		case e.Err == nil:
			return fmt.Sprintf("settle %s with %s", e.Future, sayKnown(e.Version))
		case e.Version != nil && e.Version.Known == lifecycle.Present:
			return fmt.Sprintf("settle %s with %s, plain demands with %s", e.Future, sayErr(e.Err), sayKnown(e.Version))
		}
		return fmt.Sprintf("settle %s with %s", e.Future, sayErr(e.Err))
	case lifecycle.DoPublish:
		s := fmt.Sprintf("publish %s", e.Kind)
		if e.Reason != lifecycle.NoReason {
			s += " (" + e.Reason.String() + ")"
		}
		before := "nothing"
		if e.Before != nil {
			before = *e.Before
		}
		s += fmt.Sprintf(" #%d: %s -> %s", e.Stamp, before, sayKnown(e.Version))
		if e.Err != nil {
			s += ", " + sayErr(e.Err)
		}
		return s
	case lifecycle.DoAgain:
		return "again"
	case lifecycle.DoArm:
		if e.At == lifecycle.Never {
			return "disarm"
		}
		return "arm " + say(e.At)
	case lifecycle.DoDie:
		return "die"
	}
	return w.sayOther(e)
}

// sayOther says what concerns the second tier and mutations.
func (w *world) sayOther(e effect) string {
	switch e.Do {
	case lifecycle.DoLookUp:
		return fmt.Sprintf("look up #%d for %s", e.Stamp, e.Future)
	case lifecycle.DoPersist:
		return "persist " + sayKnown(e.Version)
	case lifecycle.DoErase:
		return fmt.Sprintf("erase #%d", e.Stamp)
	case lifecycle.DoReplay:
		var names []string
		for _, m := range e.Replay.Layers {
			names = append(names, m.Owner.(string))
		}
		over := map[lifecycle.Known]string{lifecycle.Nothing: "nothing", lifecycle.Absent: "absence", lifecycle.Present: e.Replay.Over}
		return fmt.Sprintf("replay %s over %s", strings.Join(names, ", "), over[e.Replay.Known])
	case lifecycle.DoCommit:
		if e.Mutation.Kind == lifecycle.Delete {
			return fmt.Sprintf("commit #%d %s", e.Stamp, e.Mutation.Owner)
		}
		return fmt.Sprintf("commit #%d %s, which makes %s", e.Stamp, e.Mutation.Owner, valueOf(e))
	case lifecycle.DoFinish:
		switch {
		case e.Unknown:
			return fmt.Sprintf("finish %s: %s, and it may have been applied", e.Mutation.Owner, sayErr(e.Err))
		case e.Err != nil:
			return fmt.Sprintf("finish %s: %s", e.Mutation.Owner, sayErr(e.Err))
		}
		return strings.TrimSuffix(fmt.Sprintf("finish %s with %s", e.Mutation.Owner, valueOf(e)), " with ")
	}
	return "?"
}

// state is the resource in one line.
func (w *world) state() string {
	var b strings.Builder
	fmt.Fprintf(&b, "= %s barrier=%d shown=%s", say(w.now), w.r.Barrier(), sayKnown(w.r.Shown()))
	if v := w.r.Shown(); v != nil {
		switch {
		case v.Known == lifecycle.Nothing:
		case v.Void:
			b.WriteString(" void")
		case w.now < v.FreshEnd:
			b.WriteString(" fresh until " + say(v.FreshEnd))
		default:
			b.WriteString(" stale since " + say(v.FreshEnd))
		}
		if validator := v.Validator(); validator != "" {
			b.WriteString(" validator=" + validator)
		}
		if tags := v.Tags(); len(tags) > 0 {
			b.WriteString(" tags=" + strings.Join(tags, ","))
		}
		if n := v.Pending(); n != 0 {
			fmt.Fprintf(&b, " over %s", sayKnown(w.r.Base()))
			if w.r.Base().Void {
				b.WriteString(" void")
			}
			fmt.Fprintf(&b, " pending=%d", n)
		}
		if f := v.Failure(); f != nil {
			b.WriteString(" failed")
			if w.now < f.Until {
				b.WriteString(", quiet until " + say(f.Until))
			}
		}
	}
	if group, queued := w.r.Pending(); group != "" {
		if n := w.r.Flying(); n != 0 {
			fmt.Fprintf(&b, " air=#%d for %s", n, group)
		} else {
			b.WriteString(" held for " + group)
		}
		if queued != "" {
			b.WriteString(" then " + queued)
		}
	}
	if w.armed != lifecycle.Never {
		b.WriteString(" due=" + say(w.armed))
	}
	return b.String()
}
