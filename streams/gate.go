package streams

import (
	"sync"
	"sync/atomic"
)

// gate is where readers sleep until the writer has something for them. Waking costs the writer the same however many
// sleep: it sends for one, and the one that it woke wakes the others before it goes about its own business. Nothing
// here runs a goroutine of its own.
//
// The writer never waits for the lock either: where it is taken, it leaves word (sent) and the holder does the work
// after unlocking. A reader that loses its processor inside the lock delays readers, not the writer.
type gate struct {
	armed atomic.Bool // somebody sleeps for whom nobody has been sent yet
	sent  atomic.Bool // the writer wants somebody woken
	_     apart       // the writer looks above at every append; below is the readers' to wear out

	mu          sync.Mutex
	first, last *sleeper // oldest first
	count       int
}

// sleeper is one reader's place at one gate. Its fields belong to the gate's lock.
type sleeper struct {
	gate       *gate
	wake       chan<- struct{} // capacity 1; a reader has one for all its places
	prev, next *sleeper
	queued     bool
	envoy      bool // woken by the writer: has the others to wake
}

// enter takes the place. A reader must look once more for news after it, before it sleeps: what was appended before
// enter rings for nobody.
func (s *sleeper) enter() {
	g := s.gate
	g.mu.Lock()
	s.queued, s.prev, s.next = true, g.last, nil
	if g.last == nil {
		g.first = s
	} else {
		g.last.next = s
	}
	g.last = s
	g.count++
	g.armed.Store(true)
	g.mu.Unlock()
	g.answer()
}

// leave gives the place up. Every enter is followed by a leave, whatever ended the sleep, so that word for the others
// is never lost with a reader that happens to be leaving.
func (s *sleeper) leave() {
	g := s.gate
	g.mu.Lock()
	if s.queued {
		g.removeLocked(s)
	}
	owed := 0
	if s.envoy {
		s.envoy = false
		owed = g.count
	}
	g.mu.Unlock()
	g.answer()
	g.wakeOldest(owed)
}

// ring wakes whoever sleeps. It takes constant time and never waits. The writer calls it after what it tells of can
// be read.
func (g *gate) ring() {
	if !g.armed.Load() {
		return
	}
	g.sent.Store(true)
	g.answer()
}

// answer sends for one sleeper if the writer asked for it and nobody else is at it.
func (g *gate) answer() {
	for g.sent.Load() && g.mu.TryLock() {
		if g.sent.Swap(false) {
			g.armed.Store(false)
			if s := g.first; s != nil {
				g.removeLocked(s)
				s.envoy = true
				poke(s.wake)
			}
		}
		g.mu.Unlock()
	}
}

// wakeOldest wakes the n that have slept longest: those who lay down before the envoy came. Whoever lay down later has
// armed the gate anew.
func (g *gate) wakeOldest(n int) {
	var some [32]chan<- struct{}
	for n > 0 {
		k := 0
		g.mu.Lock()
		for ; k < len(some) && k < n && g.first != nil; k++ {
			some[k] = g.first.wake
			g.removeLocked(g.first)
		}
		g.mu.Unlock()
		g.answer()
		for _, wake := range some[:k] {
			poke(wake)
		}
		if k < len(some) {
			return
		}
		n -= k
	}
}

func (g *gate) removeLocked(s *sleeper) {
	if s.prev == nil {
		g.first = s.next
	} else {
		s.prev.next = s.next
	}
	if s.next == nil {
		g.last = s.prev
	} else {
		s.next.prev = s.prev
	}
	s.queued, s.prev, s.next = false, nil, nil
	g.count--
}

// poke leaves at most one word in a reader's channel: one is as good as many.
func poke(wake chan<- struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}
