package actors

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// Future is an answer that one flight group, or the value that is known, gives
// to everyone who asked for it (F1, F2). Every Future settles (C6). It is safe
// for concurrent use and must not be copied.
type Future[V any] struct {
	own     lifecycle.Version[V, *Future[V]]                 // what it settles with, as a rule
	outcome atomic.Pointer[lifecycle.Version[V, *Future[V]]] // what it settled with; nil: pending
	failure *failure[V]                                      // written before outcome; nil: a value
	wait    atomic.Pointer[waiting]                          // nil once settled
}

// failure is an outcome that is an error.
type failure[V any] struct {
	err      error
	seq      uint64
	fallback *lifecycle.Version[V, *Future[V]] // what a plain demand of a strict group gets (F7)
}

// waiting is what only a pending future needs. It lies in the first flight of
// the future's group: the two are made together.
type waiting struct {
	group group // nil: a promise's
	mu    sync.Mutex
	done  chan struct{} // nil: nobody asked for it yet
	seats *seat         // of those who wait in Await or Get
	// count holds the waiters (low 31 bits), the futures that Fetch handed out
	// and nobody has awaited yet (next 32 bits), and the seal.
	count atomic.Uint64
}

// group is the first flight of a future's group, as those who wait see it. A
// Future does not know it by its type: one of another type than any cache's, a
// Promise, would have the compiler build a Table of that type, and all below it.
type group interface {
	abandons() bool   // whether the flight ends when nobody waits (C3)
	left(future any)  // nobody waits for future any more
	pool() *sync.Pool // of seats
}

const (
	oneWaiter = uint64(1)
	oneOwed   = uint64(1) << 31
	sealed    = uint64(1) << 63
)

var closedChan = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// newPending makes a future of c, whose flights carry the values of ctx.
func newPending[V any](ctx context.Context, c *cell[V]) *Future[V] {
	first := &flight[V]{cell: c}
	first.ctx.values, first.waiting.group = ctx, first
	f := &Future[V]{}
	preset(&f.wait, &first.waiting)
	return f
}

// firstOf is the flight that was made with f, nil where f has settled. It is the
// cell's.
func firstOf[V any](f *Future[V]) *flight[V] {
	if f == nil {
		return nil
	}
	w := f.wait.Load()
	if w == nil {
		return nil
	}
	return w.group.(*flight[V])
}

// promised is the group of a promise that can be abandoned.
type promised struct {
	abandon func()
	seats   sync.Pool
}

func (p *promised) abandons() bool   { return true }
func (p *promised) left(any)         { p.abandon() }
func (p *promised) pool() *sync.Pool { return &p.seats }

// Promise makes a future that settle settles, once, with what it is given; seq
// is the stamp of the knowledge behind that. abandon is called when the last who
// awaited it has left before (C3); nil: nobody minds.
func Promise[V any](abandon func()) (future *Future[V], settle func(value V, seq uint64, err error)) {
	f, w := &Future[V]{}, &waiting{}
	if abandon != nil {
		p := &promised{abandon: abandon}
		p.seats.New = func() any { return &seat{wake: make(chan struct{}, 1)} }
		w.group = p
		w.count.Store(oneOwed)
	}
	f.wait.Store(w)
	return f, func(value V, seq uint64, err error) {
		f.settle(&lifecycle.Version[V, *Future[V]]{Known: lifecycle.Present, Value: value, Seq: seq}, err, seq)
	}
}

// failedFuture is settled with err.
func failedFuture[V any](err error) *Future[V] {
	f := &Future[V]{}
	f.settle(nil, err, 0)
	return f
}

// settle ends the future, once: with what v knows, or with err, where v is what
// a plain demand may fall back on.
func (f *Future[V]) settle(v *lifecycle.Version[V, *Future[V]], err error, seq uint64) {
	if err != nil {
		f.failure = &failure[V]{err: err, seq: seq}
		if v != nil && v.Known == lifecycle.Present {
			f.failure.fallback = v
		}
		v = &lifecycle.Version[V, *Future[V]]{}
	}
	f.outcome.Store(v)
	if f.wait.Load() == nil {
		return // nobody can wait
	}
	if w := f.wait.Swap(nil); w != nil {
		w.mu.Lock()
		if w.done != nil {
			close(w.done)
		}
		w.done = closedChan
		seated := w.seats
		w.seats = nil
		w.mu.Unlock()
		seated.wakeAll()
	}
}

