package actors

import (
	"context"
	"fmt"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// Put makes r what is known of key (O7). Equal, Newer and Weigh run on the
// caller's goroutine; a panic there is returned as a *PanicError and changes
// nothing (C4).
func (t *Table[V]) Put(ctx context.Context, key string, r Response[V]) error {
	m := message[V]{op: opSet, ctx: ctx}
	for {
		if t.closed.Load() {
			return ErrClosed
		}
		// The cell is not made before user code has returned and nothing is
		// wrong: a Put that fails leaves nothing behind.
		var held *lifecycle.Version[V, *Future[V]]
		c := t.cells.find(key)
		if c != nil {
			held = c.shown.Load().Confirmed()
		} else if err := checkKey(key); err != nil {
			return err
		}
		if r.Unchanged && held.Held() == 0 {
			return fmt.Errorf("freshet: %s/%s: Put: %w", t.name, key, bare(ErrUnchanged))
		}
		if err := guarded(func() { t.know(&m.knowledge, &m.weight, key, &r, held, held) }); err != nil {
			return err
		}
		if c == nil {
			c, _, _ = t.enter(key) // the key was checked
		}
		m.gone, m.again = false, false
		c.sendReplayed(&m)
		if m.gone || m.again {
			continue
		}
		t.makeRoom()
		return m.failed
	}
}
