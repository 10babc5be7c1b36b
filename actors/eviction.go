package actors

import (
	"sync"
	"sync/atomic"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// policy decides which resource makes room (M1). It is SIEVE: resources stand
// in the order they came; a hand walks from the oldest on, forgives whoever was
// read since it last passed, and names the first that was not. A hit only
// marks its cell, and only where that is not marked yet (M3: no lock).
type policy[V any] struct {
	maxEntries, maxWeight int64 // 0: no bound
	history               interface{ Weight() uint64 }

	entries, weight atomic.Int64
	leaving         atomic.Int64 // evictions that helpers are about to make

	mu           sync.Mutex
	first, last  *cell[V] // newest, oldest
	hand, ageing *cell[V] // nil: at the oldest
}

// rank is what the policy keeps in a cell. weight belongs to the mailbox, the
// links to the policy's lock.
type rank[V any] struct {
	visited      atomic.Bool
	pinned       atomic.Bool // the cell's word: it cannot go (M2)
	listed       bool
	weight       uint32
	newer, older *cell[V]
}

// touch notes that the resource was read.
func (r *rank[V]) touch() {
	if !r.visited.Load() {
		r.visited.Store(true)
	}
}

func (p *policy[V]) add(c *cell[V]) {
	p.mu.Lock()
	c.rank.listed = true
	c.rank.older = p.first
	if p.first != nil {
		p.first.rank.newer = c
	} else {
		p.last = c
	}
	p.first = c
	p.mu.Unlock()
	p.entries.Add(1)
}

func (p *policy[V]) remove(c *cell[V]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := &c.rank
	if !r.listed {
		return
	}
	r.listed = false
	if p.hand == c {
		p.hand = p.after(c)
	}
	if p.ageing == c {
		p.ageing = r.newer
	}
	if r.newer != nil {
		r.newer.rank.older = r.older
	} else {
		p.first = r.older
	}
	if r.older != nil {
		r.older.rank.newer = r.newer
	} else {
		p.last = r.newer
	}
	r.newer, r.older = nil, nil
	p.entries.Add(-1)
}

// reweigh is called by the cell's mailbox.
func (p *policy[V]) reweigh(c *cell[V], weight uint32) {
	p.weight.Add(int64(weight) - int64(c.rank.weight))
	c.rank.weight = weight
}

// held is what is resident, less what is about to be evicted by those who help
// (for the weight: about as much).
func (p *policy[V]) held() (entries, weight int64) {
	leaving := p.leaving.Load()
	entries, weight = p.entries.Load(), p.weight.Load()
	if leaving > 0 && entries > 0 {
		weight -= weight / entries * leaving
	}
	return entries - leaving, weight
}

// over says whether something has to go.
func (p *policy[V]) over() bool {
	entries, weight := p.held()
	return (p.maxEntries > 0 && entries > p.maxEntries) ||
		(p.maxWeight > 0 && weight+int64(p.history.Weight()) > p.maxWeight)
}

// farOver says that whoever makes room does not keep up with those who add.
func (p *policy[V]) farOver() bool {
	entries, weight := p.held()
	return (p.maxEntries > 0 && entries > p.maxEntries+p.maxEntries/32+16) ||
		(p.maxWeight > 0 && weight+int64(p.history.Weight()) > p.maxWeight+p.maxWeight/32)
}

// victim is who should go next, nil where nobody can. Cells that are observed
// or have a flight in the air are passed over; the cell itself has the last
// word (M2).
func (p *policy[V]) victim() *cell[V] {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range 2*p.entries.Load() + 1 {
		c := p.hand
		if c == nil {
			c = p.last
		}
		if c == p.first {
			break
		}
		p.hand = p.after(c)
		if c.rank.visited.Load() {
			c.rank.visited.Store(false)
		} else if c.mayGo() {
			return c
		}
	}
	if c := p.first; c != nil && c.mayGo() {
		return c // nobody else can
	}
	return nil
}

// after is where the hand goes from c. The newest is what somebody makes room
// for: the hand starts again instead of running after whatever comes in.
func (p *policy[V]) after(c *cell[V]) *cell[V] {
	if c.rank.newer == p.first {
		return nil
	}
	return c.rank.newer
}

// mayGo says whether asking the cell to go is worth a message.
func (c *cell[V]) mayGo() bool { return c.flight.Load() == nil && !c.rank.pinned.Load() }

// nextToAge walks over all resources, oldest first, a few a call; done says
// that it came to the end.
func (p *policy[V]) nextToAge(most int) (cells []*cell[V], done bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.ageing
	if c == nil {
		c = p.last
	}
	for ; c != nil && len(cells) < most; c = c.rank.newer {
		cells = append(cells, c)
	}
	p.ageing = c
	return cells, c == nil
}

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

// bury takes a dead cell out of the table. Its barrier lives on in the floor,
// where a new cell of its key starts (O0).
func (t *Table[V]) bury(c *cell[V]) {
	t.raiseFloor(c.life.Floor())
	c.phase = dead
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
