package actors

import (
	"context"
	"fmt"
	"strings"
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
		if left := t.watchers.close(); len(left) > 0 {
			t.working.add()
			go func() { // on whose turn a dispatcher of theirs may run the watchers
				defer t.working.done()
				for w := range left {
					_ = contained(func() { t.terminated(w) })
				}
			}()
		}
	}
	t.working.done()
	running := t.quiet(ctx)
	if t.lists != nil {
		running += t.lists.table.quiet(ctx)
	}
	if first && t.tier != nil {
		ticks.leave()
	}
	if t.private {
		t.runtime.clock.Close()
	}
	if running > 0 {
		return fmt.Errorf("freshet: close of %s: %s: %w", t.name, t.leftBehind(running), ctx.Err())
	}
	return nil
}

// quiet returns 0 when nothing works for the closed table any more, or how many are
// still at it when ctx ended.
func (t *Table[V]) quiet(ctx context.Context) (running int) {
	for {
		running = t.crew.leave(ctx) + t.working.wait(ctx)
		if running > 0 || t.crew.members.n.Load() == 0 {
			return running
		}
	}
}

// Go runs f on a goroutine that Close waits for, or says false where the table
// is closed.
func (t *Table[V]) Go(f func()) bool {
	t.working.add()
	if t.closed.Load() {
		t.working.done()
		return false
	}
	go func() {
		defer t.working.done()
		f()
	}()
	return true
}

// leftBehind says what a Close whose context ended has not awaited.
func (t *Table[V]) leftBehind(running int) string {
	flights := t.flying()
	if t.lists != nil {
		flights += t.lists.table.flying()
	}
	var left []string
	if flights > 0 {
		left = append(left, plural(flights, "origin call has", "origin calls have")+" not returned")
	}
	if owed := t.tier.owed(); owed > 0 {
		left = append(left, "the Store has yet to acknowledge "+plural(owed, "write", "writes"))
	}
	if left == nil {
		left = append(left, plural(running, "call", "calls")+" of the Writer, the Store or the like did not return")
	}
	return strings.Join(left, ", and ")
}

func plural(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", more)
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
