package actors

import (
	"sync"
	"sync/atomic"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// mayGo says whether asking the cell to go is worth a message.
func (c *cell[V]) mayGo() bool { return c.flight.Load() == nil && !c.rank.pinned() }

// makeRoom evicts until the bounds hold again, as far as they can. It runs on
// the goroutine of whoever added something, and nobody waits for another: one
// makes room down to the bound, and while he does not keep up (his processor
// may be taken from him) each who adds evicts more than he added (M1).
func (t *Table[V]) makeRoom() {
	if !t.policy.over() || t.closed.Load() || t.tryMakeRoom() {
		return
	}
	for range 2 {
		t.help()
	}
	// What was about to go may have refused.
	if t.policy.over() {
		t.tryMakeRoom()
	}
}

// tryMakeRoom says false where somebody else is at it.
func (t *Table[V]) tryMakeRoom() bool {
	for asked := t.room.asked.Add(1); t.room.busy.TryLock(); {
		t.evictWhatIsOver()
		t.room.busy.Unlock()
		// Whoever found it busy meanwhile may have made something evictable.
		now := t.room.asked.Load()
		if now == asked {
			return true
		}
		asked = now
	}
	return false
}

// help evicts one resource where the one who makes room does not keep up. What
// helpers are about to evict counts as gone, so that they do not, all at once,
// evict more than has to go.
func (t *Table[V]) help() {
	p := &t.policy
	p.leaving.Add(1)
	defer p.leaving.Add(-1)
	if !p.farOver() {
		return
	}
	if c := p.victim(); c != nil {
		c.send(&message[V]{op: opEvict, reason: lifecycle.BySize})
	}
}

// room lets one goroutine at a time make room.
type room struct {
	busy  sync.Mutex
	asked atomic.Uint64
}

func (t *Table[V]) evictWhatIsOver() {
	const patience = 64 // refusals in a row before it gives up until asked again
	for refused := 0; t.policy.over() && refused < patience; {
		c := t.policy.victim()
		if c == nil {
			return
		}
		m := message[V]{op: opEvict, reason: lifecycle.BySize}
		if c.send(&m); m.gone {
			refused = 0
		} else {
			refused++
		}
	}
}

// vacate lets c go where nothing is known of it and nothing holds it; nil: it
// went already.
func (t *Table[V]) vacate(c *cell[V]) {
	if c != nil && c.mayGo() && !known(c.shown.Load()) {
		c.send(&message[V]{op: opEvict, reason: lifecycle.ByRemoval})
	}
}

// bury takes a dead cell out of the table. Its barrier lives on in the floor,
// where a new cell of its key starts (O0).
func (t *Table[V]) bury(c *cell[V]) {
	t.raiseFloor(c.life.Floor())
	c.rank.phase = dead
	t.policy.reweigh(c, 0)
	t.policy.remove(c)
	t.cells.remove(c)
}

// raiseFloor lifts the barrier that new cells start with.
func (t *Table[V]) raiseFloor(to uint64) {
	for {
		floor := t.floor.Load()
		if floor >= to || t.floor.CompareAndSwap(floor, to) {
			return
		}
	}
}
