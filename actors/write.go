package actors

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// write is a mutation on its way to the origin, and who waits for it. Its
// commit runs on a goroutine of its own, user code and all.
type write[V any] struct {
	lifecycle.Mutation[V]
	table    *Table[V]
	cell     *cell[V] // nil: a Create, whose key only the origin knows
	call     func(ctx context.Context, optimistic V) (key string, stored V, err error)
	tags     []string // invalidated when it lands
	prefixes []string

	done  chan struct{} // closed when key, value and err are there
	key   string
	value V
	err   error

	stamp      uint64 // of its take-off
	optimistic V
	flying     bool // the commit's goroutine closes done
	ctx        flightContext
	limit      deadline
	ticket     ticket
	state      atomic.Uint32
}

// The states of a write.
const (
	unasked  uint32 = iota // it waits for its turn at the gate: the origin knows nothing
	asked                  // the origin was asked
	answered               // and its answer is being taken
	givenUp                // its answer is not waited for
)

func newWrite[V any](ctx context.Context, t *Table[V], key string) *write[V] {
	w := &write[V]{table: t, key: key, done: make(chan struct{})}
	w.limit.owner, w.Owner = w, w
	w.ctx.values = ctx
	return w
}

// wait waits for the origin's answer, as long as the context of the caller that
// the write was made with allows. One who leaves does not end the write (W6).
func (w *write[V]) wait() (V, error) {
	ctx := w.ctx.values
	select {
	case <-w.done:
		return w.value, w.err
	case <-ctx.Done():
	}
	select {
	case <-w.done: // both at once: the answer is worth more
		return w.value, w.err
	default:
		var none V
		return none, ended(ctx)
	}
}

// finish takes the outcome. What waits behind a commit that flew, its goroutine
// lets go when all that follows from it has been done.
func (w *write[V]) finish(value *V, err error, unknown bool) {
	w.table.writes.pending.Add(-1)
	switch {
	case err != nil:
		w.err = &WriteError{Key: w.key, Unknown: unknown, Err: err}
	case value != nil:
		w.value = *value
	}
	if !w.flying {
		w.ctx.end(nil)
		close(w.done)
	}
}

// wanted says whether the origin is still to be asked.
func (w *write[V]) wanted() bool { return w.state.Load() == unasked }

// start begins the commit on a goroutine of its own.
func (w *write[V]) start(bool) {
	t := w.table
	w.ctx.begin(t.clock, t.clock.Now().Plus(t.timeout))
	t.deadlines.set(&w.limit, w.ctx.until)
	t.working.add()
	go w.run()
}

// spared ends a commit that was given up before it could start.
func (w *write[V]) spared() {}

func (w *write[V]) run() {
	var (
		key      string
		stored   V
		err      error
		what     lifecycle.Refusal
		returned bool
	)
	defer func() {
		if !returned {
			err, what = caught(recover()), lifecycle.Unclear
		}
		t := w.table
		t.deadlines.set(&w.limit, lifecycle.Never)
		switch {
		case !w.state.CompareAndSwap(asked, answered):
			if err == nil || what == lifecycle.Unclear {
				w.cameLate(key)
			}
		case err != nil:
			w.refused(err, what)
		default:
			w.landed(key, stored)
		}
		w.ctx.end(nil)
		t.gate.release(&w.ticket)
		t.makeRoom()
		t.working.done()
	}()
	if w.state.CompareAndSwap(unasked, asked) {
		key, stored, err = w.call(&w.ctx, w.optimistic)
		probe(err)
		what = refusal(err)
	} else {
		err = ErrClosed
	}
	returned = true
}

// due is the timeout: nobody, and no other write of the key, waits for the
// origin any longer.
func (w *write[V]) due() {
	t := w.table
	t.working.add()
	go func() { // for user code must not run on the timer's goroutine
		defer t.working.done()
		w.giveUp(timeoutError{after: t.timeout}, ErrTimeout)
	}()
}

// giveUp ends a write whose answer has not come: as unknown, unless the origin
// was not asked yet.
func (w *write[V]) giveUp(err, cause error) {
	spared := w.state.CompareAndSwap(unasked, givenUp)
	if !spared && !w.state.CompareAndSwap(asked, givenUp) {
		return
	}
	w.ctx.end(cause)
	what := lifecycle.Unclear
	if spared {
		what = lifecycle.Refused
	}
	w.refused(err, what)
	w.table.gate.release(&w.ticket)
	w.table.makeRoom()
}

