package actors

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// bulk is several flights that share one origin call. Each stays a flight of
// its own: it can be superseded, time out and land by itself.
type bulk[V any] struct {
	table  *Table[V]
	source BulkSource[V]
	caller context.Context // whose values the call carries
	// awaited are the GetMany that still asks and the look-ups whose keys may
	// have to fly with the rest: the call is made when the last of them has come.
	awaited atomic.Int64
	mu      sync.Mutex
	made    bool // the call is: nobody boards any more
	flights []*flight[V]
	ctx     flightContext
	left    atomic.Int64 // members whose answer is still wanted
	limit   deadline
	ticket  ticket
}

// newBulk is the bulk of one GetMany, which says came when it has asked for all.
func newBulk[V any](ctx context.Context, t *Table[V]) *bulk[V] {
	b := &bulk[V]{table: t, source: t.bulkSource, caller: ctx}
	b.awaited.Store(1)
	return b
}

// board takes f along, and says false where it comes too late for that.
func (b *bulk[V]) board(f *flight[V]) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.made {
		b.flights = append(b.flights, f)
	}
	return !b.made
}

// depart lets nobody board any more, and leaves out who was given up already: a
// Set came in between, say.
func (b *bulk[V]) depart() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.made = true
	b.flights = slices.DeleteFunc(b.flights, func(f *flight[V]) bool { return !f.wanted() })
}

// await has the call wait for the look-up f, which may end in a flight.
func (b *bulk[V]) await(f *flight[V]) {
	b.awaited.Add(1)
	f.detached.party.Store(b)
}

// came says that one of those who were awaited has boarded, or will not.
func (b *bulk[V]) came() {
	if b.awaited.Add(-1) == 0 {
		b.launch()
	}
}

// launch lets the flights go that the demands of one GetMany took off with.
func (b *bulk[V]) launch() {
	t := b.table
	b.depart()
	switch len(b.flights) {
	case 0:
		return
	case 1:
		f := b.flights[0]
		f.began = t.clock.Now() // others were awaited since it took off
		t.gate.launch(f, &f.ticket, nil)
		return
	}
	b.ctx.values = b.caller
	b.limit.owner = b
	b.left.Store(int64(len(b.flights)))
	for _, f := range b.flights {
		// When nobody wants any of them any more the call is cancelled.
		context.AfterFunc(&f.ctx, func() {
			if b.left.Add(-1) == 0 {
				b.ctx.end(context.Cause(&f.ctx))
			}
		})
	}
	t.gate.launch(b, &b.ticket, nil)
}

func (b *bulk[V]) wanted() bool {
	for _, f := range b.flights {
		if f.wanted() {
			return true
		}
	}
	return false
}

// spared has nothing to end: none of its flights has departed.
func (b *bulk[V]) spared() {}

func (b *bulk[V]) start(bool) {
	t := b.table
	t.working.add()
	now := t.clock.Now()
	for _, f := range b.flights {
		f.depart(now)
	}
	b.ctx.begin(t.clock, now.Plus(b.flights[0].timeout))
	t.deadlines.set(&b.limit, b.ctx.until)
	go b.run()
}

// due frees the call's place at the gate: its flights have timed out.
func (b *bulk[V]) due() { b.table.gate.release(&b.ticket) }

func (b *bulk[V]) run() {
	t := b.table
	var (
		responses map[string]Response[V]
		many      *ManyError
		err       error
		returned  bool
	)
	defer func() {
		if !returned {
			responses, many, err = nil, nil, caught(recover())
		}
		t.deadlines.set(&b.limit, lifecycle.Never)
		t.gate.release(&b.ticket)
		b.deliver(responses, many, err, returned)
		t.working.done()
	}()
	requests := make([]Request[V], 0, len(b.flights))
	for _, f := range b.flights {
		if f.wanted() {
			f.count()
			requests = append(requests, f.request())
		}
	}
	if len(requests) > 0 { // or all were given up before it came to the call
		responses, err = b.source.FetchMany(&b.ctx, requests)
		if !errors.As(err, &many) { // else it is looked into key by key
			probe(err)
		}
	}
	returned = true
}

// deliver lands each flight with its part of the answer. What the answer does
// not speak of flies again by itself: one bad key must not fail the others.
func (b *bulk[V]) deliver(responses map[string]Response[V], many *ManyError, err error, returned bool) {
	for _, f := range b.flights {
		r, ok := responses[f.cell.key]
		var own error
		if many != nil {
			own = many.Errs[f.cell.key]
		}
		if !returned {
			own = err
		}
		switch {
		case ok || own != nil:
			if ok {
				own = nil
			}
			// Also where nobody wants it any more: a response that comes out of
			// order is told as Dropped, whoever brought it (O2).
			go f.bring(&share[V]{r, own})
		case f.wanted():
			b.table.gate.launch(f, &f.ticket, nil)
		default:
			f.arrive()
		}
	}
}
