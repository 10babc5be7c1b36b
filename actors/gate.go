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
	queue list.List // of *ticket
}

// ticket is an origin call's place at the gate.
type ticket struct {
	call interface {
		wanted() bool // false: given up while it waited; the origin is spared
		start()
		spared() // it was given up, and will not start; called under the gate's lock
	}
	waiting *list.Element // nil: not in the queue
	gone    bool          // started, and not released yet
}

func newGate(most int) *gate { return &gate{max: most, free: most} }

// launch lets k go, now or when it is its turn. It takes the place in the
// queue of the one that it replaces, if that has not gone yet.
func (g *gate) launch(k, replaced *ticket) {
	if g.max == 0 {
		k.call.start()
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case replaced != nil && replaced.waiting != nil:
		k.waiting, replaced.waiting = replaced.waiting, nil
		k.waiting.Value = k
		replaced.call.spared()
	case g.free > 0:
		g.free--
		k.gone = true
		k.call.start()
	default:
		k.waiting = g.queue.PushBack(k)
	}
}

// release gives k's place, if it holds one, to the oldest that waits.
func (g *gate) release(k *ticket) {
	if g.max == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !k.gone {
		return
	}
	k.gone = false
	g.free++
	for g.free > 0 && g.queue.Len() > 0 {
		next := g.queue.Remove(g.queue.Front()).(*ticket)
		next.waiting = nil
		if !next.call.wanted() {
			next.call.spared()
			continue
		}
		g.free--
		next.gone = true
		next.call.start()
	}
}
