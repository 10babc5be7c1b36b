package streams

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// manyKeys is where a subscription to keys stops sleeping at each key's own gate, which takes time for each, and
	// sleeps at the one where every event rings.
	manyKeys = 64
	// idleBookmark is after how much silence a sleeping subscriber is told where it is (S12).
	idleBookmark = 30 * time.Second
)

// Subscription is a cursor into a [Log], with a filter. It has no goroutine and no queue of its own: events stay in the
// log until Next or Events takes them, so a subscriber that never reads costs nothing but the few hundred bytes of this
// struct, until it is lapped.
//
// It ends by exactly one cause, which Err tells: its context (the context's error and cause), Close or a left Events
// loop (ErrClosed), the log's Close (ErrClosed, once what was there is delivered), falling behind (ErrLagged), or a
// handler of [Each] (what the handler did). Ending it frees everything.
//
// All methods may be called concurrently. Goroutines that share a subscription share its events: each event goes to
// exactly one of them, and each of them gets its own in order.
type Subscription[V any] struct {
	log    *Log[V]
	number uint64
	set    *settings
	filter *filter
	ctx    context.Context //nolint:containedctx // the subscription's life is the context's
	unhook func() bool     // of context.AfterFunc
	done   chan struct{}   // closed by the end
	wake   chan struct{}   // capacity 1: see gate
	turn   chan struct{}   // capacity 1: held by the one who fills the batch, and perhaps sleeps
	rest   *time.Timer     // of the one who has the turn

	mu       sync.Mutex  // below: never held while anything waits or foreign code runs
	err      error       // the cause of the end
	own      bool        // it was the reader's own Close
	release  func()      // the observer's
	over     atomic.Bool // err is set
	out      *batch[V]   // what is being handed out
	owner    *batch[V]   // what the loop that owns the subscription may be reading
	owned    bool        // there is such a loop
	told     uint64      // the place Token tells of
	placed   bool        // there is such a place: not before Synced
	scanned  uint64      // the log is looked through up to here
	sent     uint64      // the newest revision that any event told the subscriber of
	idle     time.Time
	parked   bool
	laps     uint64
	woken    uint64
	wires    []wire[V]    // to the feeds of its keys
	sleepers []sleeper    // at the gates where it sleeps
	backlog  *backlog[V]  // events of its keys from before it was wired
	snapshot *snapshot[V] // while one is taken
	ahead    map[string]uint64
	aheadTo  uint64 // the newest revision in ahead
}

// wire is one key's feed as one subscription sees it.
type wire[V any] struct {
	feed *feed[V]
	next uint64 // index in the feed
}

// subscribe registers a subscription whose first event is the one after place. late: place may be lapped already, and
// then the subscriber is told as one that fell behind.
func (l *Log[V]) subscribe(ctx context.Context, set *settings, place uint64, late bool) (*Subscription[V], error) {
	if ctx.Err() != nil {
		return nil, contextError(ctx)
	}
	s := &Subscription[V]{
		log: l, set: set, filter: set.filter(), ctx: ctx,
		done: make(chan struct{}), wake: make(chan struct{}, 1), turn: make(chan struct{}, 1),
	}
	s.scanned = l.Revision()
	if set.named {
		s.scanned = l.wire(s)
	}
	s.lieDown()
	if place != nowhere {
		if err := s.rewind(place, late); err != nil {
			s.end(err)
			return nil, err
		}
	}
	s.sent, s.told, s.placed = s.scanned, s.scanned, true
	if set.snapshot {
		s.placed = false
		s.snapshot = &snapshot[V]{boundary: s.scanned, known: s.scanned}
	}
	if err := l.admit(s); err != nil {
		s.end(err)
		return nil, err
	}
	if set.live {
		release, err := l.cfg.Observe(set.keys, set.refresh)
		if err != nil {
			s.end(err)
			return nil, fmt.Errorf("freshet: %s: observe: %w", l.cfg.Cache, err)
		}
		s.mu.Lock()
		s.release = release
		s.mu.Unlock()
	}
	s.hook()
	return s, nil
}

// admit puts s on the list of open subscriptions. Nobody else knows of s before.
func (l *Log[V]) admit(s *Subscription[V]) error {
	l.subsMu.Lock()
	defer l.subsMu.Unlock()
	if l.closed {
		return fmt.Errorf("freshet: %s: subscribe: %w", l.cfg.Cache, ErrClosed)
	}
	l.subCount++
	s.number = l.subCount
	l.subs[s] = struct{}{}
	return nil
}