// Done is closed when the future has settled.
func (f *Future[V]) Done() <-chan struct{} {
	w := f.wait.Load()
	if w == nil {
		return closedChan
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done == nil {
		w.done = make(chan struct{})
	}
	return w.done
}

// Result is the answer, or ErrPending before Done. A flight that failed while
// an old value may carry on settles as F7 says.
func (f *Future[V]) Result() (V, error) {
	v := f.outcome.Load()
	if v == nil {
		var zero V
		return zero, ErrPending
	}
	if f.failure != nil {
		var zero V
		return zero, f.failure.err
	}
	return v.Value, nil
}

// Seq is the stamp of the knowledge, or of the flight, that settled the
// future: 0 while it is pending, and where no flight was involved.
func (f *Future[V]) Seq() uint64 {
	v := f.outcome.Load()
	switch {
	case v == nil:
		return 0
	case f.failure != nil:
		return f.failure.seq
	}
	return v.Seq
}

// Await waits for the answer. When ctx ends first it returns the context's
// error, and its cause beside it, and nothing else happens to the flight, unless
// AbortAbandoned is set and this was the last to wait (C1, C3). A nil ctx does
// not end.
func (f *Future[V]) Await(ctx context.Context) (V, error) {
	if f.outcome.Load() == nil {
		if w := f.wait.Load(); w != nil {
			w.await()
			if err := f.waitFor(ctx, w); err != nil {
				var zero V
				return zero, err
			}
		}
	}
	return f.Result()
}

// waitFor waits as a counted waiter, which the caller is already.
func (f *Future[V]) waitFor(ctx context.Context, w *waiting) error {
	if ctx == nil {
		ctx = context.Background()
	}
	s := w.sit()
	if s == nil {
		return nil // it has settled meanwhile
	}
	left := false
	if done := ctx.Done(); done == nil {
		<-s.wake
	} else {
		select {
		case <-s.wake:
		case <-done:
			if left = w.rise(s); !left {
				<-s.wake
			}
		}
	}
	w.giveBack(s)
	if !left || f.outcome.Load() != nil {
		return nil // both at once: the answer is worth more
	}
	if w.leave() && w.abandons() {
		w.group.left(f)
	}
	return ended(ctx)
}

// abandons says whether the flight ends when nobody waits (C3).
func (w *waiting) abandons() bool { return w.group != nil && w.group.abandons() }

// join adds by (oneWaiter or oneOwed) and says whether the future could still
// be joined: one that is sealed is being discarded.
func (w *waiting) join(by uint64) bool {
	for {
		n := w.count.Load()
		if n&sealed != 0 {
			return false
		}
		if w.count.CompareAndSwap(n, n+by) {
			return true
		}
	}
}

// await makes the caller a waiter. Where flights are abandoned it uses up one
// owed wait, so that the last to leave is known (C3); elsewhere a future that
// was handed out counts as waited for until it settles.
func (w *waiting) await() {
	for {
		n := w.count.Load()
		next := n + oneWaiter
		if w.abandons() && n&^sealed >= oneOwed {
			next -= oneOwed
		}
		if w.count.CompareAndSwap(n, next) {
			return
		}
	}
}

// leave takes a waiter away and says whether nobody is left.
func (w *waiting) leave() bool { return w.count.Add(^uint64(0))&^sealed == 0 }

// trySeal keeps newcomers out and says true, where nobody waits; where
// somebody does, it says false.
func (f *Future[V]) trySeal() bool {
	w := f.wait.Load()
	return w == nil || w.count.CompareAndSwap(0, sealed)
}

// unseal lets newcomers in again.
func (f *Future[V]) unseal() {
	if w := f.wait.Load(); w != nil {
		w.count.And(^sealed)
	}
}
