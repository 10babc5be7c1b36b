package streams

import "sync/atomic"

const batchSize = 64

// batch is what a reader took out of the ring at one time. It is filled under the subscription's lock, and from then on
// read-only but for i, by which whoever adds to it takes the event: so the loop of Events needs no lock for each event,
// and several goroutines can share a subscription all the same.
//
// A batch holds either events of the log, or values of a snapshot, with Synced behind the last of them, or one control
// event.
type batch[V any] struct {
	i      atomic.Int64 // events[i:n] is still to be handed out
	n      int
	worn   int // events[n:worn] are left from an earlier filling
	events [batchSize]Event[V]
}

// take is the next event, nil when there is none left.
func (b *batch[V]) take() *Event[V] {
	if i := b.i.Add(1) - 1; i < int64(b.n) {
		return &b.events[i]
	}
	return nil
}

// empty makes room for another filling.
func (b *batch[V]) empty() {
	b.worn = max(b.worn, b.n)
	b.n = 0
	b.i.Store(0)
}

// left reports whether there is something to hand out.
func (b *batch[V]) left() bool { return b != nil && b.i.Load() < int64(b.n) }

// taken is the event that was handed out last, nil before the first.
func (b *batch[V]) taken() *Event[V] {
	if b == nil {
		return nil
	}
	if i := min(b.i.Load(), int64(b.n)); i > 0 {
		return &b.events[i-1]
	}
	return nil
}

// newBatchLocked gives the subscription an empty batch: the one before, which is exhausted, unless the loop that owns
// the subscription may be reading it.
func (s *Subscription[V]) newBatchLocked() *batch[V] {
	if b := s.out; b != nil && s.owner != b {
		s.accountLocked()
		b.empty()
		return b
	}
	s.dropBatchLocked()
	s.out = s.log.batches.Get().(*batch[V])
	return s.out
}

// dropBatchLocked gives the batch back, unless the loop that owns the subscription may be reading it: then it is the
// garbage collector's.
func (s *Subscription[V]) dropBatchLocked() {
	b := s.out
	if b == nil {
		return
	}
	s.accountLocked()
	s.out = nil
	if s.owner == b {
		return
	}
	b.empty()
	clear(b.events[:b.worn]) // what lies in the pool holds no values
	b.worn = 0
	s.log.batches.Put(b)
}

// accountLocked moves the place along to what was handed out.
func (s *Subscription[V]) accountLocked() {
	e := s.out.taken()
	if e == nil {
		return
	}
	switch {
	case e.life != 0:
		s.told, s.placed = e.Revision, true
	case e.Kind == Gap:
		s.placed = false
	}
	if !s.out.left() && s.placed && s.backlog == nil && s.snapshot == nil {
		s.told = s.scanned
	}
}