// hook ties the subscription to its context without a goroutine.
func (s *Subscription[V]) hook() {
	unhook := context.AfterFunc(s.ctx, func() { s.end(contextError(s.ctx)) })
	s.mu.Lock()
	s.unhook = unhook
	over := s.err != nil
	s.mu.Unlock()
	if over {
		unhook()
	}
}

// Next is the next event. It waits for one until ctx ends, which ends this wait alone and is told as ctx's error; the
// subscription goes on. Where the subscription has ended, the answer is the cause, now and ever after.
func (s *Subscription[V]) Next(ctx context.Context) (Event[V], error) {
	for {
		if ctx.Err() != nil {
			return Event[V]{}, s.last(contextError(ctx))
		}
		s.mu.Lock()
		err := s.alive()
		if err == nil && s.out.left() {
			if e := s.out.take(); e != nil {
				event := *e
				s.mu.Unlock()
				return event, nil
			}
		}
		s.mu.Unlock()
		if err != nil {
			return Event[V]{}, s.last(err)
		}
		s.await(ctx)
	}
}

// alive is nil while the subscription lasts. It looks at the context itself: the word of its end may be under way.
func (s *Subscription[V]) alive() error {
	if s.over.Load() {
		return ErrClosed
	}
	return s.ctx.Err()
}

// last is the cause of the end where the subscription has ended, and err where it is only a wait that has.
func (s *Subscription[V]) last(err error) error {
	if s.ctx.Err() != nil {
		s.end(contextError(s.ctx))
	}
	if cause := s.Err(); cause != nil {
		return cause
	}
	return err
}

// await returns when there is something to hand out, or the subscription or ctx has ended.
func (s *Subscription[V]) await(ctx context.Context) {
	select {
	case s.turn <- struct{}{}:
		s.fill(ctx)
		<-s.turn
	case <-ctx.Done():
	case <-s.done:
	}
}

// Events ranges over the subscription's events and waits for more. The last pair carries the cause of the end and no
// event; a subscription that its own Close ended just stops. Leaving the loop, in whatever way, closes the
// subscription. Loops on several goroutines share the events as several Nexts do, and the first that leaves closes it
// for all.
func (s *Subscription[V]) Events() iter.Seq2[Event[V], error] {
	return func(yield func(Event[V], error) bool) {
		defer s.Close()
		attach(yield, s.Close)
		if !s.runOwned(yield) {
			return
		}
		for {
			e, err := s.Next(context.Background())
			if err != nil {
				if !s.closedOwn() {
					yield(Event[V]{}, err)
				}
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// runOwned is the loop of the first goroutine that ranges over the subscription: it takes the lock for each batch and
// not for each event. It answers false when the reader left, and true when the rest is to be had from Next: because
// another goroutine has the subscription already, or because it has ended.
func (s *Subscription[V]) runOwned(yield func(Event[V], error) bool) bool {
	s.mu.Lock()
	if s.owned {
		s.mu.Unlock()
		return true
	}
	s.owned = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.owned, s.owner = false, nil
		s.mu.Unlock()
	}()
	for {
		s.mu.Lock()
		s.owner = nil
		if s.out.left() {
			s.owner = s.out
		}
		b := s.owner
		s.mu.Unlock()
		if b != nil {
			for s.alive() == nil {
				e := b.take()
				if e == nil {
					break
				}
				if !yield(*e, nil) {
					return false
				}
			}
		}
		if s.alive() != nil {
			return true
		}
		if b == nil {
			s.await(context.Background())
		}
	}
}

// Token is the place behind the event that was handed out last and behind everything that was filtered out since: what
// [Since] takes to go on from here. It is empty before Synced where there is a snapshot (S5).
func (s *Subscription[V]) Token() Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.whereLocked()
	if !s.placed {
		return ""
	}
	return makeToken(s.log.life, s.told)
}

// Revision is the revision of the place that Token tells of; 0 where that is empty.
func (s *Subscription[V]) Revision() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.whereLocked()
	if !s.placed {
		return 0
	}
	return s.told
}

// Err is nil while the subscription lasts, and then the one cause of its end.
func (s *Subscription[V]) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Lag is how many revisions the log is ahead of what was handed out or filtered out; 0 when the subscription has ended.
func (s *Subscription[V]) Lag() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lagLocked()
}

func (s *Subscription[V]) lagLocked() uint64 {
	if s.err != nil {
		return 0
	}
	s.whereLocked()
	at := s.told
	if !s.placed {
		at = s.scanned
	}
	return s.log.Revision() - min(at, s.log.Revision())
}

