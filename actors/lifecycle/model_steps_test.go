package lifecycle_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// steps are what can happen, the likelier the more often it is named.
var steps = strings.Fields(`rest
	mutate mutate mutate mutate land land land land land land reach reach errand errand
	ask ask ask leave set invalidate remove expire evict evict advance observe
	prefix deliver pay pay list create amend elsewhere restart`)

var errFull = errors.New("full")

func (m *model) do(step string, k *keyModel) {
	switch step {
	case "rest":
		m.advance(1)
	case "mutate":
		k.mutate()
	case "land":
		if i, ok := m.pick(len(m.calls), "call"); ok {
			m.land(m.takeCall(i), false)
		}
	case "reach":
		if i, ok := m.pick(len(m.calls), "call"); ok {
			m.arrives(m.calls[i], m.chance(3, "refuse"))
		}
	case "errand":
		if i, ok := m.pick(len(m.errand), "errand"); ok {
			m.takeErrand(i)
		}
	case "ask":
		d := demand{Kind: rapid.SampledFrom([]lifecycle.DemandKind{lifecycle.Plain, lifecycle.ForceReload, lifecycle.MaxAge}).Draw(m.t, "kind")}
		d.MaxAge = time.Second
		k.ask(d)
	case "leave":
		k.leaves()
	case "set":
		k.set()
	case "invalidate":
		k.barriers(func(t *turn) { k.r.Invalidate(t, 0) }, func(n uint64) {})
	case "remove":
		k.barriers(func(t *turn) { k.r.Remove(t) }, func(n uint64) { k.base = known{} })
	case "expire":
		m.send(&errand{key: k, run: func(t *turn) { k.r.Expire(t) }, done: func(uint64, []effect) {
			if k.usable() {
				k.base.freshEnd = min(k.base.freshEnd, m.now)
			}
		}})
	case "evict":
		m.send(&errand{key: k, run: func(t *turn) { k.r.Evict(t, lifecycle.BySize) }})
	case "advance":
		m.advance(instant(rapid.SampledFrom([]time.Duration{time.Second, 5 * time.Second, 11 * time.Second}).Draw(m.t, "d")))
	case "observe":
		k.observes()
	case "prefix":
		m.prefix()
	case "deliver":
		if i, ok := m.pick(len(m.news), "news"); ok {
			m.deliver(i)
		}
	case "pay":
		k.pay()
	case "list", "create":
		kind := map[string]callKind{"list": aList, "create": aCreate}[step]
		m.number += 2
		m.calls = append(m.calls, &call{kind: kind, key: k.key, stamp: m.number})
	case "amend":
		k.amend()
	case "elsewhere":
		m.origin.write(k.key, lifecycle.Present)
	case "restart":
		if m.chance(4, "restart") {
			m.restart()
		}
	}
}

func (m *model) pick(n int, what string) (int, bool) {
	if n == 0 {
		return 0, false
	}
	return rapid.IntRange(0, n-1).Draw(m.t, what), true
}

func (k *keyModel) mutate() {
	m := k.m
	m.sets++
	id := fmt.Sprint(m.sets)
	var what *mutation
	switch rapid.IntRange(0, 5).Draw(m.t, "mutation") {
	case 0:
		what = &mutation{Kind: lifecycle.Delete, Owner: "delete " + id}
	case 1:
		what = &mutation{Kind: lifecycle.Replace, Value: "=" + id, Owner: "set " + id}
	default:
		fails := rapid.SampledFrom([]string{"", "", "", "1", "3", "h"}).Draw(m.t, "fails on")
		what = appending("+"+id, fails, "add "+id)
	}
	m.send(&errand{
		key: k, run: func(t *turn) { k.r.Mutate(t, what) },
		done: func(n uint64, _ []effect) { k.mutated(what, n) },
	})
}

// ask demands, and waits.
func (k *keyModel) ask(d demand) {
	m := k.m
	a := modelAsk{barrier: k.barrier, change: k.floorChange}
	if d.Kind == lifecycle.ForceReload {
		a = modelAsk{barrier: m.number + 1, change: k.truth().change}
	}
	m.send(&errand{key: k, run: func(t *turn) { k.r.Demand(t, d) }, done: func(_ uint64, effects []effect) {
		for _, e := range effects {
			switch {
			case e.Do != lifecycle.DoAnswer:
			case e.Version != nil:
				m.must(e.Version == k.r.Shown() && !e.Version.Void && d.Kind != lifecycle.ForceReload, "F2: answered with %s", sayKnown(e.Version))
			case k.pending[e.Future]:
				k.holders[e.Future]++
				k.asks[e.Future] = append(k.asks[e.Future], a)
			default:
				m.must(k.world.settled[e.Future].Err != nil, "F3: %s is no failure", e.Future)
			}
		}
	}})
}

