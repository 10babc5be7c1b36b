package streams

import "time"

// snapshotTries is how often a snapshot is begun before the subscription ends with ErrLagged.
const snapshotTries = 3

// snapshot is a snapshot that is being taken (S5). The boundary is fixed first; values that are newer than it already
// contain their key's events up to their own revision, which the tail then leaves out: that is remembered in the
// subscription's ahead, and can't be more keys than there are events in the history.
//
// The keys are listed in one go, the values asked for a few at a time, as the reader takes them. So a reader that stops
// half-way holds a list of keys, and no scan, lock or goroutine.
//
// With Resync the last values come with their Synced, where there is room: then nobody's slowness between the two takes
// that away from him, and who is lapped after it has the next Resync.
type snapshot[V any] struct {
	fixed    bool // the boundary is
	boundary uint64
	listed   bool
	keys     []string // values still to be asked for
	tries    int      // how often keys were listed
	given    bool     // the reader has values of the present one
	resync   bool     // a Gap is to be told before the first value
	known    uint64   // the reader was told of everything up to here, be it that it is lost
}

// fillSnapshot does a step of snap. The caller has the turn; the values come from foreign code, so no lock is held.
func (s *Subscription[V]) fillSnapshot(snap *snapshot[V]) {
	for {
		s.mu.Lock()
		if s.err != nil || s.snapshot != snap || s.out.left() {
			s.mu.Unlock()
			return
		}
		cause := s.prepareLocked(snap)
		ready := s.out.left()
		s.mu.Unlock()
		if cause != nil {
			s.end(cause)
			return
		}
		if ready {
			return
		}
		switch {
		case !snap.listed:
			s.list(snap)
		case len(snap.keys) > 0:
			s.takeValues(snap)
		default:
			s.mu.Lock()
			if s.err == nil && !s.lappedLocked() {
				s.newBatchLocked()
				s.syncedLocked(snap)
			}
			s.mu.Unlock()
		}
	}
}

// prepareLocked begins the snapshot, or begins it anew where it was lapped meanwhile, and puts the Gap where the reader
// has to be told to drop what it has.
func (s *Subscription[V]) prepareLocked(snap *snapshot[V]) error {
	if snap.fixed {
		if !s.lappedLocked() {
			return nil
		}
		s.laps++
		s.log.laps.Add(1)
	}
	if snap.tries == snapshotTries {
		return &LaggedError{Cache: s.log.cfg.Cache, From: snap.known + 1, To: s.log.ring.head.Load()}
	}
	tell := snap.resync && !snap.fixed || snap.given
	snap.fixed, snap.listed, snap.given, snap.keys = true, false, false, nil
	s.ahead, s.aheadTo, s.backlog = nil, 0, nil
	s.scanned = s.log.limit()
	snap.boundary = s.scanned
	if tell {
		s.putLocked(Event[V]{Kind: Gap, Revision: snap.boundary, From: snap.known + 1, To: snap.boundary})
		snap.known = snap.boundary
	}
	return nil
}

// lappedLocked reports whether the events after the place are no longer all there.
func (s *Subscription[V]) lappedLocked() bool {
	ring := &s.log.ring
	if s.scanned+1 >= ring.oldest(ring.head.Load()) {
		return false
	}
	for i := range s.wires {
		f := s.wires[i].feed
		if s.wires[i].next < ring.oldest(f.ring.head.Load()) && f.dropped.Load() > s.scanned {
			return true
		}
	}
	return s.wires == nil
}

// list asks which keys there are.
func (s *Subscription[V]) list(snap *snapshot[V]) {
	var keys []string
	if s.set.named {
		keys = s.set.keys
	} else {
		for e := range s.log.cfg.Scan(nil, s.set.prefix) {
			if e.Key == "" {
				s.end(e.Err)
				return
			}
			keys = append(keys, e.Key)
			if len(keys)%1024 == 0 && s.Err() != nil {
				return
			}
		}
	}
	snap.keys, snap.listed = keys, true
	snap.tries++
}

// takeValues asks for the next few values and puts them into the batch.
func (s *Subscription[V]) takeValues(snap *snapshot[V]) {
	keys := snap.keys[:min(batchSize, len(snap.keys))]
	values := s.log.batches.Get().(*batch[V])
	for e := range s.log.cfg.Scan(keys, "") {
		if e.Key == "" {
			s.end(e.Err)
			return
		}
		if e.Cache == "" {
			e.Cache = s.log.cfg.Cache
		}
		e.life = 0
		values.events[values.n] = e
		if values.n++; values.n == batchSize {
			break // one value a key is all there can be
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	snap.keys = snap.keys[len(keys):]
	s.dropBatchLocked()
	s.out = values
	if values.n == 0 {
		s.dropBatchLocked()
		return
	}
	for i := range values.n {
		if e := &values.events[i]; e.Revision > snap.boundary {
			if s.ahead == nil {
				s.ahead = make(map[string]uint64)
			}
			s.ahead[e.Key] = e.Revision
			s.aheadTo = max(s.aheadTo, e.Revision)
		}
	}
	snap.given = true
	s.idle = time.Time{}
	if s.set.overflow == Resync && len(snap.keys) == 0 && values.n < batchSize && !s.lappedLocked() {
		s.syncedLocked(snap)
	}
}

// syncedLocked ends the snapshot. The batch has room for the word of it.
func (s *Subscription[V]) syncedLocked(snap *snapshot[V]) {
	s.addLocked(Event[V]{Kind: Synced, Revision: snap.boundary, life: s.log.life})
	s.snapshot = nil
	s.sent, s.idle = snap.boundary, time.Time{}
}
