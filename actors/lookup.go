package actors

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// lookUp starts the look-up that e asks for: on a goroutine of its own, when it is
// its turn. A hundred thousand keys at once are no reason to time out.
func (c *cell[V]) lookUp(e *lifecycle.Effect[V, *Future[V]], m *message[V]) {
	s := c.table.tier
	m.flew = true
	f := newFlight(context.Background(), c, nil, e.Stamp, s.timeout, nil)
	f.looking, f.detached = true, &detached[V]{}
	preset(&f.pending, c.joinable())
	c.flight.Store(f)
	if m.bulk != nil {
		m.bulk.await(f)
	}
	s.gate.launch(&look[V]{tier: s, flight: f}, &f.ticket, nil)
}

// look is a look-up at its gate.
type look[V any] struct {
	tier   *tier[V]
	flight *flight[V]
}

func (l *look[V]) wanted() bool { return l.flight.wanted() }

// spared ends a look-up that was given up before its turn. On a goroutine of its
// own: whatever waited for it alone takes off now, and this holds the gate.
func (l *look[V]) spared() {
	if l.flight.detached.party.Load() != nil {
		go l.flight.leaveParty()
	}
}

func (l *look[V]) start(bool) {
	t, f := l.tier.table, l.flight
	t.working.add()
	f.detach(t.clock.Now())
	go l.tier.look(f)
}

// look is the goroutine of a look-up. Whatever the Store does, the cell is told,
// by this goroutine or by the deadline (D2).
func (s *tier[V]) look(f *flight[V]) {
	t := s.table
	entered, told := false, false
	defer func() {
		if !told {
			s.failed("look up", f.cell.key, caught(recover()))
			f.looked(&message[V]{})
		}
		if entered {
			s.leave()
		}
		t.deadlines.set(&f.detached.limit, lifecycle.Never)
		f.ctx.end(nil)
		s.gate.release(&f.ticket)
		t.makeRoom()
		t.working.done()
	}()
	var m message[V]
	switch {
	case s.outdated(f.cell.key):
	case !s.well():
		s.failed("look up", f.cell.key, errStoreHangs)
	case !s.enter():
		s.failed("look up", f.cell.key, errStoreBusy)
	default:
		entered = true
		s.read(f, &m)
		s.answered(f)
	}
	told = true
	if m.found && f.wanted() {
		t.tallies.count(cStoreHits)
	}
	f.looked(&m)
}

// read fills m with what the Store has.
func (s *tier[V]) read(f *flight[V], m *message[V]) {
	t, key := s.table, f.cell.key
	r, err := s.store.Get(&f.ctx, key)
	switch {
	case errors.Is(err, ErrNotFound):
		return
	case err != nil:
		if f.wanted() {
			s.failed("look up", key, err)
		}
		return
	case !r.ExpiresAt.IsZero() && !time.Now().Before(r.ExpiresAt), t.tags.since(r.Tags, r.ReadAt):
		return
	}
	ttl, age, payload, err := unpackRecord(r.Value)
	var value V
	if err == nil {
		value, err = s.codec.Unmarshal(payload)
	}
	if err != nil {
		s.failed("understand a record", key, err)
		return
	}
	if t.weigh != nil {
		m.weight = t.weigh(key, value)
	}
	m.found = true
	m.knowledge = lifecycle.Knowledge[V]{
		Known: lifecycle.Present, Value: value, TTL: ttl,
		Age:       ageOf(time.Since(r.ReadAt), age),
		Validator: r.Validator, Tags: slices.Clone(r.Tags),
	}
}

// ageOf is the sum of how long ago a record was read and how old it was then,
// whatever the record says.
func ageOf(ago, then time.Duration) time.Duration {
	if ago > 0 && then > lifecycle.Forever-ago {
		return lifecycle.Forever
	}
	return max(ago+then, 0)
}

// looked brings what the Store had to the cell. If the key has to fly it does so
// with the others of its GetMany.
func (f *flight[V]) looked(m *message[V]) {
	defer f.leaveParty()
	m.op, m.stamp, m.bulk = opLooked, f.stamp, f.detached.party.Load()
	for {
		m.again = false
		if f.cell.sendReplayed(m); !m.again {
			return
		}
	}
}

// leaveParty has the others of a GetMany wait for this look-up no longer. The first
// call counts: a look-up may be over by its deadline and by its answer.
func (f *flight[V]) leaveParty() {
	if b := f.detached.party.Swap(nil); b != nil {
		b.came()
	}
}

// lookedTooLong goes on to the origin without the Store.
func (f *flight[V]) lookedTooLong() {
	s := f.cell.table.tier
	defer s.gate.release(&f.ticket)
	if f.end.CompareAndSwap(flying, timedOut) {
		s.hangs()
		s.failed("look up", f.cell.key, errStoreHangs)
		f.looked(&message[V]{})
		f.ctx.end(ErrTimeout)
	}
	f.leaveParty() // also where it was given up, and the Store does not end it
}

// overtaken goes on to the origin where f is a look-up: others changed the record
// that it may have read.
func (f *flight[V]) overtaken() {
	if f.looking && f.end.CompareAndSwap(flying, cancelled) {
		f.looked(&message[V]{})
		f.ctx.end(ErrSuperseded)
	}
}

// well says whether the Store may be asked. One that hung is left alone until
// one look-up a timeout finds it well again: so a miss never waits for more than
// one timeout, however many wait for their turn.
func (s *tier[V]) well() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sick.IsZero() {
		return true
	}
	if now := time.Now(); now.After(s.sick) {
		s.sick = now.Add(s.timeout)
		return true
	}
	return false
}

// hangs notes that a look-up took too long.
func (s *tier[V]) hangs() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sick = time.Now().Add(s.timeout)
}

// answered notes that the Store answered f, if it was in time.
func (s *tier[V]) answered(f *flight[V]) {
	if f.end.Load() != timedOut {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.sick = time.Time{}
	}
}
