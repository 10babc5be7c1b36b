package lifecycle_test

import (
	"time"

	"pgregory.net/rapid"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// land brings a call's answer to the cache; healthy says that there is one.
func (m *model) land(c *call, healthy bool) {
	k := m.keys[c.key]
	fails := !healthy && m.chance(4, "fails")
	switch {
	case c.kind == aCommit:
		m.landCommit(k, c, fails, healthy)
		return
	case c.kind == aFetch && fails:
		m.send(&errand{
			key: k, born: k.incarnation, fixed: true, run: func(t *turn) { k.r.Failed(t, c.stamp, errOrigin) },
			done: func(uint64, []effect) { k.failed(c.stamp, errOrigin) },
		})
		return
	}
	m.arrives(c, fails)
	switch c.kind {
	case aFetch:
		kn := c.knowledge()
		if !healthy && m.chance(6, "unkept") {
			kn.TTL = -1
		}
		e := &errand{
			key: k, born: k.incarnation, fixed: true, run: func(t *turn) { k.r.Arrived(t, c.stamp, &kn, false) },
			done: func(uint64, []effect) { k.arrived(c, kn.TTL < 0) },
		}
		m.judged(e, &kn)
	case aLookUp:
		kn := c.knowledge()
		kn.Age = rapid.SampledFrom([]time.Duration{0, 3 * time.Second, 20 * time.Second}).Draw(m.t, "age")
		e := &errand{
			key: k, born: k.incarnation, fixed: true, run: func(t *turn) { k.r.Looked(t, c.stamp, kn, c.cached) },
			done: func(uint64, []effect) { k.looked(c) },
		}
		m.judged(e, &kn)
	case aCreate:
		if c.refused {
			return
		}
		kn := c.knowledge()
		e := &errand{key: k, run: func(t *turn) { k.r.Created(t, c.stamp, kn) }, done: func(n uint64, _ []effect) {
			if !m.closed {
				k.created(c, n)
			}
		}}
		m.judged(e, &kn)
	case aList:
		for i, k := range m.keys {
			if r := c.list[i]; r.known == lifecycle.Present {
				m.seed(k, c.stamp, *r)
			}
		}
	}
}

func (c *call) knowledge() knowledge { return knowledge{Known: c.seen.known, Value: c.seen.value} }

// judged sends e, which brings kn, judged by user code.
func (m *model) judged(e *errand, kn *knowledge) {
	e.judge = func() { *kn = e.key.against(*kn) }
	e.judge()
	m.send(e)
}

// landCommit: the answer comes, or the outcome stays unknown. What never reached
// the origin may do so later.
func (m *model) landCommit(k *keyModel, c *call, fails, healthy bool) {
	if c.over {
		if m.chance(2, "late") {
			m.arrives(c, false)
		}
		return
	}
	if fails {
		c.over = true
		if c.seen == nil {
			m.calls = append(m.calls, c)
		}
		m.send(&errand{
			key: k, run: func(t *turn) { k.r.Rejected(t, c.stamp, errOrigin, lifecycle.Unclear) },
			done: func(n uint64, _ []effect) { k.rejected(c, errOrigin, true, n) },
		})
		return
	}
	m.arrives(c, !healthy && m.chance(3, "refuse"))
	if c.refused {
		err, what := errFull, lifecycle.Refused
		if now := k.truth(); now.known == lifecycle.Absent {
			err, what, c.seen = lifecycle.ErrNotFound, lifecycle.NoSuch, &now
		}
		m.send(&errand{
			key: k, run: func(t *turn) { k.r.Rejected(t, c.stamp, err, what) },
			done: func(n uint64, _ []effect) { k.rejected(c, err, false, n) },
		})
		return
	}
	kn := c.knowledge()
	if !healthy && m.chance(6, "unkept") {
		kn.TTL = -1
	}
	e := &errand{key: k, run: func(t *turn) { k.r.Committed(t, c.stamp, kn) }, done: func(n uint64, _ []effect) {
		k.committed(c, kn.TTL < 0, n)
	}}
	m.judged(e, &kn)
}

// seed brings the record that a list had. It is used where nothing newer is
// known, whatever is in the air (W8).
func (m *model) seed(k *keyModel, stamp uint64, r record) {
	kn := present(r.value)
	e := &errand{key: k, run: func(t *turn) { k.r.Seeded(t, stamp, kn) }, done: func(uint64, []effect) {
		newer := k.base.known != lifecycle.Nothing && k.base.seq >= stamp
		if m.closed || newer || len(k.layers) > 0 || stamp <= max(k.barrier, k.wrote) {
			return
		}
		k.learn(r, stamp, false)
	}}
	m.judged(e, &kn)
}

func (k *keyModel) close() {
	k.observers = 0
	k.m.send(&errand{key: k, run: func(t *turn) { k.r.Close(t) }, done: func(uint64, []effect) {
		for len(k.layers) > 1 || len(k.layers) == 1 && k.commit == 0 {
			k.ends(len(k.layers)-1, finish{err: lifecycle.ErrClosed})
		}
	}})
}