// Close ends the subscription with ErrClosed, frees all it held, and wakes whoever waits in Next. Closing twice is
// fine, and so is closing from within the loop or the handler.
func (s *Subscription[V]) Close() { s.finish(ErrClosed, true) }

// end is the end, for whatever cause comes first.
func (s *Subscription[V]) end(cause error) { s.finish(cause, false) }

// finish is the end; own: by the reader himself, who needs not be told in his loop.
func (s *Subscription[V]) finish(cause error, own bool) {
	s.mu.Lock()
	if s.err != nil {
		s.mu.Unlock()
		return
	}
	s.err, s.own = cause, own
	s.over.Store(true)
	release, unhook := s.release, s.unhook
	s.release = nil
	s.dropBatchLocked()
	s.backlog, s.snapshot, s.ahead = nil, nil, nil
	s.mu.Unlock()

	close(s.done)
	if unhook != nil {
		unhook()
	}
	l := s.log
	l.unwire(s)
	l.subsMu.Lock()
	delete(l.subs, s)
	l.subsMu.Unlock()
	if release != nil {
		release()
	}
}

func (s *Subscription[V]) closedOwn() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.own
}

// wire ties s to the feeds of its keys, a few at a time so that no writer waits long, and returns the revision from
// which on they have everything.
func (l *Log[V]) wire(s *Subscription[V]) (revision uint64) {
	s.wires = make([]wire[V], len(s.set.keys))
	for i := 0; i < len(s.wires); {
		l.mu.Lock()
		revision = l.ring.head.Load()
		for end := min(i+manyKeys, len(s.wires)); i < end; i++ {
			key := s.set.keys[i]
			f := l.feeds[key]
			if f == nil {
				f = newFeed[V](revision)
				l.feeds[key] = f
			}
			f.refs++
			s.wires[i] = wire[V]{feed: f, next: f.ring.head.Load() + 1}
		}
		l.mu.Unlock()
	}
	return revision
}

func (l *Log[V]) unwire(s *Subscription[V]) {
	for i := 0; i < len(s.wires); {
		l.mu.Lock()
		for end := min(i+manyKeys, len(s.wires)); i < end; i++ {
			f := s.wires[i].feed
			if f.refs--; f.refs == 0 {
				delete(l.feeds, s.set.keys[i])
			}
		}
		l.mu.Unlock()
	}
}

// lieDown makes the subscription's places to sleep.
func (s *Subscription[V]) lieDown() {
	if s.set.named && len(s.wires) <= manyKeys {
		s.sleepers = make([]sleeper, len(s.wires))
		for i := range s.wires {
			s.sleepers[i] = sleeper{gate: &s.wires[i].feed.gate, wake: s.wake}
		}
		return
	}
	s.sleepers = []sleeper{{gate: &s.log.gate, wake: s.wake}}
}

// limit is the newest revision that may be delivered.
func (l *Log[V]) limit() uint64 { return min(l.ring.head.Load(), l.last.Load()) }

// backlog is what a subscription to keys that begins in the past has to deliver before its feeds: the events between
// its place and the moment it was wired. The newest are copied at once, so that other keys' traffic can't lap them
// (S9); older ones, if its own keys had that many, are read from the ring while they last.
type backlog[V any] struct {
	floor  uint64 // revisions up to here are read from the ring
	until  uint64 // where the feeds take over
	events []Event[V]
}

// rewind moves a new subscription back to just after place.
func (s *Subscription[V]) rewind(place uint64, late bool) error {
	until := s.scanned
	s.scanned = place
	if !s.set.named || place >= until {
		return nil
	}
	b := &backlog[V]{floor: place, until: until}
	most := feedKeep * len(s.wires)
	only := &filter{keys: s.filter.keys, set: s.filter.set, kinds: s.filter.kinds}
	part := make([]Event[V], batchSize)
	for from := place + 1; from <= until; {
		n, next, lapped := s.log.ring.read(from, until, only, part)
		if lapped {
			if !late {
				return &CompactedError{Oldest: s.log.ring.oldest(s.log.Revision())}
			}
			b.floor, b.events = until, nil
			break
		}
		from = next
		b.events = append(b.events, part[:n]...)
		if over := len(b.events) - most; over > 0 {
			b.floor = b.events[over-1].Revision
			b.events = append(b.events[:0], b.events[over:]...)
		}
	}
	s.backlog = b
	return nil
}
