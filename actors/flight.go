package actors

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// flight is one origin call, on a goroutine of its own, and user code with it:
// the source, Equal, Newer, Weigh. A look-up of the second tier is one too: see
// looking.
type flight[V any] struct {
	cell     *cell[V]
	stamp    uint64
	timeout  time.Duration
	last     *lifecycle.Version[V, *Future[V]] // for a conditional request
	ctx      flightContext
	ticket   ticket
	began    lifecycle.Instant
	detached *detached[V]              // nil: the crew sees to its timeout
	pending  atomic.Pointer[Future[V]] // what a plain demand may join unasked while it is the newest
	end      atomic.Uint32             // an ending: why it is no longer waited for
	parted   bool                      // it departed in a bulk call: it is counted in inFlight and working
	counted  bool                      // in Stats.Flights
	looking  bool                      // it asks the second tier, not the origin
	overdue  bool                      // the crew's: due was called

	waiting waiting // of the group that it was made for
}

// detached is what a flight has besides that takes off without the crew: a look-up,
// and one that departs in a bulk call.
type detached[V any] struct {
	limit deadline
	party atomic.Pointer[bulk[V]] // of a look-up: what its key flies with, if it has to
}

// detach begins the call of a flight that has to see to its timeout itself.
func (f *flight[V]) detach(now lifecycle.Instant) {
	f.begin(now)
	if f.detached == nil {
		f.detached = &detached[V]{}
	}
	f.detached.limit.owner = f
	f.cell.table.deadlines.set(&f.detached.limit, f.ctx.until)
}

// begin notes that the call begins now.
func (f *flight[V]) begin(now lifecycle.Instant) {
	f.began = now
	f.ctx.begin(f.cell.table.clock, now.Plus(f.timeout))
}

// The endings of a flight.
const (
	flying    uint32 = iota // none yet
	cancelled               // superseded, abandoned, or the table was closed
	timedOut
)

// newFlight makes a flight for the group of future: the one that was made with
// it, unless that has taken off.
func newFlight[V any](ctx context.Context, c *cell[V], future *Future[V], stamp uint64, timeout time.Duration, last *lifecycle.Version[V, *Future[V]]) *flight[V] {
	if timeout == 0 {
		timeout = c.table.timeout
	}
	f := firstOf(future)
	if f == nil || f.stamp != 0 { // or it has taken off
		f = &flight[V]{cell: c}
	}
	f.stamp, f.timeout, f.last = stamp, timeout, last
	if f.ctx.values = ctx; ctx == nil {
		f.ctx.values = context.Background()
	}
	return f
}

// takeOff starts the flight that e asks for, or takes it along in m's bulk call.
func (c *cell[V]) takeOff(e *lifecycle.Effect[V, *Future[V]], m *message[V], now lifecycle.Instant) {
	ctx := m.ctx
	if ctx == nil {
		if first := firstOf(e.Future); first != nil {
			ctx = first.ctx.values
		}
	}
	m.flew = true
	f := newFlight(ctx, c, e.Future, e.Stamp, e.Timeout, e.Version)
	f.began = now
	preset(&f.pending, c.joinable())
	replaced := c.flight.Swap(f)
	switch gate := c.table.gate; {
	case m.bulk != nil && m.bulk.board(f):
	case replaced != nil && !replaced.looking:
		gate.launch(f, &f.ticket, &replaced.ticket)
	default:
		gate.launch(f, &f.ticket, nil)
	}
}

// offer lets plain demands join future; nil: they have to ask.
func (f *flight[V]) offer(future *Future[V]) {
	if f.pending.Load() != future {
		f.pending.Store(future)
	}
}

// abandons, left and pool are for those who wait for the group's future.
func (f *flight[V]) abandons() bool   { return f.cell.table.rules.AbortAbandoned }
func (f *flight[V]) left(future any)  { f.cell.leave(future.(*Future[V])) }
func (f *flight[V]) pool() *sync.Pool { return &f.cell.table.seats }

// wanted says whether anybody still wants the answer. Once the table is closed
// nobody does, also where the cell has yet to be told.
func (f *flight[V]) wanted() bool { return f.end.Load() == flying && !f.cell.table.closed.Load() }

// start begins the origin call on a goroutine of its own.
func (f *flight[V]) start(waited bool) {
	t := f.cell.table
	if !f.parted {
		now := f.began // since takeOff nothing was waited for
		if waited {
			now = t.clock.Now()
		}
		f.begin(now)
		if t.tier != nil {
			f.began = t.tier.readTick()
		}
	}
	t.crew.fly(f)
}

// spared ends a flight that was in the air already, in a bulk call that said
// nothing of its key, and was given up before its own call could start. On a
// goroutine of its own: a handler may be what gave it up.
func (f *flight[V]) spared() {
	if f.parted {
		go f.arrive()
	}
}

// depart sets the clock of a flight whose bulk call begins now. It runs on where the
// flight goes again by itself.
func (f *flight[V]) depart(now lifecycle.Instant) {
	t := f.cell.table
	t.working.add()
	t.inFlight.Add(1)
	f.parted = true
	f.detach(now)
	if t.tier != nil {
		f.began = t.tier.readTick()
	}
}

