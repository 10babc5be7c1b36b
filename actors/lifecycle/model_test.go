package lifecycle_test

import (
	"flag"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

const (
	modelKeys      = 3
	modelHistories = 10_000
)

// TestModel drives three keys of one cache, which share a counter, a floor and
// a clock, against an origin that is the truth, in histories of 30 commands and
// more: calls land in any order, are refused, time out whether they were applied
// or not; user code runs while other commands come in between; keys are evicted,
// and the cache is started again over its second tier. After every step each key
// is compared with an oracle that knows the rules of the design and nothing of
// the machine, and with the truth. When a history is over everything lands, and
// then nothing may be left.
func TestModel(t *testing.T) {
	histories := modelHistories
	if raceEnabled || testing.Short() {
		histories /= 20
	}
	checks := flag.Lookup("rapid.checks").Value.String()
	_ = flag.Set("rapid.checks", fmt.Sprint(histories))
	defer func() { _ = flag.Set("rapid.checks", checks) }()
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t)
		for range rapid.IntRange(30, 70).Draw(t, "commands") {
			m.any()
		}
		m.quiesce()
		m.shut()
	})
}

type model struct {
	t      *rapid.T
	rules  lifecycle.Rules
	origin origin
	keys   [modelKeys]*keyModel
	calls  []*call
	errand []*errand // commands whose user code has run and which are on their way
	news   []*news
	now    instant
	number uint64
	floor  uint64
	sets   int
	closed bool
}

// errand is a command on its way to a key.
type errand struct {
	key    *keyModel
	run    func(*turn)
	judge  func()                     // the user code that the command brings the verdict of
	done   func(n uint64, e []effect) // what the oracle makes of it, once it has happened
	waits  func() bool
	replay *replay
	born   int // the key's incarnation, where the command is of no use to another
	fixed  bool
}

// news is an invalidation that was numbered and has not reached all keys.
type news struct {
	key    *keyModel
	number uint64
	change int // what the origin had when it was numbered
}

func newModel(t *rapid.T) *model {
	m := &model{t: t, rules: drawRules(t)}
	m.rules.Store = rapid.Bool().Draw(t, "Store")
	for i := range m.keys {
		if rapid.Bool().Draw(t, "exists") {
			m.origin.write(i, lifecycle.Present)
		} else {
			m.origin.write(i, lifecycle.Absent)
		}
		m.keys[i] = newKeyModel(m, i)
	}
	return m
}

func (m *model) must(ok bool, rule string, args ...any) {
	if !ok {
		m.t.Helper()
		m.t.Fatalf(rule, args...)
	}
}

func (m *model) chance(oneIn int, what string) bool {
	return rapid.IntRange(1, oneIn).Draw(m.t, what) == oneIn
}

// any does one thing that can happen.
func (m *model) any() {
	name := rapid.SampledFrom(steps).Draw(m.t, "step")
	// One key sees the most of it.
	i := max(rapid.IntRange(-2, modelKeys-1).Draw(m.t, "key"), 0)
	m.do(name, m.keys[i])
	m.check()
}

func (m *model) check() {
	for _, k := range m.keys {
		k.check()
	}
}

// send runs a command. Where it needs user code, that runs at once, and the
// command comes again, now or later.
func (m *model) send(e *errand) {
	k := e.key
	if e.fixed && e.born != k.incarnation {
		return
	}
	waiting := k.waiting()
	if e.waits != nil {
		waiting = e.waits()
	}
	k.now, k.number = m.now, m.number
	k.air.group, k.air.queued = k.r.Pending()
	k.air.stamp = k.r.Flying()
	effects := k.step(waiting, e.replay, e.run)
	m.number = k.number
	m.t.Logf("%s", lazily(func() string { return k.story(effects) }))
	again := false
	for _, f := range effects {
		switch f.Do {
		case lifecycle.DoReplay:
			m.must(len(effects) == 1, "W1: a command that asks for user code has effects")
			again, e.replay = true, f.Replay
			k.replay(f.Replay)
		case lifecycle.DoAgain:
			m.must(len(effects) == 1, "F9: a command that is asked for again has effects")
			again = true
			e.judge()
		}
	}
	switch {
	case !again:
		k.happened(m.number-1, e, effects)
	case m.chance(2, "later"):
		m.errand = append(m.errand, e)
	default:
		m.send(e)
	}
}

// lazily is text that is made only when somebody reads it.
type lazily func() string

func (l lazily) String() string { return l() }

// story tells what a failed history did, as the golden scripts do.
func (k *keyModel) story(effects []effect) string {
	s := fmt.Sprintf("key %d:", k.key)
	for _, e := range effects {
		s += " " + k.sayEffect(e) + ";"
	}
	return s + " " + k.state()
}

// quiesce lets everything land. The origin answers whatever it is asked.
func (m *model) quiesce() {
	for n := 0; ; n++ {
		m.must(n < 2000, "W4: it never comes to rest")
		switch {
		case len(m.errand) > 0:
			m.takeErrand(0)
		case len(m.news) > 0:
			m.deliver(0)
		case len(m.calls) > 0:
			m.land(m.takeCall(0), true)
		case !m.payAll():
			for _, k := range m.keys {
				k.rested()
			}
			return
		}
		m.check()
	}
}

// shut closes the cache: then nothing is left but the commits in the air.
func (m *model) shut() {
	m.closed = true
	for _, k := range m.keys {
		k.close()
	}
	m.check()
	for len(m.calls)+len(m.errand) > 0 {
		for len(m.errand) > 0 {
			m.takeErrand(0)
		}
		if len(m.calls) > 0 {
			m.land(m.takeCall(0), true)
		}
	}
	for m.payAll() {
	}
	m.check()
	for _, k := range m.keys {
		m.must(len(k.pending) == 0, "C6: %v never settle", k.pending)
		m.must(len(k.layers) == 0, "C5: %d mutations are never told", len(k.layers))
	}
}

// restart closes the cache and starts another one over the same second tier.
func (m *model) restart() {
	for len(m.errand) > 0 {
		m.takeErrand(0) // a Close waits for who is inside
	}
	m.shut()
	m.closed, m.news, m.calls, m.floor = false, nil, nil, 0
	for i, k := range m.keys {
		stored, floor := k.stored, k.floorChange
		m.keys[i] = newKeyModel(m, i)
		m.keys[i].stored, m.keys[i].floorChange = stored, floor
	}
}

func (m *model) takeErrand(i int) {
	e := m.errand[i]
	m.errand = append(m.errand[:i:i], m.errand[i+1:]...)
	m.send(e)
}

func (m *model) takeCall(i int) *call {
	c := m.calls[i]
	m.calls = append(m.calls[:i:i], m.calls[i+1:]...)
	return c
}
