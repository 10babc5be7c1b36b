package lifecycle_test

import (
	"errors"
	"flag"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

var errOrigin = errors.New("boom")

func TestMain(m *testing.M) {
	// More walks than rapid's own default, unless the command line says how many.
	_ = flag.Set("rapid.nofailfile", "true")
	_ = flag.Set("rapid.checks", "1500")
	_ = flag.Set("rapid.steps", "50")
	flag.Parse()
	if testing.Short() {
		os.Exit(m.Run())
	}
	goleak.VerifyTestMain(m)
}

// TestWalk drives one key at random through all that can happen to it, and
// checks the rules after every step; what fails names its rule. A failure
// prints the commands that lead to it and the flag that replays them.
func TestWalk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := walk{newOracle(t, newWorld(drawRules(t), 0)), rapid.Bool().Draw(t, "newer")}
		t.Repeat(rapid.StateMachineActions(w))
		if rapid.Bool().Draw(t, "drain") {
			w.drain(t)
		}
		w.shut(t)
	})
}

func drawRules(t *rapid.T) lifecycle.Rules {
	pick := func(name string, of ...time.Duration) time.Duration {
		return rapid.SampledFrom(of).Draw(t, name) * time.Second
	}
	return lifecycle.Rules{
		Freshness: lifecycle.Freshness{
			TTL: pick("TTL", 10, 0, 2), Stale: pick("Stale", 0, 5), StaleOnError: pick("StaleOnError", 0, 3, 100),
			Missing: pick("Missing", 0, 4), Failure: pick("Failure", 0, 3, 30),
			Ahead: rapid.SampledFrom([]float64{0, 0.5, 1}).Draw(t, "Ahead"),
		},
		Reload:         rapid.SampledFrom([]lifecycle.ReloadMode{lifecycle.ReloadSupersede, lifecycle.ReloadQueue}).Draw(t, "Reload"),
		MaxSupersede:   rapid.IntRange(0, 2).Draw(t, "MaxSupersede"),
		AbortAbandoned: rapid.Bool().Draw(t, "AbortAbandoned"),
	}
}

// walk's methods are the steps.
type walk struct {
	*oracle
	newer bool // Config.Newer is given: the greater string is the newer one
}

func (w walk) Check(t *rapid.T) {
	w.t = t
	w.check()
}

func (w walk) Demand(t *rapid.T) {
	w.t = t
	d := demand{Kind: rapid.SampledFrom([]lifecycle.DemandKind{lifecycle.Plain, lifecycle.ForceReload, lifecycle.MaxAge}).Draw(t, "kind")}
	if d.Kind == lifecycle.MaxAge {
		d.MaxAge = time.Duration(rapid.IntRange(0, 12).Draw(t, "age")) * time.Second
	}
	d.Uncertain = w.uncertain()
	owed := w.ask(d, w.w.number+1)
	value, refresh, failure := w.admits(d)
	group, _ := w.w.r.Pending()
	current, guarded := w.current, w.guarded()
	effects := w.run(w.w.waiting(), func(t *turn) { w.w.r.Demand(t, d) })
	answer := effects[0]
	if !value && !failure {
		answer = effects[len(effects)-1]
	}
	w.must(answer.Do == lifecycle.DoAnswer && answer.Err == nil, "F0: a demand is not answered")
	future := answer.Future
	switch {
	case value:
		w.must(answer.Version == w.w.r.Shown() && future == answer.Version.Future, "F2: not answered with what is shown")
		w.must(!answer.Version.Void, "O0: a void version answers")
		w.owes(owed, answer.Version)
		w.must((len(effects) == 2) == (refresh && current == 0), "F6, F8: refresh")
	case failure:
		s, ok := w.w.settled[future]
		w.must(len(effects) == 1 && ok && s.Err != nil && s.Stamp == w.failed, "F3: %q is not the remembered failure", future)
		w.must(s.Version == nil, "F7: a remembered failure falls back on %s", sayKnown(s.Version))
		w.must(s.Stamp > owed.barrier, "F3: failure #%d answers a demand above barrier %d", s.Stamp, owed.barrier)
	default:
		w.must(w.w.pending[future], "F1: %q is not in the air", future)
		w.asks[future] = append(w.asks[future], owed)
		w.w.holders[future]++
		joins := current > owed.barrier && (!guarded || current > d.Uncertain)
		w.must(!joins || future == group && len(effects) == 1, "F1: a demand does not join #%d", current)
		w.must(joins || current == 0 || guarded || future == group && w.current > owed.barrier, "O3: a demand does not supersede #%d", current)
		w.must(joins || current == 0 || !guarded || future != group && len(effects) == 1, "O4: a demand does not queue behind #%d", current)
		w.must(current != 0 || w.current > owed.barrier, "F0: nothing takes off")
	}
}