// run is the flight's goroutine.
func (f *flight[V]) run() {
	if !f.wanted() {
		f.arrive()
		return
	}
	f.count()
	f.bring(nil)
}

// count counts an origin call: when it is made, for one that was given up before
// is spared. A part of a bulk call that is made again by itself is one.
func (f *flight[V]) count() {
	if !f.counted {
		f.counted = true
		f.cell.table.tallies.count(cFlights)
	}
}

// share is a flight's of what a bulk call answered.
type share[V any] struct {
	response Response[V]
	err      error
}

// bring lands with its share, nil: with what the origin answers, whatever user code
// does on the way, and ends the flight.
func (f *flight[V]) bring(s *share[V]) {
	landed := false
	defer func() {
		if !landed {
			f.fail(caught(recover()))
		}
		f.arrive()
	}()
	if s != nil {
		f.land(&s.response, s.err)
	} else {
		r, err := f.cell.table.source.Fetch(&f.ctx, f.request())
		f.land(&r, err)
	}
	landed = true
}

// arrive ends the origin call: it is no longer in the air.
func (f *flight[V]) arrive() {
	t := f.cell.table
	f.ctx.end(nil)
	t.gate.release(&f.ticket)
	if f.parted {
		t.deadlines.set(&f.detached.limit, lifecycle.Never)
		t.inFlight.Add(-1)
		defer t.working.done()
	}
	t.makeRoom()
}

func (f *flight[V]) request() Request[V] {
	r := Request[V]{Key: f.cell.key, Seq: f.stamp}
	if f.last != nil {
		t := f.cell.table
		s := t.snapshot(f.cell.key, f.last, t.clock.Now(), true)
		r.Last = &s
	}
	return r
}

// land brings the origin's answer to the cell.
func (f *flight[V]) land(r *Response[V], err error) {
	c := f.cell
	probe(err)
	switch {
	case err == nil && r.Unchanged && f.last == nil:
		f.fail(ErrUnchanged)
		return
	case err != nil && !errors.Is(err, ErrNotFound):
		f.fail(err)
		return
	}
	m := message[V]{op: opArrived, stamp: f.stamp}
	for {
		held := c.shown.Load().Confirmed()
		if err != nil {
			m.knowledge = lifecycle.Knowledge[V]{Known: lifecycle.Absent, Err: f.wrap(err)}
		} else {
			c.table.know(&m.knowledge, &m.weight, c.key, r, f.last, held)
		}
		m.late = f.end.Load() == timedOut
		if c.sendReplayed(&m); m.gone {
			c.table.dropLate(c.key, &m)
			return
		}
		if !m.again {
			return
		}
		m.again = false
	}
}

// dropLate has the cell of key handle the response of one that was evicted: it
// is dropped, and told of like any other (O2).
func (t *Table[V]) dropLate(key string, m *message[V]) {
	if t.closed.Load() {
		return
	}
	m.gone = false
	_ = t.with(key, m)
	t.vacate(t.cells.find(key))
}

func (f *flight[V]) wrap(err error) error {
	return &FetchError{Cache: f.cell.table.name, Key: f.cell.key, Seq: f.stamp, Err: err}
}

// fail tells the cell that the flight failed.
func (f *flight[V]) fail(err error) {
	m := message[V]{op: opFailed, stamp: f.stamp, err: f.wrap(err)}
	if shown := f.cell.shown.Load(); shown.Pending() > 0 { // one may fall, and leave what is held
		m.weight = f.cell.table.weighedHeld(f.cell.key, shown.Confirmed())
	}
	f.cell.sendReplayed(&m)
}

// failTimely is fail where user code must not run, on the timer's goroutine. The
// source hears of it after those who wait: they get err, not what it makes of that.
func (f *flight[V]) failTimely(err error) {
	t := f.cell.table
	if f.cell.shown.Load().Pending() == 0 {
		m := &message[V]{op: opFailed, stamp: f.stamp, err: f.wrap(err)}
		if f.cell.send(m); !m.unreplayed() {
			f.ctx.end(ErrTimeout)
			return
		}
	}
	t.working.add()
	go func() {
		defer t.working.done()
		f.fail(err)
		f.ctx.end(ErrTimeout)
		t.makeRoom()
	}()
}

// cancel ends the flight's context; what the source still answers is dropped.
func (f *flight[V]) cancel(cause error) {
	f.end.CompareAndSwap(flying, cancelled)
	f.ctx.end(cause)
}

// due is the flight's timeout. Those who wait do not wait for the source (C2).
func (f *flight[V]) due() {
	if f.looking {
		f.lookedTooLong()
		return
	}
	if f.end.CompareAndSwap(flying, timedOut) {
		f.failTimely(timeoutError{after: f.timeout})
	}
	f.cell.table.gate.release(&f.ticket)
	f.cell.table.makeRoom()
}
