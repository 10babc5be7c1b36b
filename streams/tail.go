package streams

import (
	"context"
	"runtime"
	"time"
)

// fill is called by the one who has the turn, and returns when there is something to hand out, the subscription has
// ended, or ctx has.
func (s *Subscription[V]) fill(ctx context.Context) {
	for {
		s.mu.Lock()
		snap := s.snapshot
		s.mu.Unlock()
		if snap != nil {
			s.fillSnapshot(snap)
		}
		if s.look() {
			return
		}
		runtime.Gosched() // under load there is news by then, and neither we nor the writer pay for a sleep
		if s.look() || !s.park(ctx) {
			return
		}
	}
}

// look takes what the log has for this subscription, and reports whether that is anything: an event, or the end.
func (s *Subscription[V]) look() bool {
	for {
		s.mu.Lock()
		if s.err != nil || s.out.left() {
			s.mu.Unlock()
			return true
		}
		if s.snapshot != nil {
			s.mu.Unlock()
			return false
		}
		limit := s.log.limit()
		if s.scanned >= limit {
			drained := s.scanned >= s.log.last.Load()
			due := !drained && s.scanned-s.sent >= s.log.every
			if due {
				s.bookmarkLocked()
			}
			s.mu.Unlock()
			if drained {
				s.end(ErrClosed)
			}
			return drained || due
		}
		cause := s.advanceLocked(limit)
		s.mu.Unlock()
		if cause != nil {
			s.end(cause)
			return true
		}
	}
}

// advanceLocked looks at some more of the log, up to revision limit. Afterwards the batch has something, or scanned is
// larger, or a snapshot is due, or the answer is why the subscription ends.
func (s *Subscription[V]) advanceLocked(limit uint64) error {
	b := s.newBatchLocked()
	lostTo := uint64(0)
	switch {
	case s.backlog != nil:
		lostTo = s.takeBacklogLocked()
	case s.wires != nil:
		lostTo = s.takeFeedsLocked(limit)
	default:
		lostTo = s.takeRingLocked(limit)
	}
	if lostTo != 0 {
		return s.lapLocked(lostTo)
	}
	s.skipAheadLocked()
	if b.n == 0 && s.scanned-s.sent >= s.log.every {
		s.bookmarkLocked()
	}
	s.settleBatchLocked()
	return nil
}

// settleBatchLocked follows every filling of the batch.
func (s *Subscription[V]) settleBatchLocked() {
	if b := s.out; b != nil && b.n > 0 {
		s.sent = max(s.sent, b.events[b.n-1].Revision)
		s.idle = time.Time{}
		return
	}
	s.dropBatchLocked()
	if s.placed && s.backlog == nil {
		s.told = s.scanned
	}
}

// takeRingLocked reads from the ring. lostTo is the last revision that is lost, 0 when none is.
func (s *Subscription[V]) takeRingLocked(limit uint64) (lostTo uint64) {
	n, next, lapped := s.log.ring.read(s.scanned+1, limit, s.filter, s.out.events[:])
	if lapped {
		return s.log.ring.oldest(s.log.Revision()) - 1
	}
	s.out.n, s.scanned = n, next-1
	return 0
}

func (s *Subscription[V]) takeBacklogLocked() (lostTo uint64) {
	b := s.backlog
	if s.scanned < b.floor {
		n, next, lapped := s.log.ring.read(s.scanned+1, b.floor, s.filter, s.out.events[:])
		if lapped {
			return min(s.log.ring.oldest(s.log.Revision())-1, b.floor)
		}
		s.out.n, s.scanned = n, next-1
		return 0
	}
	n := copy(s.out.events[:], b.events)
	clear(b.events[:n])
	b.events = b.events[n:]
	if n > 0 {
		s.scanned = s.out.events[n-1].Revision
	}
	s.out.n = n
	if len(b.events) == 0 {
		s.scanned, s.backlog = b.until, nil
	}
	return 0
}

