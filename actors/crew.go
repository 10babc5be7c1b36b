package actors

import (
	"sync"
	"time"
)

// crew runs flights on goroutines that are kept for a moment after they have
// landed: one whose stack has grown already need not grow it for the next
// flight. Those that are idle are let go now and then, so a cache at rest has no
// goroutine.
type crew[V any] struct {
	table   *Table[V]
	members waitGroup

	mu    sync.Mutex
	idle  []chan *flight[V] // the last to come is the first to fly: its cache is warm
	rests bool              // the timer is set
	timer deadline
}

const (
	crewIdle = 16                    // more are not kept
	crewRest = 50 * time.Millisecond // how long, at most
)

// fly runs f on a goroutine of its own.
func (w *crew[V]) fly(f *flight[V]) {
	w.mu.Lock()
	if n := len(w.idle); n > 0 {
		member := w.idle[n-1]
		w.idle = w.idle[:n-1]
		w.mu.Unlock()
		member <- f
		return
	}
	w.mu.Unlock()
	w.members.add()
	go w.serve(f)
}

// serve is the goroutine of a member. User code that calls runtime.Goexit ends
// it.
func (w *crew[V]) serve(f *flight[V]) {
	defer w.members.done()
	f.run()
	next := make(chan *flight[V], 1)
	for w.rest(next) {
		f, ok := <-next
		if !ok {
			return
		}
		f.run()
	}
}

// rest puts a member among the idle, unless there are enough.
func (w *crew[V]) rest(member chan *flight[V]) bool {
	t := w.table
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.idle) >= crewIdle || t.closed.Load() {
		return false
	}
	w.idle = append(w.idle, member)
	if !w.rests {
		w.rests = true
		w.timer.owner = w
		t.deadlines.set(&w.timer, t.clock.Now().Plus(crewRest))
	}
	return true
}

// due lets those go who have nothing to do.
func (w *crew[V]) due() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, member := range w.idle {
		close(member)
	}
	w.idle = nil
	w.rests = false
}
