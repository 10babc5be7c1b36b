package actors

import (
	"fmt"
	"log/slog"
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
	seats      sync.Pool // of *seat
	airs       sync.Pool // of *lifecycle.Air

	runtime *Runtime
	private bool // the runtime is closed with the table
	logger  *slog.Logger
	clock   *Clock
	log     *streams.Log[V]

	cells    *index[V]
	numbers  *atomic.Uint64 // the one counter (O0); lists share it
	floor    atomic.Uint64  // the barrier that new cells start with (O0)
	tags     tagIndex[V]
	departed departed
	closed   atomic.Bool

	policy     policy[V]
	room       room
	sweeper    sweeper[V]
	gate       *gate // lists share it
	crew       crew[V]
	tier       *tier[V] // nil: no Store
	writes     writes[V]
	lists      *lists[V] // nil: no Lister
	deadlines  *deadlines
	alarms     sync.Map // of observed resources: *cell[V] to *deadline
	dispatcher actor.Dispatcher
	working    waitGroup     // goroutines that Close waits for
	warnings   atomic.Int32  // that a log handler has not returned from
	ending     chan struct{} // closed with the table
	busy       letter[V]     // the mark of a mailbox that somebody runs
	watchers   watchers
	inFlight   atomic.Int64 // origin calls that the crew does not count
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

// newTable makes a table that nobody can find yet.
func newTable[V any](c Config[V], numbers *atomic.Uint64, flights *gate) (*Table[V], error) {
	t := &Table[V]{
		name: c.Name, source: c.Source, writer: c.Writer, codec: c.Codec, checkApply: c.CheckApply, equal: c.Equal, newer: c.Newer, weigh: c.Weigh, timeout: c.Timeout,
		rules: lifecycle.Rules{
			Freshness: c.Freshness, Reload: c.Reload, MaxSupersede: c.MaxSupersede, AbortAbandoned: c.AbortAbandoned,
		},
		runtime: c.Runtime, logger: c.Runtime.logger, clock: c.Runtime.clock,
		cells:      newIndex[V](c.MaxEntries),
		numbers:    numbers,
		gate:       flights,
		ending:     make(chan struct{}),
		dispatcher: actor.NewDefaultDispatcher(throughput),
	}
	t.airs.New = func() any { return &lifecycle.Air[*Future[V]]{} }
	t.seats.New = func() any { return &seat{wake: make(chan struct{}, 1)} }
	t.bulkSource, _ = c.Source.(BulkSource[V])
	t.deadlines = newDeadlines(t.clock, &t.working)
	t.sweeper.table = t
	t.crew.init(t)
	var err error
	t.log, err = streams.NewLog(streams.LogConfig[V]{
		Cache: c.Name, History: c.History, Scan: t.scan, Observe: t.observe, CheckKey: checkKey,
		MaxWeight: c.MaxWeight / historyShare,
		Closed:    errStreamClosed,
	})
	if err != nil {
		return nil, err
	}
	t.policy.maxEntries, t.policy.maxWeight, t.policy.history = int64(c.MaxEntries), int64(c.MaxWeight), t.log
	t.policy.hash, t.policy.hits = t.cells.hash, func() uint64 { return t.tallies.sum(cHits) }
	return t, nil
}

// Closed says whether Close was called.
func (t *Table[V]) Closed() bool { return t.closed.Load() }

// Log is the log of the table's events.
func (t *Table[V]) Log() *streams.Log[V] { return t.log }

// AbortsAbandoned says whether a flight ends when nobody waits for it (C3).
func (t *Table[V]) AbortsAbandoned() bool { return t.rules.AbortAbandoned }

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
	n := t.cells.name(key)
	if c := t.cells.findNamed(n, key); c != nil {
		return c, false, nil
	}
	return t.enterNew(n, key)
}

// enterNew is enter for a key that is called n and had no cell just now.
func (t *Table[V]) enterNew(n name, key string) (c *cell[V], made bool, err error) {
	if !n.plain() {
		if err := checkKey(key); err != nil {
			return nil, false, err
		}
	}
	c = &cell[V]{table: t, key: key}
	// Listed before anybody can find it: one that was evicted in between would be
	// listed dead, for ever, and asked to go again and again.
	t.policy.add(c)
	have, made := t.cells.enterNamed(n, c)
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