// takeFeedsLocked takes what the feeds have, in the order of revisions. Where a feed no longer has all, or looking at
// so many feeds is more work than looking at what was appended, the ring is read instead; where the ring no longer has
// it either, its own keys have lapped the subscription.
func (s *Subscription[V]) takeFeedsLocked(limit uint64) (lostTo uint64) {
	if limit-s.scanned < uint64(len(s.wires)) {
		if s.takeRingLocked(limit) == 0 {
			return 0
		}
	}
	gather := s.gatherLocked
	if len(s.wires) == 1 {
		gather = s.gatherOneLocked
	}
	incomplete := gather(limit)
	if incomplete == 0 {
		return 0
	}
	lostTo = s.takeRingLocked(limit)
	if lostTo == 0 {
		return 0
	}
	return max(min(lostTo, incomplete), s.scanned+1)
}

// gatherOneLocked is gatherLocked for one feed, which is in order by itself.
func (s *Subscription[V]) gatherOneLocked(limit uint64) (incomplete uint64) {
	wire := &s.wires[0]
	f := wire.feed
	events := s.out.events[:]
	if oldest := f.ring.oldest(f.ring.head.Load()); wire.next < oldest {
		if dropped := f.dropped.Load(); dropped > s.scanned {
			return dropped
		}
		wire.next = oldest
	}
	n, next, lapped := f.ring.read(wire.next, limit, s.filter, events)
	if lapped {
		return max(f.dropped.Load(), s.scanned+1)
	}
	old := 0 // read from the ring already
	for old < n && events[old].Revision <= s.scanned {
		old++
	}
	if old > 0 {
		copy(events, events[old:n])
		clear(events[n-old : n])
		n -= old
	}
	s.out.n = n
	if next == wire.next || f.ring.head.Load() < next {
		s.scanned = limit
	} else if n > 0 {
		s.scanned = max(s.scanned, events[n-1].Revision)
	}
	wire.next = next
	return 0
}

// ref is an event in a feed.
type ref struct {
	revision uint64
	wire     int
	index    uint64
}

// gatherLocked merges the feeds into the batch, as far as limit and the batch go. incomplete is 0, or the newest
// revision that some feed has lost and the subscription has not seen.
func (s *Subscription[V]) gatherLocked(limit uint64) (incomplete uint64) {
	var (
		refs [batchSize]ref
		n    int
		more bool // there was no room for all
		b    = s.out
	)
	for w := range s.wires {
		wire := &s.wires[w]
		f := wire.feed
		head := f.ring.head.Load()
		if wire.next > head {
			continue
		}
		if oldest := f.ring.oldest(head); wire.next < oldest {
			if dropped := f.dropped.Load(); dropped > s.scanned {
				incomplete = max(incomplete, dropped)
				continue
			}
			wire.next = oldest
		}
		first := wire.next
		for i := first; i <= head; i++ {
			revision := f.revisions[i%feedMarks].Load()
			if revision <= s.scanned {
				wire.next = i + 1
				continue
			}
			if revision > limit {
				break
			}
			if n == len(refs) {
				more = true
				if revision > refs[n-1].revision {
					break
				}
				n--
			}
			at := n
			for ; at > 0 && refs[at-1].revision > revision; at-- {
				refs[at] = refs[at-1]
			}
			refs[at] = ref{revision: revision, wire: w, index: i}
			n++
		}
		if f.overwritten(first) {
			incomplete = max(incomplete, f.dropped.Load(), s.scanned+1)
		}
	}
	if incomplete != 0 {
		return incomplete
	}
	for _, r := range refs[:n] {
		wire := &s.wires[r.wire]
		e := &b.events[b.n]
		if k, _, _ := wire.feed.ring.read(r.index, limit, nil, b.events[b.n:b.n+1]); k == 0 || e.Revision != r.revision {
			// The feed moved on while we looked. What was taken so far may not be in order, so none of it counts.
			clear(b.events[:b.n+1])
			b.n = 0
			return max(wire.feed.dropped.Load(), s.scanned+1)
		}
		if s.filter.kinds.has(e.Kind) {
			b.n++
		} else {
			*e = Event[V]{}
		}
	}
	for _, r := range refs[:n] {
		s.wires[r.wire].next = r.index + 1
	}
	if more {
		s.scanned = refs[n-1].revision
	} else {
		s.scanned = limit
	}
	return 0
}

