package actors

import (
	"context"
	"errors"
	"fmt"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// answer is what a demand got: the shown version, at once, or a future.
type answer[V any] struct {
	shown  *lifecycle.Version[V, *Future[V]]
	future *Future[V]
}

// Lookup is Get that returns the whole snapshot. Where it returns an error the
// snapshot says what is known all the same.
func (t *Table[V]) Lookup(ctx context.Context, key string, opts ...FetchOption) (Snapshot[V], error) {
	v, err := t.lookup(ctx, key, opts)
	if err != nil {
		s, _ := t.Peek(key)
		return s, err
	}
	c := t.cells.find(key)
	return t.snapshot(key, v, t.clock.Now(), c != nil && c.flight.Load() != nil), nil
}

// lookup returns the version that answers, waiting for it if need be.
func (t *Table[V]) lookup(ctx context.Context, key string, opts []FetchOption) (*lifecycle.Version[V, *Future[V]], error) {
	var w wish[V]
	if err := w.heed(opts); err != nil {
		return nil, err
	}
	if ctx == nil {
		ctx = context.Background()
	}
	a, err := t.demand(ctx, key, &w, nil)
	if err != nil {
		return nil, err
	}
	return t.await(ctx, a, &w.demand)
}

// getNew is get for a key that had no cell just now, as most that are missed: there is
// nothing to look up, and there are no options.
func (t *Table[V]) getNew(ctx context.Context, key string, n name) (V, error) {
	if ctx == nil || ctx.Err() != nil || t.closed.Load() {
		return t.get(ctx, key, nil)
	}
	var none V
	c, made, err := t.enterNew(n, key)
	if err != nil {
		return none, err
	}
	var d lifecycle.Demand[*Future[V]]
	a, gone, err := t.askCell(ctx, c, made, &d, oneWaiter, nil)
	switch {
	case gone:
		return t.get(ctx, key, nil)
	case err != nil:
		return none, err
	}
	v, err := t.await(ctx, a, &d)
	if err != nil {
		return none, err
	}
	return v.Value, nil
}

// demand answers one who is about to await it. Nothing takes off for one whose
// context has ended already.
func (t *Table[V]) demand(ctx context.Context, key string, w *wish[V], b *bulk[V]) (answer[V], error) {
	switch {
	case w.cachedOnly:
		return t.cached(key, &w.demand, ErrNotCached)
	case ctx.Err() != nil:
		return t.cached(key, &w.demand, ended(ctx))
	default:
		return t.ask(ctx, key, &w.demand, oneWaiter, b)
	}
}

// await waits for an answer as a counted waiter.
func (t *Table[V]) await(ctx context.Context, a answer[V], d *lifecycle.Demand[*Future[V]]) (*lifecycle.Version[V, *Future[V]], error) {
	if a.shown != nil {
		if a.shown.Known == lifecycle.Present {
			return a.shown, nil
		}
		a.future = a.shown.Future // an absence: its error
	}
	if w := a.future.wait.Load(); w != nil {
		if err := a.future.waitFor(ctx, w); err != nil {
			return nil, err
		}
	}
	v := a.future.outcome.Load()
	switch failed := a.future.failure; {
	case failed == nil:
		if v.Failure() != nil {
			t.tallies.count(cStaleHits) // it carries on (F7)
		}
		return v, nil
	case failed.fallback != nil && d.Kind == lifecycle.Plain:
		// A strict demand was in the group; this one may have the old value.
		t.tallies.count(cStaleHits)
		return failed.fallback, nil
	default:
		return nil, failed.err
	}
}

// ended is the error of a context that is done: its Err, and its cause where
// that says more.
func ended(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if cause == nil || errors.Is(err, cause) {
		return err
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// Fetch returns the future that answers, at once; ctx only lends its values to
// a flight that takes off.
func (t *Table[V]) Fetch(ctx context.Context, key string, opts ...FetchOption) *Future[V] {
	if len(opts) == 0 {
		if v := t.hit(key); v != nil {
			return settledBy(v)
		}
	}
	var w wish[V]
	err := w.heed(opts)
	if err != nil {
		return failedFuture[V](err)
	}
	var a answer[V]
	if w.cachedOnly {
		a, err = t.cached(key, &w.demand, ErrNotCached)
	} else {
		a, err = t.ask(ctx, key, &w.demand, oneOwed, nil)
	}
	switch {
	case err != nil:
		return failedFuture[V](err)
	case a.shown != nil:
		return settledBy(a.shown)
	}
	return a.future
}

// settledBy is the future of a shown version. A version is shown a moment before
// its cell settles the future, so that nobody who was woken sees the one before
// it; whoever comes in that moment does the same settling (F2).
func settledBy[V any](v *lifecycle.Version[V, *Future[V]]) *Future[V] {
	if v.Known == lifecycle.Present && v.Future.outcome.Load() == nil {
		v.Future.settle(v, nil, v.Seq)
	}
	return v.Future
}

// cached is F0(a) alone; otherwise is the error where that does not apply.
func (t *Table[V]) cached(key string, d *lifecycle.Demand[*Future[V]], otherwise error) (answer[V], error) {
	if t.closed.Load() {
		return answer[V]{}, ErrClosed
	}
	c := t.cells.find(key)
	if c == nil {
		if err := checkKey(key); err != nil {
			return answer[V]{}, err
		}
		return answer[V]{}, otherwise
	}
	v, now := c.shown.Load(), t.clock.Now()
	switch v.Admit(now, &t.rules, d) {
	case lifecycle.Serve, lifecycle.ServeAndRefresh:
		t.served(c, v, now)
		return answer[V]{shown: v}, nil
	}
	return answer[V]{}, otherwise
}

// ask answers a demand (F0). hold is what a pending future is held with. Where
// nothing has to be decided no message is sent: what is shown answers, or the
// pending future is joined.
func (t *Table[V]) ask(ctx context.Context, key string, d *lifecycle.Demand[*Future[V]], hold uint64, b *bulk[V]) (answer[V], error) {
	if ctx == nil {
		ctx = context.Background()
	}
	for {
		if t.closed.Load() {
			return answer[V]{}, ErrClosed
		}
		c, made, err := t.enter(key)
		if err != nil {
			return answer[V]{}, err
		}
		if a, gone, err := t.askCell(ctx, c, made, d, hold, b); !gone {
			return a, err
		}
	}
}

// askCell is ask of a cell, which was made for it or found; gone: it has been
// evicted.
func (t *Table[V]) askCell(ctx context.Context, c *cell[V], made bool, d *lifecycle.Demand[*Future[V]], hold uint64, b *bulk[V]) (a answer[V], gone bool, err error) {
	if !made {
		if a, ok := t.unasked(c, d, hold); ok {
			return a, false, nil
		}
	}
	return t.sendDemand(ctx, c, made, d, hold, b)
}

// sendDemand is askCell where something has to be decided. Whoever joins what is in the
// air needs no room for a message on his stack: a thousand new goroutines may.
func (t *Table[V]) sendDemand(ctx context.Context, c *cell[V], made bool, d *lifecycle.Demand[*Future[V]], hold uint64, b *bulk[V]) (a answer[V], gone bool, err error) {
	var m message[V]
	m.op, m.ctx, m.demand, m.hold, m.bulk = opDemand, ctx, *d, hold, b
	if c.send(&m); m.gone {
		return a, true, nil
	}
	if made {
		t.makeRoom()
	}
	switch {
	case m.failed != nil:
		return a, false, m.failed
	case m.served != nil:
		t.served(c, m.served, t.clock.Now())
		a.shown = m.served
		return a, false, nil
	case m.flew:
		t.tallies.count(cMisses)
	default:
		t.tallies.count(cCoalesced)
	}
	a.future = m.answer
	return a, false, nil
}

// unasked answers a demand without a message, if that can be.
func (t *Table[V]) unasked(c *cell[V], d *lifecycle.Demand[*Future[V]], hold uint64) (a answer[V], ok bool) {
	t.clock.wake()
	v, now := c.shown.Load(), t.clock.Now()
	switch v.Admit(now, &t.rules, d) {
	case lifecycle.Serve:
		t.served(c, v, now)
		return answer[V]{shown: v}, true
	case lifecycle.ServeAndRefresh:
		if c.flight.Load() == nil {
			return a, false
		}
		t.served(c, v, now)
		return answer[V]{shown: v}, true
	case lifecycle.ServeFailure:
		c.rank.touch()
		t.tallies.count(cHits)
		return answer[V]{future: v.Failure().Future}, true
	}
	if d.Kind != lifecycle.Plain {
		return a, false
	}
	newest := c.flight.Load()
	if newest == nil || newest.stamp < t.tags.newest.Load() {
		// In the last case it may carry a tag that was invalidated since it took
		// off: that needs a decision (lifecycle.Demand.Uncertain).
		return a, false
	}
	f := newest.pending.Load()
	if f == nil {
		return a, false
	}
	if w := f.wait.Load(); w == nil || !w.join(hold) {
		return a, false // it has settled since, perhaps because it was given up
	}
	t.tallies.count(cCoalesced)
	return answer[V]{future: f}, true
}

// served counts a demand that v answered.
func (t *Table[V]) served(c *cell[V], v *lifecycle.Version[V, *Future[V]], now lifecycle.Instant) {
	c.rank.touch()
	if now < v.FreshEnd {
		t.tallies.count(cHits)
	} else {
		t.tallies.count(cStaleHits)
	}
}
