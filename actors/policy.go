package actors

import (
	"sync"
	"sync/atomic"
)

// policy decides which resource makes room (M1). It is W-TinyLFU with clocks
// instead of LRU lists, so that a hit takes no lock: it marks its cell, and only
// where that is not marked yet (M3). What a mark is worth shows when the cell is
// the oldest of its queue.
//
// Who comes passes through the window, so that whatever is asked for a few times
// in a short while is kept meanwhile, and leaves it for the main space only if
// it was asked for more often than the one that has to go in its place (sketch).
// What is read while it is on probation there becomes protected.
//
// How much is window is learned: a mark on the older half of the window says
// that a larger one would see more hits, a mark on what is on probation that a
// larger main space would, each the more the fewer resources it is seen on. A
// miss of what a larger window had kept (ghosts) speaks for that, too. The share
// moves until a place is worth the same in both.
type policy[V any] struct {
	maxEntries, maxWeight int64 // 0: no bound
	history               interface{ Weight() uint64 }
	hash                  func(key string) uint64
	hits                  func() uint64 // so far
	// crowded says that there are more than maxEntries, half that there are more than
	// half of them. They seldom change: whoever asks need not wait for a line of
	// memory that every load writes.
	crowded, half atomic.Bool
	_             [64]byte

	entries, weight atomic.Int64
	leaving         atomic.Int64 // evictions that helpers are about to make

	// mu guards what follows, and the cells' places and links.
	mu       sync.Mutex
	queues   [places]queue[V]
	window   float64  // its share of the entries
	sketch   sketch   // empty until the cache is half full
	ghosts   ghosts   // empty until then, too
	misses   uint64   // who came, so far
	ageing   *cell[V] // who is next in the walk of nextToAge; nil: the oldest
	ageingIn place    // of this queue
}

const (
	leastWindow    = 0.01 // its share, and
	fewestInWindow = 2
	mostWindow     = 0.98
	windowGain     = 0.05
	ghostGain      = 0.02
	shareProtected = 0.8 // of the main space
	// secondChances bound how long one who makes room looks for an unmarked cell
	// where any would do.
	secondChances = 64
)

