package streams

import (
	"context"
	"iter"
	"runtime"
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
	// handful is how few events make a loop that has caught up with the writer stay away longer before it looks again,
	// up to mostYields: some microseconds. On his heels it would fetch the lines he writes, and he would wait for them,
	// for every three or four events; where that takes 200 ns a line, as between processors that share no cache, both
	// would do little else.
	handful    = 16
	mostYields = 31
	// mostYielding ends that early where others want the processor, so that a yield takes long.
	mostYielding = 10 * time.Microsecond
)

// Subscription is a cursor into a [Log], with a filter. It has no goroutine and no queue of its own: events stay in the
// log until Next or Events takes them, so a subscriber that never reads costs a kilobyte and nothing else, until it is
// lapped.
//
// It ends by exactly one cause, which Err tells: its context (the context's error and cause), Close or a left Events
// loop (ErrClosed), the log's Close (its Closed, once what was there is delivered), falling behind (ErrLagged), or a
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
	near     bool        // the last filling caught up with the log
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

// Events ranges over the subscription's events and waits for more. Where it has caught up with a busy writer it lets him
// go ahead for some microseconds, and hands out what has come together by then. The last pair carries the cause of the end
// and no event; a subscription that its own Close ended just stops. Leaving the loop, in whatever way, closes the
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
	yields := 0 // before the next look, where the last one caught up
	for {
		s.mu.Lock()
		s.owner = nil
		_, cause := s.stepLocked()
		if s.out.left() {
			s.owner = s.out
		}
		b, near := s.owner, s.near
		few := b != nil && b.n <= handful
		s.mu.Unlock()
		if cause != nil {
			s.end(cause)
		}
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
		switch {
		case b == nil:
			yields = 0
			s.await(context.Background())
		case near:
			if few {
				yields = min(2*yields+1, mostYields)
			}
			stayAway(yields)
		}
	}
}

// stayAway yields, some microseconds in all. The number is the bound where time stands still.
func stayAway(yields int) {
	began := time.Now()
	for i := 0; i < yields && time.Since(began) < mostYielding; i++ {
		runtime.Gosched()
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
	return s.log.ring.head.Load() - min(at, s.log.ring.head.Load())
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
