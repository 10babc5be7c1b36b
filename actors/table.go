package actors

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/freshet-go/freshet/actors/lifecycle"
	"github.com/freshet-go/freshet/streams"
)

// Table is the set of resources of one cache and what they share: the numbers
// that order everything, the log of events, the timers, the bounds. All its
// methods are safe for concurrent use. Package api is its door.
type Table[V any] struct {
	name       string
	source     Source[V]
	writer     Writer[V]     // nil: read-only
	bulkSource BulkSource[V] // nil: the source fetches one by one
	equal      func(a, b V) bool
	newer      func(a, b V) bool
	weigh      func(key string, v V) uint32
	codec      Codec[V]
	checkApply bool
	timeout    time.Duration
	rules      lifecycle.Rules
	turns      sync.Pool // of *turn
	seats      sync.Pool // of *seat

	runtime *Runtime
	private bool // the runtime is closed with the table
	logger  *slog.Logger
	clock   *Clock
	log     *streams.Log[V]

	cells   *index[V]
	numbers *atomic.Uint64 // the one counter (O0); lists share it
	floor   atomic.Uint64  // the barrier that new cells start with (O0)
	tags    tagIndex[V]
	closed  atomic.Bool

	policy     policy[V]
	room       room
	sweeper    sweeper[V]
	gate       *gate // lists share it
	crew       crew[V]
	tier       *tier[V] // nil: no Store
	writes     writes[V]
	lists      *lists[V] // nil: no Lister
	deadlines  *deadlines
	dispatcher actor.Dispatcher
	working    tally
	ending     chan struct{} // closed with the table
	busy       letter[V]     // the mark of a mailbox that somebody runs
	watchers   watchers
	inFlight   atomic.Int64
	tallies    tallies
}

// NewTable makes the table of a cache, or says everything that is wrong with c.
func NewTable[V any](c Config[V]) (*Table[V], error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	private := c.Runtime == nil
	if private {
		if c.Runtime, err = NewRuntime(RuntimeConfig{}); err != nil {
			return nil, err
		}
	}
	t, err := newTable(c, &atomic.Uint64{}, newGate(c.MaxFlights))
	if err != nil {
		return nil, err
	}
	t.private = private
	if c.Store != nil {
		t.rules.Store = true
		t.tier = newTier(t, c.Store, c.Codec, c.StoreTimeout)
	}
	if c.Lister != nil {
		t.lists, err = newLists(t, c)
	}
	if err == nil {
		err = t.tier.listen() // before Close can be called
	}
	if err == nil {
		err = c.Runtime.enter(c.Name, t)
	}
	if err != nil {
		t.discard()
		return nil, err
	}
	return t, nil
}

// discard ends a table that never came to life.
func (t *Table[V]) discard() {
	t.tier.stopListening()
	t.log.Close()
	if t.lists != nil {
		t.lists.table.log.Close()
	}
	if t.private {
		t.runtime.clock.Close()
	}
}

// newTable makes a table that nobody can find yet.
func newTable[V any](c Config[V], numbers *atomic.Uint64, flights *gate) (*Table[V], error) {
	t := &Table[V]{
		name: c.Name, source: c.Source, writer: c.Writer, codec: c.Codec, checkApply: c.CheckApply, equal: c.Equal, newer: c.Newer, weigh: c.Weigh, timeout: c.Timeout,
		rules: lifecycle.Rules{
			Freshness: c.Freshness, Reload: c.Reload, MaxSupersede: c.MaxSupersede, AbortAbandoned: c.AbortAbandoned,
		},
		runtime: c.Runtime, logger: c.Runtime.logger, clock: c.Runtime.clock,
		cells:      newIndex[V](),
		numbers:    numbers,
		gate:       flights,
		ending:     make(chan struct{}),
		dispatcher: actor.NewDefaultDispatcher(throughput),
	}
	t.turns.New = func() any {
		pooled := &turn[V]{}
		pooled.Rules, pooled.Mint, pooled.Ready, pooled.Room = &t.rules, pooled.mint, newReady[V], (*Future[V]).room
		pooled.Effects = make([]lifecycle.Effect[V, *Future[V]], 0, 8)
		return pooled
	}
	t.seats.New = func() any { return &seat{wake: make(chan struct{}, 1)} }
	t.bulkSource, _ = c.Source.(BulkSource[V])
	t.deadlines = newDeadlines(t.clock, &t.working)
	t.sweeper.table = t
	t.crew.table = t
	var err error
	t.log, err = streams.NewLog(streams.LogConfig[V]{
		Cache: c.Name, History: c.History, Scan: t.scan, Observe: t.observe,
		MaxWeight: c.MaxWeight / historyShare,
		Closed:    fmt.Errorf("%w: %w", ErrClosed, streams.ErrClosed),
	})
	if err != nil {
		return nil, err
	}
	t.policy.maxEntries, t.policy.maxWeight, t.policy.history = int64(c.MaxEntries), int64(c.MaxWeight), t.log
	t.policy.hash, t.policy.hits = t.cells.hash, func() uint64 { return t.tallies.sum(cHits) }
	return t, nil
}

// Log is the log of the table's events.
func (t *Table[V]) Log() *streams.Log[V] { return t.log }

// historyShare is which part of MaxWeight the history may take: more would leave
// the residents nothing, for it holds values that are not resident any more.
const historyShare = 4