// Join is a reader that takes the pending future without a message.
func (w walk) Join(t *rapid.T) {
	w.t = t
	future, ok := w.w.r.Joinable(&w.w.rules)
	value, _, failure := w.admits(demand{})
	if !ok || value || failure {
		t.Skip()
	}
	w.asks[future] = append(w.asks[future], w.ask(demand{}, 0))
	w.w.holders[future]++
}

func (w walk) Leave(t *rapid.T) {
	w.t = t
	group, queued := w.w.r.Pending()
	future := rapid.SampledFrom([]string{group, queued}).Draw(t, "future")
	if w.w.holders[future] == 0 {
		t.Skip()
	}
	w.w.holders[future]--
	asks := w.asks[future]
	w.asks[future] = asks[1:] // whoever it was, one fewer is owed
	if len(asks) > 1 && rapid.Bool().Draw(t, "last") {
		w.asks[future] = asks[:len(asks)-1]
	}
	// A strict demand that left keeps its group strict.
	for _, a := range asks {
		if a.strict {
			w.asks[future] = append(w.asks[future], ask{strict: true})
			break
		}
	}
	last := w.w.holders[future] == 0
	w.run(!last, func(t *turn) { w.w.r.Leave(t, future) })
	ends := last && w.w.rules.AbortAbandoned && len(w.observers) == 0
	w.must(w.w.pending[future] != ends, "C3: %s, the last left: %v", future, ends)
}

func (w walk) Advance(t *rapid.T) {
	w.t = t
	end := w.w.now + instant(rapid.SampledFrom([]time.Duration{
		0, time.Nanosecond, time.Second, 2 * time.Second, 5 * time.Second, 10*time.Second - time.Nanosecond, time.Minute,
	}).Draw(t, "d"))
	if rapid.Bool().Draw(t, "late") {
		w.w.now = end
	}
	for n := 0; w.w.armed <= end; n++ {
		w.must(n < 200, "S11: Due comes without end")
		w.w.now = max(w.w.now, w.w.armed)
		w.due()
	}
	w.w.now = end
}

// due must not take off again at the instant at which a flight landed, and
// must not ask for the same instant again.
func (w walk) due() {
	was := w.current
	w.w.armed = lifecycle.Never
	w.run(w.w.waiting(), w.w.r.Due)
	if was == 0 && w.current != 0 {
		w.must(w.disturbed || w.landed != w.w.now, "S11: a flight at %s, when one has just landed", say(w.w.now))
	}
	w.must(w.w.armed > w.w.now, "S11: Due asks for Due")
	w.check()
}

// drain lets everything land: then every future is settled (C6).
func (w walk) drain(t *rapid.T) {
	for n := 0; w.current != 0; n++ {
		w.must(n <= 2+w.w.rules.MaxSupersede, "O4: the air does not empty")
		w.arrive(t, w.current, present("z"))
		w.check()
	}
	w.must(len(w.w.pending) == 0, "C6: %v never settle", w.w.pending)
}

// shut closes: then every future is settled, and nothing is heard any more.
func (w walk) shut(t *rapid.T) {
	w.t = t
	w.closed, w.observers = true, nil
	w.run(w.w.waiting(), w.w.r.Close)
	w.check()
	w.must(len(w.w.pending) == 0, "C5: %v never settle", w.w.pending)
	r := w.w.r
	for name, command := range map[string]func(*turn){
		"Close": r.Close, "Expire": r.Expire, "Remove": r.Remove, "Due": r.Due,
		"Invalidate": func(t *turn) { r.Invalidate(t, 0) },
		"Arrived":    func(t *turn) { k := present("late"); r.Arrived(t, w.newest, &k, false) },
		"Failed":     func(t *turn) { r.Failed(t, w.newest, errOrigin) },
		"Unobserve":  func(t *turn) { r.Unobserve(t, 0) },
		"Evict":      func(t *turn) { r.Evict(t, lifecycle.BySize) },
		"Leave":      func(t *turn) { r.Leave(t, "f1") },
	} {
		w.must(len(w.w.do(command)) == 0, "C5: a closed resource answers %s", name)
	}
	for name, command := range map[string]func(*turn){
		"Demand":  func(t *turn) { r.Demand(t, demand{}) },
		"Set":     func(t *turn) { r.Set(t, present("late")) },
		"Observe": func(t *turn) { r.Observe(t, 0) },
	} {
		e := w.w.do(command)
		w.must(len(e) == 1 && e[0].Err == lifecycle.ErrClosed, "C5: a closed resource answers %s", name)
	}
}
