package streams

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultHistory is how many events a [Log] keeps unless it is told otherwise.
const DefaultHistory = 1024

// maxHistory keeps a slip of the pen from asking for all the memory there is.
const maxHistory = 1 << 28

// LogConfig configures a [Log]. The zero value works: 1024 events, a random epoch, no snapshots, no Live.
type LogConfig[V any] struct {
	// Cache is the cache's name. It is set on events that carry none, and is part of what a Token stands for.
	Cache string
	// History is how many events are kept for slow readers and for resuming; 0: DefaultHistory; negative is an error.
	// More of it forgives longer absences and costs about 170 bytes an event beside the values that the events hold.
	History int
	// MaxWeight bounds the sum of the weights of the events that are kept: the oldest are given up before their time, a
	// few at once, but never the newest few. 0: no bound.
	MaxWeight uint64
	// Epoch tells one life of the cache from another; 0: drawn from crypto/rand. Give it only to make tests repeatable.
	Epoch uint64
	// Now is the clock for At of control events; nil: time.Now.
	Now func() time.Time
	// Closed is what subscriptions end with, and new ones are refused with, once the log is closed. It wraps ErrClosed and
	// says whose end that is, so that a reader can tell it from his own Close; nil: ErrClosed.
	Closed error
	// CheckKey is asked about every key that a subscription names; what it refuses, Subscribe does. nil: any key but the
	// empty one will do.
	CheckKey func(key string) error
	// Scan yields what is visible now, for WithSnapshot and Resync: for every resident value one event of kind Loaded
	// with Key, After, Seq, At and Revision, the revision of that value. keys non-empty: just those; else those that
	// begin with prefix, "" being all. It runs on a subscriber's goroutine, under no lock of the log, while events are
	// appended, and a value may be newer than the events in the log when it is yielded. It is asked twice, first for
	// the keys and then, a few at a time, for their values, so that a slow reader holds no scan open. Where it can't tell
	// any more, since the cache is closing, it yields an event with Err and no Key last, and the subscription ends with
	// that before it takes an absence for the truth. nil: WithSnapshot and Resync are refused.
	Scan func(keys []string, prefix string) iter.Seq[Event[V]]
	// Observe makes an observer of keys, for Live. refresh is 0 or what Refresh asked for. It runs on the goroutine
	// that subscribes, after the subscription began, so that what it sets off is delivered. release is called exactly
	// once, when the subscription ends. nil: Live is refused.
	Observe func(keys []string, refresh time.Duration) (release func(), err error)
}

// Log is the one ordered list of events of one cache: a ring of the newest. Subscribers are cursors into it; an idle,
// slow or stuck one costs the writer nothing (S8). All methods may be called concurrently.
type Log[V any] struct {
	cfg   LogConfig[V]
	life  uint64
	every uint64 // filtered events after which a Bookmark is due (S12)

	last atomic.Uint64 // the last revision that subscribers see: MaxUint64 until Close
	ring ring[V]       // its index is the revision

	mu      sync.Mutex // the critical section of S0: only writers and those who begin or end take it
	feeds   map[string]*feed[V]
	weights []uint32 // of the events in the ring, a ring too
	at      int      // the next of weights
	weight  atomic.Uint64
	past    atomic.Uint64 // revisions allotted since Close
	_       apart

	gate     gate
	laps     atomic.Uint64
	batches  sync.Pool
	subsMu   sync.Mutex
	subs     map[*Subscription[V]]struct{}
	subCount uint64 // subscriptions ever made; numbers them
	closed   bool   // under subsMu
}