// cameLate: the origin may have applied the write only now, after the resource
// was read again.
func (w *write[V]) cameLate(key string) {
	t := w.table
	if w.cell != nil {
		key = w.key
	}
	if checkKey(key) == nil {
		t.withBarrier(key, &message[V]{op: opInvalidate})
	}
	t.lists.failed(w, lifecycle.Unclear)
	w.spread()
}

// refused takes the mutation out again.
func (w *write[V]) refused(err error, what lifecycle.Refusal) {
	t := w.table
	t.lists.failed(w, what)
	if w.cell == nil {
		w.finish(nil, err, what == lifecycle.Unclear)
	} else {
		m := message[V]{op: opRejected, ctx: &w.ctx, stamp: w.stamp, err: err, refusal: what}
		if !t.closed.Load() {
			m.weight = t.weighedHeld(w.key, w.cell.shown.Load().Confirmed())
		}
		w.cell.sendReplayed(&m)
	}
	if what == lifecycle.Unclear {
		w.spread()
	}
	w.over()
}

// landed makes the origin's answer what is known.
func (w *write[V]) landed(key string, stored V) {
	t := w.table
	if w.cell == nil {
		w.created(key, stored)
		t.lists.applied(w, stored)
	} else {
		t.lists.applied(w, stored) // first: then the key's next write takes off
		if err := w.confirm(w.cell, opCommitted, stored); err != nil {
			// The origin has applied it; what it said could not be taken in.
			w.refused(err, lifecycle.Unclear)
			return
		}
	}
	w.spread()
	w.over()
}

// created makes the record of a Create known under the key that the origin gave.
func (w *write[V]) created(key string, stored V) {
	t := w.table
	w.key = key
	if err := checkKey(key); err != nil {
		w.finish(nil, err, true)
		w.value = stored // there it is, only not here
		return
	}
	for {
		c, _, err := t.enter(key)
		if err == nil {
			err = w.confirm(c, opCreated, stored)
		}
		if err == errGone { //nolint:errorlint // this very one: another may be user code's
			continue
		}
		if err != nil { // it could not be taken in, and what is held is older
			t.withBarrier(key, &message[V]{op: opInvalidate})
		}
		w.finish(nil, err, err != nil)
		w.value = stored
		return
	}
}

// overtaken says that what a Create made known may be no longer what the origin
// has: it waits for no other write of its key, and none waits for it (W2).
func (w *write[V]) overtaken() bool {
	c := w.table.cells.find(w.key)
	if c == nil {
		return true
	}
	v := c.shown.Load()
	return v == nil || v.Void || v.Pending() > 0 || v.Seq != w.stamp
}

// errGone says that a cell was evicted before it was told.
var errGone = errors.New("the cell is gone")

// confirm tells c what the origin has now.
func (w *write[V]) confirm(c *cell[V], how op, stored V) error {
	t := w.table
	m := message[V]{op: how, ctx: &w.ctx, stamp: w.stamp}
	for held := c.shown.Load().Confirmed(); ; held = m.served.Confirmed() {
		m.again, m.held = false, t.weighedHeld(w.key, held)
		if w.Kind == lifecycle.Delete {
			m.knowledge = lifecycle.Knowledge[V]{Known: lifecycle.Absent}
		} else if err := w.takeIn(&m, held, stored); err != nil {
			return err
		}
		switch c.sendReplayed(&m); {
		case m.gone:
			return errGone
		case !m.again:
			return nil
		}
	}
}

// takeIn has m say what the origin has now.
func (w *write[V]) takeIn(m *message[V], held *lifecycle.Version[V, *Future[V]], stored V) error {
	t := w.table
	var (
		k      lifecycle.Knowledge[V]
		weight uint32
	)
	err := t.timely(func() {
		t.know(&k, &weight, w.key, &Response[V]{Value: stored}, nil, held)
		if k.Older {
			// What the origin has after the write takes the place of its equal: a
			// version may be a time in seconds, or what was sent come back.
			k.Older = t.newer(held.Value, stored)
		}
	})
	if err == nil {
		m.knowledge, m.weight = k, weight
	}
	return err
}

// spread invalidates what the write makes stale, now that it has landed.
func (w *write[V]) spread() {
	t := w.table
	_, _ = t.InvalidateTag(&w.ctx, w.tags...)
	for _, prefix := range w.prefixes {
		if _, err := t.InvalidatePrefix(&w.ctx, prefix); err != nil && t.tier != nil {
			t.tier.erasePrefix(t.tier.cover(prefix), t.numbers.Add(1)) // closed: the next process must not find them
		}
	}
}

// over lets go who waits.
func (w *write[V]) over() {
	if w.cell == nil {
		w.table.departed.end()
	}
	w.table.writes.leave(w)
	close(w.done)
}
