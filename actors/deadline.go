package actors

import (
	"container/heap"
	"sync"
	"time"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// coalesce is the least time between two firings: what falls due meanwhile is
// noticed that much later at most.
const coalesce = time.Millisecond

// deadlines is the one timer structure of a cache: flight timeouts, the TTL
// ends of observed resources, sweeps. One timer is armed for the earliest.
type deadlines struct {
	clock *Clock
	busy  *waitGroup

	mu     sync.Mutex
	heap   deadlineHeap
	timer  *time.Timer
	armed  lifecycle.Instant // Never: not armed
	fired  lifecycle.Instant
	closed bool
}

// deadline is an entry. Its owner is told once, on the timer's goroutine.
type deadline struct {
	at    lifecycle.Instant
	index int // in the heap, plus one; 0: not in it
	owner interface{ due() }
}

func newDeadlines(clock *Clock, busy *waitGroup) *deadlines {
	return &deadlines{clock: clock, busy: busy, armed: lifecycle.Never, fired: -lifecycle.Instant(coalesce)}
}

// set moves d to the instant at; Never takes it out.
func (s *deadlines) set(d *deadline, at lifecycle.Instant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case at == lifecycle.Never || s.closed:
		if d.index > 0 {
			heap.Remove(&s.heap, d.index-1)
		}
		return
	case d.index > 0:
		d.at = at
		heap.Fix(&s.heap, d.index-1)
	default:
		d.at = at
		heap.Push(&s.heap, d)
	}
	if at < s.armed {
		s.armLocked()
	}
}

// armLocked sets the timer for the earliest deadline. A timer that is armed too
// early because its deadline was taken out fires for nothing, once.
func (s *deadlines) armLocked() {
	if len(s.heap) == 0 || s.closed {
		s.armed = lifecycle.Never
		return
	}
	s.armed = max(s.heap[0].at, s.fired.Plus(coalesce))
	in := s.armed.Sub(s.clock.Now())
	if s.timer == nil {
		s.timer = time.AfterFunc(in, s.fire)
	} else {
		s.timer.Reset(in)
	}
}

func (s *deadlines) fire() {
	s.busy.add()
	defer s.busy.done()
	for _, d := range s.take() {
		d.owner.due()
	}
}

// take removes what is due and arms the timer for the rest.
func (s *deadlines) take() (due []*deadline) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	for len(s.heap) > 0 && s.heap[0].at <= now {
		due = append(due, heap.Pop(&s.heap).(*deadline))
	}
	s.fired = now
	s.armLocked()
	return due
}

func (s *deadlines) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.timer != nil {
		s.timer.Stop()
	}
	for _, d := range s.heap {
		d.index = 0
	}
	s.heap = nil
}

// leastShrink is a heap whose room is not worth giving back.
const leastShrink = 256

type deadlineHeap []*deadline

func (h deadlineHeap) Len() int           { return len(h) }
func (h deadlineHeap) Less(i, j int) bool { return h[i].at < h[j].at }
func (h deadlineHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i+1, j+1
}

func (h *deadlineHeap) Push(x any) {
	d := x.(*deadline)
	*h = append(*h, d)
	d.index = len(*h)
}

func (h *deadlineHeap) Pop() any {
	old := *h
	d := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	if cap(old) > leastShrink && 4*len(*h) < cap(old) { // a burst is over
		*h = append(make(deadlineHeap, 0, 2*len(*h)), *h...)
	}
	d.index = 0
	return d
}