// whereLocked brings told and placed up to date. The place of a subscription to keys moves along where nothing of its
// keys has happened: nobody wakes it to do so itself.
func (s *Subscription[V]) whereLocked() {
	s.accountLocked()
	if s.wires == nil || s.err != nil || s.out.left() || s.backlog != nil || s.snapshot != nil || !s.placed {
		return
	}
	limit := s.log.limit()
	for i := range s.wires {
		if s.wires[i].feed.ring.head.Load() >= s.wires[i].next {
			return
		}
	}
	s.scanned = max(s.scanned, limit)
	s.told = s.scanned
}

// skipAheadLocked takes out of the batch what the values of a snapshot contain already (S5).
func (s *Subscription[V]) skipAheadLocked() {
	if s.ahead == nil {
		return
	}
	b, kept := s.out, 0
	for i := range b.n {
		if e := &b.events[i]; e.Revision > s.ahead[e.Key] {
			b.events[kept] = *e
			kept++
		}
	}
	clear(b.events[kept:b.n])
	b.n = kept
	if s.scanned >= s.aheadTo {
		s.ahead = nil
	}
}

// bookmarkLocked tells the subscriber where it is (S12).
func (s *Subscription[V]) bookmarkLocked() {
	s.putLocked(Event[V]{Kind: Bookmark, Revision: s.scanned, life: s.log.life})
}

// putLocked hands out a control event, after everything else was.
func (s *Subscription[V]) putLocked(e Event[V]) {
	e.Cache, e.At = s.log.cfg.Cache, s.log.cfg.Now()
	b := s.newBatchLocked()
	b.events[0], b.n = e, 1
	s.settleBatchLocked()
}

// lapLocked does what the policy says about the loss of everything from the place up to lostTo.
func (s *Subscription[V]) lapLocked(lostTo uint64) error {
	l := s.log
	from := s.scanned + 1
	s.laps++
	l.laps.Add(1)
	switch s.set.overflow {
	case DropOldest:
		s.scanned = lostTo
		s.putLocked(Event[V]{Kind: Gap, Revision: lostTo, From: from, To: lostTo, life: l.life})
		return nil
	case Resync:
		s.dropBatchLocked()
		s.snapshot = &snapshot[V]{known: s.scanned, resync: true}
		return nil
	default:
		return &LaggedError{Cache: l.cfg.Cache, From: from, To: lostTo, Token: makeToken(l.life, lostTo)}
	}
}

// park sleeps until something of the subscription's was appended, and reports whether to look again: not when ctx or
// the subscription has ended.
func (s *Subscription[V]) park(ctx context.Context) bool {
	select {
	case <-s.wake: // of an earlier sleep
	default:
	}
	for i := range s.sleepers {
		s.sleepers[i].enter()
	}
	defer func() {
		for i := range s.sleepers {
			s.sleepers[i].leave()
		}
	}()
	if s.look() { // what was appended before we entered rings for nobody
		return false
	}
	s.mu.Lock()
	if s.snapshot != nil {
		s.mu.Unlock()
		return true
	}
	now := time.Now()
	if s.idle.IsZero() {
		s.idle = now
	}
	wait := idleBookmark - now.Sub(s.idle)
	s.parked = true
	s.mu.Unlock()

	if s.rest == nil {
		s.rest = time.NewTimer(wait)
	} else {
		s.rest.Reset(wait)
	}
	again := true
	select {
	case <-s.wake:
	case <-s.rest.C:
		s.rested()
	case <-s.done:
		again = false
	case <-ctx.Done():
		again = false
	}
	s.rest.Stop()
	s.mu.Lock()
	s.parked = false
	s.woken++
	s.mu.Unlock()
	return again
}

// rested tells the subscriber where it is after a long silence.
func (s *Subscription[V]) rested() {
	if s.look() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil && !s.out.left() && s.snapshot == nil {
		s.bookmarkLocked()
	}
}