// NewLog makes a log. It starts no goroutine and needs no Close to be collected.
func NewLog[V any](cfg LogConfig[V]) (*Log[V], error) {
	switch {
	case cfg.History < 0:
		return nil, fmt.Errorf("freshet: %s: History: %d is negative", cfg.Cache, cfg.History)
	case cfg.History > maxHistory:
		return nil, fmt.Errorf("freshet: %s: History: %d is more than %d", cfg.Cache, cfg.History, maxHistory)
	case cfg.Closed != nil && !errors.Is(cfg.Closed, ErrClosed):
		return nil, fmt.Errorf("freshet: %s: Closed: %w does not wrap ErrClosed", cfg.Cache, cfg.Closed)
	case cfg.History == 0:
		cfg.History = DefaultHistory
	}
	if cfg.Closed == nil {
		cfg.Closed = ErrClosed
	}
	for cfg.Epoch == 0 {
		var raw [8]byte
		_, _ = rand.Read(raw[:]) // never fails, by its contract
		cfg.Epoch = binary.LittleEndian.Uint64(raw[:])
	}
	if cfg.CheckKey == nil {
		cfg.CheckKey = checkKey
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	keep := uint64(cfg.History)
	l := &Log[V]{
		cfg:     cfg,
		life:    lifeOf(cfg.Cache, cfg.Epoch),
		every:   max(min(keep/4, 1000), 1),
		feeds:   make(map[string]*feed[V]),
		weights: make([]uint32, keep),
		subs:    make(map[*Subscription[V]]struct{}),
	}
	span := spanFor(keep)
	if cfg.MaxWeight > 0 {
		span = min(span, weighedSpan)
	}
	l.ring.init(keep, span)
	l.last.Store(math.MaxUint64)
	l.batches.New = func() any { return new(batch[V]) }
	return l, nil
}

// Append allots the next revision, calls publish with it and appends a copy of e under it, all in one critical section
// (S0, S7): whoever reads the event can read what publish published. e keeps its own fields; Revision is set on the
// copy, and Cache where it is empty. weight is what After's value weighs, for [Log.Weight].
//
// publish may be nil. It must be quick and must not call into the log. If it panics, nothing was appended.
//
// Append does not allocate, and costs the same however many subscriptions there are and whatever they do. After Close
// it goes on allotting revisions, and nobody hears of them.
func (l *Log[V]) Append(e *Event[V], weight uint32, publish func(revision uint64)) (revision uint64) {
	revision, f := l.append(e, weight, publish)
	l.gate.ring()
	if f != nil {
		f.gate.ring()
	}
	return revision
}

// AppendAll is Append of several events in one critical section: their revisions follow one another, the first of them
// is what publish is called with, once, and nobody sees what lies between them. weights are those of the events.
func (l *Log[V]) AppendAll(events []Event[V], weights []uint32, publish func(first uint64)) (first uint64) {
	first, feeds := l.appendAll(events, weights, publish)
	l.gate.ring()
	for _, f := range feeds {
		f.gate.ring()
	}
	return first
}

func (l *Log[V]) append(e *Event[V], weight uint32, publish func(revision uint64)) (uint64, *feed[V]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	revision := l.Revision() + 1
	if publish != nil {
		publish(revision)
	}
	return revision, l.putLocked(e, weight, revision)
}

func (l *Log[V]) appendAll(events []Event[V], weights []uint32, publish func(first uint64)) (first uint64, feeds []*feed[V]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first = l.Revision() + 1
	if publish != nil {
		publish(first)
	}
	for i := range events {
		f := l.putLocked(&events[i], weights[i], first+uint64(i))
		if f != nil && !slices.Contains(feeds, f) {
			feeds = append(feeds, f)
		}
	}
	return first, feeds
}

// putLocked puts e into the ring, under revision. It returns the feed of its key.
func (l *Log[V]) putLocked(e *Event[V], weight uint32, revision uint64) *feed[V] {
	if l.last.Load() != math.MaxUint64 { // closed: what is there is left to those who drain it
		l.past.Add(1)
		return nil
	}
	slot := l.ring.slot()
	*slot = *e
	slot.Revision, slot.life = revision, l.life
	if slot.Cache == "" {
		slot.Cache = l.cfg.Cache
	}
	if old := l.weights[l.at]; old != weight {
		l.weights[l.at] = weight
		l.weight.Add(uint64(weight) - uint64(old)) // wraps to the difference
	}
	if l.at++; l.at == len(l.weights) {
		l.at = 0
	}
	var f *feed[V]
	if len(l.feeds) > 0 {
		if f = l.feeds[e.Key]; f != nil {
			f.put(slot)
		}
	}
	l.ring.publish()
	for l.cfg.MaxWeight > 0 && l.weight.Load() > l.cfg.MaxWeight && l.forgetLocked() {
		continue
	}
	return f
}

// weighedSpan is how many events are given up at once where their weight is bounded.
const weighedSpan = 8

// forgetLocked gives up the oldest events and their weights.
func (l *Log[V]) forgetLocked() bool {
	from, to, ok := l.ring.forget()
	for i := from; i < to; i++ {
		w := &l.weights[(i-1)%uint64(len(l.weights))]
		l.weight.Add(-uint64(*w))
		*w = 0
	}
	return ok
}

// Revision is the newest revision allotted; 0 when there is none yet.
func (l *Log[V]) Revision() uint64 { return l.ring.head.Load() + l.past.Load() }

// Epoch tells this life of the cache from others.
func (l *Log[V]) Epoch() uint64 { return l.cfg.Epoch }

// Weight is the sum of the weights of the events in the history. It takes no lock.
func (l *Log[V]) Weight() uint64 { return l.weight.Load() }

// Close ends the stream: subscribers drain what is there and then end with ErrClosed (what LogConfig.Closed says), and
// nobody new is let in. Closing twice is fine.
func (l *Log[V]) Close() {
	l.subsMu.Lock()
	if !l.closed {
		l.closed = true
		l.mu.Lock()
		l.last.Store(l.ring.head.Load())
		l.mu.Unlock()
	}
	for s := range l.subs {
		poke(s.wake)
	}
	l.subsMu.Unlock()
}

// Subscribe begins a subscription. It is registered when Subscribe returns: what is appended afterwards is delivered
// (S6). It ends with ctx, with Close, or with the log; see [Subscription].
//
// Every wrong option is named in the one error, which also works with errors.Is for ErrToken, ErrEpoch, ErrFuture,
// ErrCompacted, ErrLiveNeedsKeys and ErrClosed. Where ctx has ended already, its error is the answer.
func (l *Log[V]) Subscribe(ctx context.Context, opts ...Option) (*Subscription[V], error) {
	set, err := settle(opts, l.cfg.Scan != nil, l.cfg.Observe != nil, l.cfg.CheckKey)
	place, placeErr := l.place(set.since)
	if err := errors.Join(err, placeErr); err != nil {
		return nil, &refusedError{l.cfg.Cache, "subscribe", err}
	}
	return l.subscribe(ctx, set, place, false)
}

// SubscribeTo is Subscribe to the events of one key, which is not the subscriber's to choose: Keys and Prefix among the
// options are wrong.
func (l *Log[V]) SubscribeTo(ctx context.Context, key string, opts ...Option) (*Subscription[V], error) {
	return l.Subscribe(ctx, append(opts[:len(opts):len(opts)], only(key))...)
}

// place is where a token points to; nowhere for the empty one.
func (l *Log[V]) place(t Token) (uint64, error) {
	if t == "" {
		return nowhere, nil
	}
	life, revision, err := parseToken(t)
	if err != nil {
		return 0, err
	}
	if life != l.life {
		return 0, ErrEpoch
	}
	head := l.ring.head.Load()
	if revision > head {
		return 0, fmt.Errorf("%w: revision %d, where the newest is %d", ErrFuture, revision, head)
	}
	if oldest := l.ring.oldest(head); revision+1 < oldest {
		return 0, &CompactedError{Oldest: oldest}
	}
	return revision, nil
}

// nowhere stands for "from now on" where a revision to begin after is meant.
const nowhere = math.MaxUint64