const maxKey = 4096

func checkKey(key string) error {
	switch {
	case key == "":
		return fmt.Errorf("%w: it is empty", ErrBadKey)
	case len(key) > maxKey:
		return fmt.Errorf("%w: %d bytes are over %d", ErrBadKey, len(key), maxKey)
	case strings.IndexByte(key, 0) >= 0:
		return fmt.Errorf("%w: %q has a NUL", ErrBadKey, key)
	case !utf8.ValidString(key):
		return fmt.Errorf("%w: %q is not UTF-8", ErrBadKey, key)
	}
	return nil
}

// enter returns the cell of key, made if need be.
func (t *Table[V]) enter(key string) (c *cell[V], made bool, err error) {
	if c := t.cells.find(key); c != nil {
		return c, false, nil
	}
	if err := checkKey(key); err != nil {
		return nil, false, err
	}
	key = strings.Clone(key) // it may be a small part of something large
	c = &cell[V]{table: t, key: key}
	c.rank.pinned.Store(true) // until its first message was handled
	// Listed before anybody can find it: one that was evicted in between would be
	// listed dead, for ever, and asked to go again and again.
	t.policy.add(c)
	have, made := t.cells.enter(c)
	if !made {
		t.policy.remove(c)
	}
	return have, made, nil
}

// with sends m to the cell of key, made if need be, until one handled it.
func (t *Table[V]) with(key string, m *message[V]) error {
	for {
		c, _, err := t.enter(key)
		if err != nil {
			return err
		}
		if c.send(m); !m.gone {
			return m.failed
		}
		m.gone = false
	}
}

// withBarrier sends m, which raises the barrier of key, to its cell. Where
// there is none the floor is raised, so that older knowledge on its way to a
// new cell of the key meets the same barrier (O0); with a second tier a cell is
// made, which sees to the erase.
func (t *Table[V]) withBarrier(key string, m *message[V]) {
	if t.tier != nil {
		_ = t.with(key, m) // the key was checked, and that a closed cell refuses is fine
		return
	}
	for {
		c := t.cells.find(key)
		if c == nil {
			t.raiseFloor(t.numbers.Add(1))
			if c = t.cells.find(key); c == nil {
				return
			}
		}
		if c.send(m); !m.gone {
			return
		}
		m.gone = false
	}
}

// draw is a random number in [0,1).
func (t *Table[V]) draw() float64 {
	if t.rules.Jitter == 0 {
		return 0
	}
	return rand.Float64()
}

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

// Len is how many resources are resident, those that are loading included.
func (t *Table[V]) Len() int { return int(t.policy.entries.Load()) }

// Stats are the counters and gauges of the table.
func (t *Table[V]) Stats() Stats {
	sum := t.tallies.sum
	s := Stats{
		Hits: sum(cHits), StaleHits: sum(cStaleHits), Misses: sum(cMisses), Coalesced: sum(cCoalesced),
		Flights: sum(cFlights), Failures: sum(cFailures), Dropped: sum(cDropped), Superseded: sum(cSuperseded),
		Evictions: sum(cEvictions), StoreHits: sum(cStoreHits), StoreErrors: sum(cStoreErrors),
		Resident: t.Len(), InFlight: int(t.inFlight.Load()), Pending: int(t.writes.pending.Load()), Subscriptions: t.log.Stats().Subscriptions,
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

// scan yields what is visible, for a subscriber's snapshot (S5).
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
			return
		}
		for c := range t.cells.all() {
			if strings.HasPrefix(c.key, prefix) && !show(c) {
				return
			}
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

// awaitWrites waits for the writes that are with the origin as long as ctx
// allows, and tells of the rest as unknown (C5).
func (t *Table[V]) awaitWrites(ctx context.Context) {
	flying := t.writes.close()
	if t.writes.flying.wait(ctx) == 0 {
		return
	}
	for _, w := range flying {
		if w.wanted() { // before one that ends lets it through the gate
			w.giveUp(ErrClosed, ErrClosed)
		}
	}
	for _, w := range flying {
		w.giveUp(ErrClosed, ErrClosed)
	}
}

// Close ends the table (C5): see Cache.Close.
func (t *Table[V]) Close(ctx context.Context) error {
	if ctx == nil {
		ctx = context.Background()
	}
	t.working.add() // before closed is set: a second Close waits for the first one's pass
	if t.closed.CompareAndSwap(false, true) {
		t.runtime.leave(t.name, t)
		for c := range t.cells.all() {
			c.send(&message[V]{op: opClose})
		}
		if t.lists != nil {
			_ = t.lists.table.Close(ctx) // what has not returned is told below
		}
		t.awaitWrites(ctx)
		close(t.ending)
		t.deadlines.close()
		t.crew.due()
		if t.tier != nil {
			t.tier.flush()
		}
		t.tier.stopListening()
		t.log.Close()
		for w := range t.watchers.close() {
			t.terminated(w)
		}
	}
	t.working.done()
	running := t.working.wait(ctx)
	if t.lists != nil {
		running += t.lists.table.working.wait(ctx)
	}
	t.crew.members.wait(ctx)
	if t.private {
		t.runtime.clock.Close()
	}
	if running > 0 {
		return fmt.Errorf("freshet: close of %s: %d origin calls have not returned: %w", t.name, running, ctx.Err())
	}
	return nil
}
