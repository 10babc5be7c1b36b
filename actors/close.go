package actors

import (
	"context"
	"fmt"
)

// awaitWrites waits for the writes that are with the origin as long as ctx
// allows, and tells of the rest as unknown (C5).
func (t *Table[V]) awaitWrites(ctx context.Context) {
	flying := t.writes.close()
	if t.writes.flying.wait(ctx) == 0 {
		return
	}
	for _, w := range flying {
		if w.wanted() { // before one that ends lets it through the gate
			w.giveUp(ErrClosed, ErrClosed)
		}
	}
	for _, w := range flying {
		w.giveUp(ErrClosed, ErrClosed)
	}
}

// Close ends the table (C5): see Cache.Close.
func (t *Table[V]) Close(ctx context.Context) error {
	if ctx == nil {
		ctx = context.Background()
	}
	t.working.add() // before closed is set: a second Close waits for the first one's pass
	first := t.closed.CompareAndSwap(false, true)
	if first {
		t.runtime.leave(t.name, t)
		for c := range t.cells.all() {
			c.send(&message[V]{op: opClose})
		}
		if t.lists != nil {
			_ = t.lists.table.Close(ctx) // what has not returned is told below
		}
		t.awaitWrites(ctx)
		close(t.ending)
		t.deadlines.close()
		t.crew.due()
		if t.tier != nil {
			t.tier.flush()
		}
		t.tier.stopListening()
		t.log.Close()
		t.working.add()
		go func() { // on whose turn a dispatcher of theirs may run the watchers
			defer t.working.done()
			for w := range t.watchers.close() {
				_ = contained(func() { t.terminated(w) })
			}
		}()
	}
	t.working.done()
	running := t.working.wait(ctx)
	if t.lists != nil {
		running += t.lists.table.working.wait(ctx)
	}
	t.crew.members.wait(ctx)
	if first && t.tier != nil {
		ticks.leave()
	}
	if t.private {
		t.runtime.clock.Close()
	}
	if running > 0 {
		calls := "1 origin call has"
		if running > 1 {
			calls = fmt.Sprint(running, " origin calls have")
		}
		return fmt.Errorf("freshet: close of %s: %s not returned: %w", t.name, calls, ctx.Err())
	}
	return nil
}

// discard ends a table that never came to life.
func (t *Table[V]) discard() {
	t.tier.stopListening()
	if t.tier != nil {
		ticks.leave()
	}
	t.log.Close()
	if t.lists != nil {
		t.lists.table.log.Close()
	}
	if t.private {
		t.runtime.clock.Close()
	}
}
