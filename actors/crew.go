package actors

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// crew runs flights on goroutines that are kept for a moment after they have
// landed: one whose stack has grown already need not grow it for the next
// flight. Those that are idle are let go now and then, so a cache at rest has no
// goroutine.
//
// What its members fly stands in the roster, where it costs a flight two stores
// that no other processor waits for. So a flight needs no entry of its own
// among the deadlines: there is one for all, at the earliest of them or before.
type crew[V any] struct {
	table   *Table[V]
	members waitGroup
	idle    [crewIdle]berth[V]

	rests atomic.Bool // the timer is set
	timer deadline    // lets the idle go

	watched atomic.Int64 // an Instant: when limit is due; Never: it is not set
	mu      sync.Mutex
	roster  []*member[V]
	limit   deadline
}

const (
	crewIdle = 16                    // more are not kept
	crewRest = 50 * time.Millisecond // how long, at most
	// crewLook is how much later a timeout may be noticed for each member there is:
	// to look through a large roster for each of them takes its time.
	crewLook = time.Microsecond
)

// member is a goroutine that flies.
type member[V any] struct {
	flies atomic.Pointer[flight[V]] // nil: it rests
	wake  chan struct{}             // of one
	berth int                       // where it rested last
	place int                       // in the roster
}

// berth is where a member rests. Callers look in different ones first, and each
// finds there whom he had before: its caches are warm.
type berth[V any] struct {
	member atomic.Pointer[member[V]]
	_      [64 - 8]byte
}

// crewLimit is what the crew's timeouts are to the deadlines.
type crewLimit[V any] struct{ *crew[V] }

func (w *crew[V]) init(t *Table[V]) {
	w.table = t
	w.timer.owner, w.limit.owner = w, crewLimit[V]{w}
	w.watched.Store(int64(lifecycle.Never))
}

// fly runs f on a goroutine of its own.
func (w *crew[V]) fly(f *flight[V]) {
	from := int(stripeHere())
	m := w.wakeable(from)
	if m == nil {
		m = &member[V]{wake: make(chan struct{}, 1), berth: from % crewIdle}
		m.flies.Store(f)
		w.enlist(m)
		go w.serve(m)
	} else {
		m.flies.Store(f)
		m.wake <- struct{}{}
	}
	// After it stands in the roster: whoever looks that through finds it there, or
	// has said before that nothing is watched.
	if f.detached == nil && int64(f.ctx.until) < w.watched.Load() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.watchLocked(f.ctx.until)
	}
}

// wakeable is a member that rests, nil if none does.
func (w *crew[V]) wakeable(from int) *member[V] {
	for i := range crewIdle {
		b := &w.idle[(from+i)%crewIdle].member
		if b.Load() == nil {
			continue
		}
		if m := b.Swap(nil); m != nil {
			return m
		}
	}
	return nil
}

// serve is the goroutine of a member. User code that calls runtime.Goexit ends
// it.
func (w *crew[V]) serve(m *member[V]) {
	defer w.strike(m)
	for {
		m.flies.Load().run()
		m.flies.Store(nil)
		if !w.rest(m) {
			return
		}
		if _, ok := <-m.wake; !ok {
			return
		}
	}
}

// rest has a member lie down, unless there are enough who do.
func (w *crew[V]) rest(m *member[V]) bool {
	for range crewIdle {
		if w.idle[m.berth].member.CompareAndSwap(nil, m) {
			return w.stay(m)
		}
		m.berth = (m.berth + 1) % crewIdle
	}
	return false
}

// stay has m be let go some time. It says false where that is now.
func (w *crew[V]) stay(m *member[V]) bool {
	t := w.table
	if t.closed.Load() && w.idle[m.berth].member.CompareAndSwap(m, nil) {
		return false
	}
	if !w.rests.Load() && w.rests.CompareAndSwap(false, true) {
		t.deadlines.set(&w.timer, t.clock.Now().Plus(crewRest))
	}
	return true
}

// due lets those go who have nothing to do.
func (w *crew[V]) due() {
	w.rests.Store(false) // before: who lies down now is seen, or sets the timer
	for i := range w.idle {
		if m := w.idle[i].member.Swap(nil); m != nil {
			close(m.wake)
		}
	}
}

// enlist puts m in the roster.
func (w *crew[V]) enlist(m *member[V]) {
	w.members.add()
	w.mu.Lock()
	defer w.mu.Unlock()
	m.place = len(w.roster)
	w.roster = append(w.roster, m)
}

// strike takes m out of the roster.
func (w *crew[V]) strike(m *member[V]) {
	defer w.members.done()
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(w.roster) - 1
	last := w.roster[n]
	w.roster[m.place], last.place = last, m.place
	w.roster[n] = nil
	w.roster = w.roster[:n]
	if cap(w.roster) > leastShrink && 4*n < cap(w.roster) { // a burst is over
		w.roster = append(make([]*member[V], 0, 2*n), w.roster...)
	}
}

// watchLocked has the roster looked through at the instant at, or before.
func (w *crew[V]) watchLocked(at lifecycle.Instant) {
	if int64(at) < w.watched.Load() {
		w.watched.Store(int64(at))
		w.table.deadlines.set(&w.limit, at)
	}
}

// due ends those flights that are in the air for too long.
func (l crewLimit[V]) due() {
	for _, f := range l.overdue(l.table.clock.Now()) {
		f.due()
	}
}

// overdue are the flights whose timeouts have passed since it was asked last.
func (w *crew[V]) overdue(now lifecycle.Instant) (late []*flight[V]) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watched.Store(int64(lifecycle.Never))
	next := lifecycle.Never
	for _, m := range w.roster {
		switch f := m.flies.Load(); {
		case f == nil || f.detached != nil || f.overdue:
		case f.ctx.until <= now:
			f.overdue = true
			late = append(late, f)
		default:
			next = min(next, f.ctx.until)
		}
	}
	if next != lifecycle.Never {
		w.watchLocked(max(next, now.Plus(time.Duration(len(w.roster))*crewLook)))
	}
	// The longest in the air first.
	slices.SortFunc(late, func(a, b *flight[V]) int { return cmp.Compare(a.ctx.until, b.ctx.until) })
	return late
}

// leave returns 0 when the crew of a closed table has gone, or how many still fly
// when ctx ended. Who only rests is let go, and awaited.
func (w *crew[V]) leave(ctx context.Context) (flying int) {
	for w.members.wait(ctx) > 0 {
		if flying = w.flying(func(*flight[V]) bool { return true }); flying > 0 {
			return flying
		}
		w.due() // another Close may not have come to that
		ctx = context.Background()
	}
	return 0
}

// flying counts what the crew flies, of those that count.
func (w *crew[V]) flying(counts func(*flight[V]) bool) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.roster {
		if f := m.flies.Load(); f != nil && counts(f) {
			n++
		}
	}
	return n
}

// flying counts the origin calls in the air.
func (t *Table[V]) flying() int {
	return int(t.inFlight.Load()) + t.crew.flying(func(f *flight[V]) bool { return !f.parted })
}
