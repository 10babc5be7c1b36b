package actors

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// cell is the actor of one key: the only writer of its resource. It drives the
// pure state machine with one message at a time and performs what that says.
//
// Readers look at shown and flight without a message; all else is the mailbox's.
type cell[V any] struct {
	// What a hit touches, if anything (mark, Table.hit), comes first, in one
	// cache line.
	key   string
	shown atomic.Pointer[lifecycle.Version[V, *Future[V]]] // nil: nothing was ever known
	rank  rank[V]                                          // the eviction policy's

	table  *Table[V]
	flight atomic.Pointer[flight[V]] // the newest in the air

	mail mailbox[V]
	life lifecycle.Resource[V, *Future[V]]
}

type phase uint8

const (
	unborn phase = iota // in the table, no message handled yet
	alive
	dead // evicted: whoever still holds it looks up again
)

// handle runs one command. It holds the mailbox: no user code, nothing that
// waits, no other cell.
func (c *cell[V]) handle(m *message[V]) {
	t := c.table
	if c.rank.phase == unborn {
		c.rank.phase = alive
		// After it was put into the table, so that whoever raised the floor
		// either found the cell there or is heeded here.
		c.life.Start(t.floor.Load())
	}
	if c.rank.phase == dead {
		m.gone = true
		return
	}
	if t.closed.Load() && m.op != opClose {
		c.closeNow() // the table was closed before this cell could be told
	}
	var turn turn[V]
	turn.Rules, turn.Driver, turn.Now, turn.Values, turn.Replay = &t.rules, c, t.clock.Now(), m.ctx, m.replay
	group, queued := c.step(&turn, m)
	c.perform(&turn, m)
	// Not before what is given up has settled: a newcomer would get its end.
	c.unseal(group, queued)
}

// closeNow handles an opClose. Its message is no part of handle's frame, which every
// goroutine that sends has to have room for.
//
//go:noinline
func (c *cell[V]) closeNow() { c.handle(&message[V]{op: opClose}) }

// turn is a turn of a cell. It lies on the handler's stack: nobody keeps a pointer to it
// or to its effects.
type turn[V any] = lifecycle.Turn[V, *Future[V]]

// step runs the command of m. It returns the futures that it sealed.
func (c *cell[V]) step(turn *turn[V], m *message[V]) (group, queued *Future[V]) {
	t := c.table
	switch m.op {
	case opDemand:
		m.demand.Uncertain = t.tags.newest.Load()
		c.life.Demand(turn, m.demand)
	case opLeave:
		group = m.future
		turn.Waiting = !group.trySeal()
		c.life.Leave(turn, group)
	case opArrived:
		m.knowledge.Cover = t.tags.enter(c, m.knowledge.Tags)
		if m.knowledge.Cover > m.stamp {
			group, queued = c.invalidateEarly(turn)
		}
		if m.knowledge.TTL < 0 {
			t.departed.note(c.key, m.stamp)
		}
		c.life.Arrived(turn, m.stamp, &m.knowledge, m.late)
	case opFailed:
		c.life.Failed(turn, m.stamp, m.err)
	case opInvalidate:
		group, queued = c.seal(turn)
		c.life.Invalidate(turn, m.stamp)
	case opVoid:
		group, queued = c.seal(turn)
		c.life.Void(turn, m.stamp)
	case opLooked:
		if m.found {
			m.knowledge.Cover = t.tags.enter(c, m.knowledge.Tags)
		}
		c.life.Looked(turn, m.stamp, m.knowledge, m.found)
	case opStored:
		c.life.Stored(m.stamp)
	case opExpire:
		c.life.Expire(turn)
	case opSet:
		m.knowledge.Cover = t.tags.enter(c, m.knowledge.Tags)
		c.life.Set(turn, m.knowledge)
	case opRemove:
		group, queued = c.seal(turn)
		c.life.Remove(turn)
	case opEvict:
		shown := c.shown.Load()
		switch {
		case m.reason == lifecycle.ByAge && !t.aged(shown, turn.Now):
		case m.reason == lifecycle.ByRemoval && known(shown): // it has come back
		default:
			if shown != nil {
				t.departed.note(c.key, shown.Seq)
			}
			c.life.Evict(turn, m.reason)
		}
	case opObserve:
		c.life.Observe(turn, m.refresh)
	case opUnobserve:
		c.life.Unobserve(turn, m.refresh)
	case opDue:
		c.life.Due(turn)
	case opClose:
		c.life.Close(turn)
	case opMutate:
		group, queued = c.seal(turn)
		c.life.Mutate(turn, m.mutation)
	case opCommitted:
		group, queued = c.seal(turn)
		c.life.Committed(turn, m.stamp, m.knowledge)
	case opRejected:
		group, queued = c.seal(turn)
		c.life.Rejected(turn, m.stamp, m.err, m.refusal)
	case opCreated:
		group, queued = c.seal(turn)
		m.knowledge.Cover = t.departed.newest(c.key)
		c.life.Created(turn, m.stamp, m.knowledge)
	case opSeeded:
		c.life.Seeded(turn, m.stamp, m.knowledge)
	case opAmend:
		group, queued = c.seal(turn)
		c.life.Amend(turn, m.knowledge)
	}
	return group, queued
}