func (p *policy[V]) add(c *cell[V]) {
	var hash uint64
	counted := p.halfFull()
	if counted {
		hash = p.hash(c.key)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	entries := p.entriesLocked(1)
	p.misses++
	if counted {
		p.sketch.add(hash, int(entries))
		p.recallLocked(hash, int(entries))
	}
	p.putLocked(c, young)
}

// halfFull says that somebody may have to go some day. Before that it is not worth
// counting who came how often: a cache that never fills has no sketch.
func (p *policy[V]) halfFull() bool {
	return p.half.Load() ||
		(p.maxWeight > 0 && p.weight.Load() > p.maxWeight/2)
}

func (p *policy[V]) remove(c *cell[V]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.rank.place == nowhere {
		return
	}
	p.takeLocked(c)
	c.rank.place = nowhere
	p.entriesLocked(-1)
}

// entriesLocked adds to the entries.
func (p *policy[V]) entriesLocked(n int64) int64 {
	n = p.entries.Add(n)
	if crowded := p.maxEntries > 0 && n > p.maxEntries; crowded != p.crowded.Load() {
		p.crowded.Store(crowded)
	}
	if half := p.maxEntries > 0 && n > p.maxEntries/2; half != p.half.Load() {
		p.half.Store(half)
	}
	return n
}

// reweigh is called by the cell's mailbox.
func (p *policy[V]) reweigh(c *cell[V], weight uint32) {
	before := c.rank.weight
	if weight == before {
		return // most have none: a word that all processors share stays as it is
	}
	p.weight.Add(int64(weight) - int64(before))
	c.rank.weight = weight
	if p.maxWeight == 0 || max(int64(before), int64(weight)) <= p.maxWeight {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	stands := &c.rank.place
	if *stands == apart {
		stands = &c.rank.back
	}
	switch heavy := int64(weight) > p.maxWeight; {
	case *stands == nowhere || heavy == (*stands == outsized):
	case stands == &c.rank.back && heavy:
		*stands = outsized
	case stands == &c.rank.back:
		*stands = young
	case heavy:
		p.moveLocked(c, outsized)
	default:
		p.moveLocked(c, young)
	}
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
	if p.maxWeight == 0 && !p.crowded.Load() {
		return false
	}
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
// word (M2). Who is named does not stay where it was, so that the next call
// names another.
func (p *policy[V]) victim() *cell[V] {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.firstToGoLocked(outsized); c != nil {
		p.moveLocked(c, outsized)
		return c
	}
	candidate, resident := p.candidateLocked(), p.coldestLocked()
	var c *cell[V]
	switch {
	case candidate == nil && resident == nil:
		if c = p.firstToGoLocked(old); c == nil {
			c = p.firstToGoLocked(young)
		}
		if c == nil {
			return nil
		}
	case candidate == nil:
		c = resident
	case resident == nil || !p.admitsLocked(candidate, resident):
		c = candidate
	default:
		p.moveLocked(candidate, probation)
		c = resident
	}
	if c == candidate {
		hash := p.hash(c.key)
		if ghost := p.ghosts.slot(hash, int(p.entries.Load())); ghost != nil {
			ghost.remember(hash, p.nowLocked())
		}
	}
	p.moveLocked(c, probation)
	return c
}

// recallLocked makes the window larger if a larger one had kept what is missed
// now.
func (p *policy[V]) recallLocked(hash uint64, entries int) {
	ghost := p.ghosts.slot(hash, entries)
	if ghost != nil && ghost.recall(hash, p.nowLocked(), uint32(entries)) {
		p.shareLocked(ghostGain / float64(min(entries, ghostSample)))
	}
}

// nowLocked counts accesses.
func (p *policy[V]) nowLocked() uint32 { return uint32(p.misses + p.hits()) }

// admitsLocked says whether candidate takes the place of resident. By one count
// more it does not: it was counted just now, and the other may be about to be.
func (p *policy[V]) admitsLocked(candidate, resident *cell[V]) bool {
	return p.sketch.count(p.hash(candidate.key)) > p.sketch.count(p.hash(resident.key))+1
}

// candidateLocked is who has to leave the window for somebody who came, nil if
// there is room in it or everybody may still be of use there.
func (p *policy[V]) candidateLocked() *cell[V] {
	y, o := &p.queues[young], &p.queues[old]
	room := max(fewestInWindow, int(max(p.window, leastWindow)*float64(p.entries.Load())))
	for range 2 * secondChances {
		if y.n+o.n <= room {
			return nil
		}
		switch c := o.oldest; {
		case o.n == 0 || 2*y.n > room:
			to := old
			if c = y.oldest; p.visitedLocked(c) {
				to = young
			}
			p.moveLocked(c, to)
		case p.visitedLocked(c):
			p.shareLocked(windowGain / float64(o.n))
			p.moveLocked(c, young)
		case !c.mayGo():
			p.setApartLocked(c, young)
		case y.n+o.n-room > p.surplus():
			p.moveLocked(c, probation) // the window has become smaller
		default:
			return c
		}
	}
	return nil
}

// surplus is about how many entries have to go.
func (p *policy[V]) surplus() int {
	entries, weight := p.entries.Load(), p.weight.Load()
	n := int64(1)
	if p.maxEntries > 0 {
		n = max(n, entries-p.maxEntries)
	}
	if p.maxWeight > 0 && weight > p.maxWeight {
		n = max(n, (weight-p.maxWeight)*entries/weight)
	}
	return int(n)
}

// coldestLocked is the oldest on probation that nobody read there, nil if nobody
// can go.
func (p *policy[V]) coldestLocked() *cell[V] {
	q := &p.queues[probation]
	for range 2 * (q.n + p.queues[protected].n) {
		p.demoteLocked()
		switch c := q.oldest; {
		case c == nil:
			return nil
		case p.visitedLocked(c):
			p.shareLocked(-windowGain / float64(q.n))
			p.moveLocked(c, protected)
		case !c.mayGo():
			p.setApartLocked(c, protected)
		default:
			return c
		}
	}
	return nil
}

// demoteLocked puts one of the protected on probation if they are too many.
func (p *policy[V]) demoteLocked() {
	q := &p.queues[protected]
	main := q.n + p.queues[probation].n
	if float64(q.n) <= shareProtected*float64(main) {
		return
	}
	for range min(q.n, secondChances) {
		if !p.visitedLocked(q.oldest) {
			break
		}
		p.moveLocked(q.oldest, protected)
	}
	p.moveLocked(q.oldest, probation)
}

// shareLocked makes the window larger, or smaller.
func (p *policy[V]) shareLocked(by float64) {
	least := max(leastWindow, fewestInWindow/float64(p.entries.Load()))
	p.window = max(least, min(max(p.window, least)+by, mostWindow))
}

// visitedLocked takes c's mark, and counts it.
func (p *policy[V]) visitedLocked(c *cell[V]) bool {
	if !c.rank.visited.Load() {
		return false
	}
	c.rank.visited.Store(false)
	c.unmark()
	p.sketch.add(p.hash(c.key), int(p.entries.Load()))
	return true
}
