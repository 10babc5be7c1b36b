package main

import (
	"context"
	"sync"
)

// gate holds one request at the origin until the show has looked around. It
// stands in for a slow network: what is shown does not depend on time.
type gate struct {
	request string        // "ann PUT /todos/1": the next of these is held
	arrived chan struct{} // closed when it is there
	opened  chan struct{} // closed when it may go on
	open    sync.Once
	lose    bool   // its answer gets lost: the connection breaks; set before opened
	said    []Todo // what it was answered with; to be read after the answer
}

// await waits until the request is there.
func (g *gate) await(ctx context.Context) error {
	select {
	case <-g.arrived:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// isThere says whether the request is there, isOpen whether it may go on.
func (g *gate) isThere() bool { return closed(g.arrived) }
func (g *gate) isOpen() bool  { return closed(g.opened) }

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// answer lets the request go on.
func (g *gate) answer() { g.open.Do(func() { close(g.opened) }) }

// loseAnswer lets it go on, but nobody will hear how it went.
func (g *gate) loseAnswer() {
	g.lose = true
	g.answer()
}

// pass is the request's side: it waits at the gate, or says that the client
// went away. A nil gate is open.
func (g *gate) pass(ctx context.Context) bool {
	if g == nil {
		return true
	}
	select {
	case <-g.opened:
		return true
	case <-ctx.Done():
		return false
	}
}
