package actors

import (
	"context"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// A cell is the lifecycle.Driver of its resource: what follows is what the core asks
// of it in a turn.

// Fresh returns two numbers, the first of them.
func (c *cell[V]) Fresh() uint64 { return c.table.numbers.Add(2) - 1 }

// Mint makes a pending future, whose flights carry values, a context's. It belongs
// to the cell from the start: once a step is published, anybody may await it.
func (c *cell[V]) Mint(values any) *Future[V] {
	ctx, _ := values.(context.Context)
	return newPending(ctx, c)
}

// Ready makes a future that nobody will wait for: before it can be handed out it is
// settled.
func (*cell[V]) Ready() *Future[V] { return &Future[V]{} }

// Room is memory for a version that f settles with. A version is never written
// again, so the second one goes elsewhere.
func (*cell[V]) Room(f *Future[V]) *lifecycle.Version[V, *Future[V]] {
	if f == nil || f.own.Seq != 0 {
		return &lifecycle.Version[V, *Future[V]]{}
	}
	return &f.own
}

// Air comes from a pool: a load needs it for a moment.
func (c *cell[V]) Air() *lifecycle.Air[*Future[V]] {
	return c.table.airs.Get().(*lifecycle.Air[*Future[V]])
}

// TakeBack returns it there.
func (c *cell[V]) TakeBack(a *lifecycle.Air[*Future[V]]) { c.table.airs.Put(a) }
