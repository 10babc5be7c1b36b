package actors

import (
	"container/list"
	"sync"
)

// gate bounds the origin calls in the air (F11); the rest wait their turn,
// oldest first. A call that a source does not end keeps its place until its
// timeout, then another may go: nobody waits for ever.
type gate struct {
	mu    sync.Mutex
	max   int // 0: no bound
	free  int
	queue list.List // of queued
}

// caller is an origin call as the gate sees it.
type caller interface {
	wanted() bool      // false: given up while it waited; the origin is spared
	start(waited bool) // waited: in the queue
	spared()           // it was given up, and will not start; called under the gate's lock
}

// ticket is a call's place at the gate: in the queue, or gone, or nil.
type ticket struct{ place *list.Element }

// gone is the place of what has started, and was not released yet.
var gone = &list.Element{}

// queued is a call in the queue.
type queued struct {
	caller
	ticket *ticket
}

func newGate(most int) *gate { return &gate{max: most, free: most} }

// launch lets call go, whose ticket is k, now or when it is its turn. It takes the
// place in the queue of the one that it replaces, if that has not gone yet.
func (g *gate) launch(call caller, k, replaced *ticket) {
	if g.max == 0 {
		call.start(false)
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case replaced != nil && replaced.place != nil && replaced.place != gone:
		k.place, replaced.place = replaced.place, nil
		before := k.place.Value.(queued)
		k.place.Value = queued{call, k}
		before.spared()
	case g.free > 0:
		g.free--
		k.place = gone
		call.start(false)
	default:
		k.place = g.queue.PushBack(queued{call, k})
	}
}

// release gives k's place, if it holds one, to the oldest that waits.
func (g *gate) release(k *ticket) {
	if g.max == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if k.place != gone {
		return
	}
	k.place = nil
	g.free++
	for g.free > 0 && g.queue.Len() > 0 {
		next := g.queue.Remove(g.queue.Front()).(queued)
		next.ticket.place = nil
		if !next.wanted() {
			next.spared()
			continue
		}
		g.free--
		next.ticket.place = gone
		next.start(true)
	}
}
