package actors

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/freshet-go/freshet/actors/lifecycle"
	"github.com/freshet-go/freshet/streams"
)

// known says whether v tells anything, as Peek sees it.
func known[V any](v *lifecycle.Version[V, *Future[V]]) bool {
	return v != nil && (v.Known != lifecycle.Nothing || v.Failure() != nil)
}

// Peek returns what is known of key, false where nothing is. It never fetches.
func (t *Table[V]) Peek(key string) (Snapshot[V], bool) {
	c := t.cells.find(key)
	if c == nil {
		return Snapshot[V]{Key: key}, false
	}
	v := c.shown.Load()
	return t.snapshot(key, v, t.clock.Now(), c.flight.Load() != nil), known(v)
}

// All walks over what is known: each key once, each snapshot true at the
// moment it is yielded, in no order and without holding anybody up.
func (t *Table[V]) All() iter.Seq2[string, Snapshot[V]] {
	return func(yield func(string, Snapshot[V]) bool) {
		for c := range t.cells.all() {
			v := c.shown.Load()
			if known(v) && !yield(c.key, t.snapshot(c.key, v, t.clock.Now(), c.flight.Load() != nil)) {
				return
			}
		}
	}
}

// Len is how many resources are resident, those that are loading included; none
// once the table is closed.
func (t *Table[V]) Len() int {
	if t.closed.Load() {
		return 0
	}
	return int(t.policy.entries.Load())
}

// Stats are the counters and gauges of the table.
func (t *Table[V]) Stats() Stats {
	sum := t.tallies.sum
	s := Stats{
		Hits: sum(cHits), StaleHits: sum(cStaleHits), Misses: sum(cMisses), Coalesced: sum(cCoalesced),
		Flights: sum(cFlights), Failures: sum(cFailures), Dropped: sum(cDropped), Superseded: sum(cSuperseded),
		Evictions: sum(cEvictions), StoreHits: sum(cStoreHits), StoreErrors: sum(cStoreErrors),
		Resident: t.Len(), InFlight: t.flying(), Pending: int(t.writes.pending.Load()), Subscriptions: t.log.Stats().Subscriptions,
	}
	if t.lists != nil {
		// The loads of lists are calls of the origin like others.
		l := t.lists.table.Stats()
		s.Flights += l.Flights
		s.Failures += l.Failures
		s.Dropped += l.Dropped
		s.Superseded += l.Superseded
		s.InFlight += l.InFlight
	}
	return s
}

// errStreamClosed is how the stream of a closed table ends.
var errStreamClosed = fmt.Errorf("%w: %w", ErrClosed, bare(streams.ErrClosed))

// scan yields what is visible, for a subscriber's snapshot (S5); that nobody can
// say, once the table is closed: its cells show nothing then.
func (t *Table[V]) scan(keys []string, prefix string) iter.Seq[streams.Event[V]] {
	return func(yield func(streams.Event[V]) bool) {
		show := func(c *cell[V]) bool {
			v := c.shown.Load()
			if v == nil || v.Known != lifecycle.Present {
				return true
			}
			return yield(streams.Event[V]{
				Revision: v.Revision, Cache: t.name, Key: c.key, Kind: streams.Loaded,
				Seq: v.Seq, After: &v.Value, At: t.clock.Time(v.At),
			})
		}
		if len(keys) > 0 {
			for _, key := range keys {
				if c := t.cells.find(key); c != nil && !show(c) {
					return
				}
			}
		} else {
			for c := range t.cells.all() {
				if strings.HasPrefix(c.key, prefix) && !show(c) {
					return
				}
			}
		}
		if t.closed.Load() {
			yield(streams.Event[V]{Err: errStreamClosed})
		}
	}
}

// refreshJitter is by how much of itself a refresh interval is shortened at
// most, drawn once an observer, so that observers do not ask in step.
const refreshJitter = 0.1

// observe makes an observer of keys (S11).
func (t *Table[V]) observe(keys []string, refresh time.Duration) (release func(), err error) {
	refresh -= time.Duration(refreshJitter * rand.Float64() * float64(refresh))
	done := make([]string, 0, len(keys))
	release = func() {
		for _, key := range done {
			if c := t.cells.find(key); c != nil {
				c.send(&message[V]{op: opUnobserve, refresh: refresh})
			}
		}
		t.makeRoom()
	}
	for _, key := range keys {
		if t.closed.Load() {
			err = ErrClosed
		} else {
			err = t.with(key, &message[V]{op: opObserve, refresh: refresh, ctx: context.Background()})
		}
		if err != nil {
			release()
			return nil, err
		}
		done = append(done, key)
	}
	return release, nil
}