func (k *keyModel) leaves() {
	group, queued := k.r.Pending()
	future := rapid.SampledFrom([]string{group, queued}).Draw(k.m.t, "future")
	if k.holders[future] == 0 {
		return
	}
	k.holders[future]--
	k.m.send(&errand{
		key: k, run: func(t *turn) { k.r.Leave(t, future) },
		waits: func() bool { return k.holders[future] > 0 },
	})
}

func (k *keyModel) set() {
	m := k.m
	m.sets++
	kn := present(fmt.Sprintf("hand%d", m.sets))
	if m.chance(5, "unkept") {
		kn.TTL = -1
	}
	e := &errand{key: k, run: func(t *turn) { k.r.Set(t, kn) }, done: func(n uint64, _ []effect) {
		if m.closed {
			return
		}
		barrier, stamp := n, n+1
		if len(k.layers) > 0 {
			barrier, stamp = n-1, n
		}
		k.barrier = barrier
		k.learn(record{known: kn.Known, value: kn.Value, change: byHand}, stamp, kn.TTL < 0)
	}}
	e.judge = func() { kn = k.against(kn) }
	e.judge()
	m.send(e)
}

// barriers is Invalidate and Remove: what was read before is from before them.
func (k *keyModel) barriers(run func(*turn), then func(n uint64)) {
	k.m.send(&errand{key: k, run: run, done: func(n uint64, _ []effect) {
		k.barrier = n
		k.completed(k.truth().change)
		then(n)
	}})
}

// prefix is an invalidation of all keys: numbered, then told to the second tier
// and the floor, then to each key that is resident.
func (m *model) prefix() {
	m.number += 2
	m.floor = max(m.floor, m.number)
	for _, k := range m.keys {
		k.stored, k.tomb = nil, m.number
		m.news = append(m.news, &news{key: k, number: m.number, change: k.truth().change})
	}
}

func (m *model) deliver(i int) {
	n := m.news[i]
	m.news = slices.Delete(m.news, i, i+1)
	k := n.key
	m.send(&errand{key: k, run: func(t *turn) { k.r.Void(t, n.number) }, done: func(uint64, []effect) {
		k.barrier = max(k.barrier, n.number)
		k.completed(n.change)
	}})
}

func (k *keyModel) observes() {
	if k.observers > 0 {
		k.observers--
		k.m.send(&errand{key: k, run: func(t *turn) { k.r.Unobserve(t, 0) }})
		return
	}
	k.observers++
	k.m.send(&errand{key: k, run: func(t *turn) { k.r.Observe(t, 0) }})
}

func (m *model) advance(d instant) {
	m.now += d
	for _, k := range m.keys {
		if k.armed <= m.now {
			k.armed = lifecycle.Never
			m.send(&errand{key: k, run: func(t *turn) { k.r.Due(t) }})
			m.must(k.armed > m.now, "S11: Due asks for Due")
		}
	}
}

func (k *keyModel) amend() {
	m := k.m
	m.sets++
	kn := present(fmt.Sprintf("hand%d", m.sets))
	e := &errand{key: k, run: func(t *turn) { k.r.Amend(t, kn) }, done: func(n uint64, _ []effect) {
		if m.closed {
			return
		}
		amends := k.usable() && k.base.known == lifecycle.Present
		k.barrier = n
		if amends {
			k.barrier = n - 1
			k.base.value, k.base.change, k.base.seq = kn.Value, byHand, n
			k.rebase(true)
		}
	}}
	e.judge = func() { kn = k.against(kn) }
	e.judge()
	m.send(e)
}

// pay gives the second tier what it is owed.
func (k *keyModel) pay() bool {
	d := k.debt
	k.debt = debt{}
	switch {
	case d.record != nil && d.seq > k.tomb:
		k.stored = d.record
	case d.erase != 0:
		k.stored = nil
	}
	if d.erase != 0 {
		k.r.Stored(d.erase)
	}
	return d.record != nil || d.erase != 0
}

func (m *model) payAll() (paid bool) {
	for _, k := range m.keys {
		paid = k.pay() || paid
	}
	return paid
}
