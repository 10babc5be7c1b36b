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
		found, cause := s.stepLocked()
		s.mu.Unlock()
		if cause != nil {
			s.end(cause)
		}
		if found != more {
			return found == ready
		}
	}
}

// outcome is what a step towards the next event came to.
type outcome uint8

const (
	nothing outcome = iota // to be had at present
	more                   // to look at
	ready                  // to hand out, or the end
)

// stepLocked looks at some more of the log where there is nothing to hand out. With a cause the subscription is to end.
func (s *Subscription[V]) stepLocked() (outcome, error) {
	if s.over.Load() || s.out.left() {
		return ready, nil
	}
	if s.snapshot != nil {
		return nothing, nil
	}
	limit := s.log.limit()
	switch {
	case s.scanned < limit:
		if cause := s.advanceLocked(limit); cause != nil {
			return ready, cause
		}
		return more, nil
	case s.scanned >= s.log.last.Load():
		return ready, s.log.cfg.Closed
	case s.scanned-s.sent >= s.log.every:
		s.bookmarkLocked()
		return ready, nil
	default:
		s.dropBatchLocked() // who waits holds none
		return nothing, nil
	}
}

// advanceLocked looks at some more of the log, up to revision limit. Afterwards the batch has something, or scanned is
// larger, or a snapshot is due, or the answer is why the subscription ends.
func (s *Subscription[V]) advanceLocked(limit uint64) error {
	b := s.newBatchLocked()
	var lostTo uint64
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
	s.near = s.scanned >= limit
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
		return s.log.ring.oldest(s.log.ring.head.Load()) - 1
	}
	s.out.n, s.scanned = n, next-1
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
		if s.wires[i].newest() > s.scanned {
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
	s.newBatchLocked()
	s.addLocked(e)
	s.settleBatchLocked()
}

// addLocked puts a control event into the batch.
func (s *Subscription[V]) addLocked(e Event[V]) {
	e.Cache, e.At = s.log.cfg.Cache, s.log.cfg.Now()
	b := s.out
	b.events[b.n] = e
	b.n++
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
		// Some way into the history, or the writer overtakes whoever resumes there.
		head := l.ring.head.Load()
		if oldest := l.ring.oldest(head); oldest > 1 {
			lostTo = max(lostTo, min(oldest-1+uint64(l.cfg.History)/8, head))
		}
		return &LaggedError{Cache: l.cfg.Cache, From: from, To: lostTo, Token: makeToken(l.life, lostTo)}
	}
}