// invalidateEarly invalidates what is held where one of its tags has a barrier above
// it: whoever raised that is on the way here. The response that is below it too goes
// to those who asked before, and nobody may see the older value after them (O8).
func (c *cell[V]) invalidateEarly(turn *turn[V]) (group, queued *Future[V]) {
	held := c.life.Base()
	if barrier := c.table.tags.barrier(held.Tags()); barrier > held.Held() {
		group, queued = c.seal(turn)
		c.life.Invalidate(turn, barrier)
	}
	return group, queued
}

// seal finds out whether anybody waits for what is in the air and, where
// nobody does, keeps newcomers out until what was decided has been done.
func (c *cell[V]) seal(turn *turn[V]) (group, queued *Future[V]) {
	group, queued = c.life.Pending()
	for _, f := range [...]*Future[V]{group, queued} {
		if f != nil && !f.trySeal() {
			turn.Waiting = true
		}
	}
	return group, queued
}

// unseal undoes seal.
func (c *cell[V]) unseal(group, queued *Future[V]) {
	if group != nil {
		group.unseal()
	}
	if queued != nil {
		queued.unseal()
	}
}

// perform does what the step decided: first what makes it visible, then what
// follows from it.
func (c *cell[V]) perform(turn *turn[V], m *message[V]) {
	before := c.shown.Load()
	c.publish(turn, m)
	// Not before: a value that is still shown has to be found by its tags.
	after := c.shown.Load()
	if tags := before.Tags(); len(tags) > 0 && after != before {
		c.table.tags.leaveAll(c, tags, after.Tags())
	}
	if tags := m.knowledge.Tags; len(tags) > 0 {
		c.table.tags.leaveAll(c, tags, after.Tags())
	}
	if f := c.flight.Load(); f != nil && c.life.Flying() != 0 {
		f.offer(c.joinable())
	}
	for i := range turn.Effects.Len() {
		c.do(turn.Effects.At(i), m, turn.Now)
	}
	if c.life.Flying() == 0 && c.flight.Load() != nil {
		c.flight.Store(nil)
	}
	if pinned := c.life.Pinned(); pinned != c.rank.pinned() {
		c.rank.pin(pinned)
	}
	if c.rank.state.Load() == isApart|isUnpinned && c.mayGo() {
		c.table.policy.free(c)
	}
	if m.op == opClose {
		c.table.cells.stage(c).show(c.shown.Load().Ended(), turn.Now) // a closed cache answers no hit (C5)
	}
}

func (c *cell[V]) do(e *lifecycle.Effect[V, *Future[V]], m *message[V], now lifecycle.Instant) {
	t := c.table
	switch e.Do {
	case lifecycle.DoPublish: // done
	case lifecycle.DoAnswer:
		m.failed, m.answer, m.served = e.Err, e.Future, e.Version
		if f := e.Future; f != nil {
			if w := f.wait.Load(); w != nil {
				w.count.Add(m.hold)
			}
		}
	case lifecycle.DoTakeOff:
		c.takeOff(e, m, now)
	case lifecycle.DoLookUp:
		c.lookUp(e, m)
	case lifecycle.DoPersist:
		t.tier.persist(c, e.Version, m.began)
	case lifecycle.DoErase:
		t.tier.erase(c, e.Stamp)
	case lifecycle.DoCancel:
		if errors.Is(e.Err, ErrSuperseded) {
			t.tallies.count(cSuperseded)
		}
		c.flight.Load().cancel(e.Err)
	case lifecycle.DoSettle:
		e.Future.settle(e.Version, e.Err, e.Stamp)
	case lifecycle.DoAgain:
		// A closed cell shows nothing and has something all the same.
		m.again, m.served = true, c.life.Shown()
	case lifecycle.DoReplay:
		m.replay = e.Replay
	case lifecycle.DoCommit:
		w := e.Mutation.Owner.(*write[V])
		w.stamp, w.flying = e.Stamp, true
		if e.Value != nil {
			w.optimistic = *e.Value
		}
		t.writes.enter(w)
		t.gate.launch(w, &w.ticket, nil)
	case lifecycle.DoFinish:
		e.Mutation.Owner.(*write[V]).finish(e.Value, e.Err, e.Unknown)
	case lifecycle.DoArm:
		t.arm(c, e.At)
	case lifecycle.DoDie:
		t.bury(c)
		m.gone = true
		if m.reason == lifecycle.BySize {
			t.tallies.count(cEvictions)
		}
	}
}

// joinable is what a plain demand may join unasked; nil: nothing.
func (c *cell[V]) joinable() *Future[V] {
	f, ok := c.life.Joinable(&c.table.rules)
	if !ok {
		return nil
	}
	return f
}

// arm sets the alarm of an observed resource; Never takes it away. Few are
// observed: their alarms are no word in every cell.
func (t *Table[V]) arm(c *cell[V], at lifecycle.Instant) {
	var alarm any
	if at == lifecycle.Never {
		alarm, _ = t.alarms.LoadAndDelete(c)
	} else {
		alarm, _ = t.alarms.LoadOrStore(c, &deadline{owner: c})
	}
	if alarm != nil {
		t.deadlines.set(alarm.(*deadline), at)
	}
}

// due is the alarm of an observed resource.
func (c *cell[V]) due() {
	c.send(&message[V]{op: opDue, ctx: context.Background()})
}

// leave says that the last waiter for f left (C3).
func (c *cell[V]) leave(f *Future[V]) {
	c.send(&message[V]{op: opLeave, future: f})
	c.table.sweeper.wanted() // it may know nothing now
	c.table.makeRoom()
}
