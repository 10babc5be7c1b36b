package actors

import "sync/atomic"

// place is the queue that a cell stands in.
type place uint8

const (
	nowhere   place = iota
	young           // the window's newer half,
	old             // and its older one
	probation       // the main space: who goes next,
	protected       // and who was read there
	outsized        // heavier than the bound: never fits
	apart           // it cannot go, so nobody who makes room looks at it
	places
)

// rank is what the policy keeps in a cell. weight and phase belong to the
// mailbox, the places and the links to the policy's lock.
type rank[V any] struct {
	visited      atomic.Bool
	state        atomic.Uint32
	weight       uint32
	place        place
	back         place // apart: where it stood
	phase        phase // not the policy's: here is room for it
	newer, older *cell[V]
}

// The bits of a rank's state. A new cell cannot go until its first message was
// handled.
const (
	isUnpinned uint32 = 1 << iota // the cell's word: it can go (M2)
	isApart                       // the policy's: it stands apart until it can
)

func (r *rank[V]) pinned() bool { return r.state.Load()&isUnpinned == 0 }

func (r *rank[V]) pin(yes bool) {
	if yes {
		r.state.And(^isUnpinned)
	} else {
		r.state.Or(isUnpinned)
	}
}

// touch notes that the resource was read.
func (r *rank[V]) touch() {
	if !r.visited.Load() {
		r.visited.Store(true)
	}
}

// queue is a list of cells in the order in which they were put in.
type queue[V any] struct {
	newest, oldest *cell[V]
	n              int
}

// putLocked makes c, which is in no queue, the newest of one.
func (p *policy[V]) putLocked(c *cell[V], in place) {
	q, r := &p.queues[in], &c.rank
	r.place, r.older, r.newer = in, q.newest, nil
	if q.newest != nil {
		q.newest.rank.newer = c
	} else {
		q.oldest = c
	}
	q.newest = c
	q.n++
}

// takeLocked takes c out of its queue.
func (p *policy[V]) takeLocked(c *cell[V]) {
	q, r := &p.queues[c.rank.place], &c.rank
	if p.ageing == c {
		p.ageLocked(c)
	}
	if r.newer != nil {
		r.newer.rank.older = r.older
	} else {
		q.newest = r.older
	}
	if r.older != nil {
		r.older.rank.newer = r.newer
	} else {
		q.oldest = r.newer
	}
	r.newer, r.older = nil, nil
	q.n--
}

// moveLocked makes c the newest of a queue, perhaps its own.
func (p *policy[V]) moveLocked(c *cell[V], to place) {
	p.takeLocked(c)
	p.putLocked(c, to)
}

// firstToGoLocked is the oldest of a queue that can go.
func (p *policy[V]) firstToGoLocked(in place) *cell[V] {
	for range p.queues[in].n {
		c := p.queues[in].oldest
		if c.mayGo() {
			return c
		}
		p.setApartLocked(c, in)
	}
	return nil
}

// setApartLocked puts c, which cannot go, where nobody meets it: however many are
// in the air or observed, making room costs the same. It comes back to a queue
// when it can go (cell.perform).
func (p *policy[V]) setApartLocked(c *cell[V], back place) {
	p.moveLocked(c, apart)
	c.rank.back = back
	c.rank.state.Or(isApart)
	if c.mayGo() { // by now, and it may not have seen that it stands there
		p.comeBackLocked(c)
	}
}

// comeBackLocked ends setApartLocked.
func (p *policy[V]) comeBackLocked(c *cell[V]) {
	c.rank.state.And(^isApart)
	if c.rank.place == apart {
		p.moveLocked(c, c.rank.back)
	}
}

// free is called by the cell's mailbox where c can go again.
func (p *policy[V]) free(c *cell[V]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.comeBackLocked(c)
}

// nextToAge walks over all resources, a few a call, oldest first where nothing
// is evicted; done says that it came to the end. It may meet one twice, and miss
// one that changes its place meanwhile.
func (p *policy[V]) nextToAge(most int) (cells []*cell[V], done bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(cells) < most && p.ageingIn < places {
		c := p.ageing
		if c == nil {
			c = p.queues[p.ageingIn].oldest
		}
		if c == nil {
			p.ageingIn++
			continue
		}
		cells = append(cells, c)
		p.ageLocked(c)
	}
	if p.ageingIn < places {
		return cells, false
	}
	p.ageingIn = 0
	return cells, true
}

// ageLocked goes on from c.
func (p *policy[V]) ageLocked(c *cell[V]) {
	if p.ageing = c.rank.newer; p.ageing == nil {
		p.ageingIn++
	}
}
