package streams

// backlog is what a subscription to keys that begins in the past has to deliver before its feeds: the events between
// its place and the moment it was wired. The newest are copied at once, so that other keys' traffic can't lap them
// (S9); older ones, if its own keys had that many, are read from the ring while they last.
type backlog[V any] struct {
	floor  uint64 // revisions up to here are read from the ring
	until  uint64 // where the feeds take over
	events []Event[V]
}

// rewind moves a new subscription back to just after place.
func (s *Subscription[V]) rewind(place uint64, late bool) error {
	until := s.scanned
	s.scanned = place
	if !s.set.named || place >= until {
		return nil
	}
	b := &backlog[V]{floor: place, until: until}
	most := feedKeep * len(s.wires)
	only := &filter{keys: s.filter.keys, set: s.filter.set, kinds: s.filter.kinds}
	part := make([]Event[V], batchSize)
	for from := place + 1; from <= until; {
		n, next, lapped := s.log.ring.read(from, until, only, part)
		if lapped {
			if !late {
				return &CompactedError{Oldest: s.log.ring.oldest(s.log.ring.head.Load())}
			}
			b.floor, b.events = until, nil
			break
		}
		from = next
		b.events = append(b.events, part[:n]...)
		if over := len(b.events) - most; over > 0 {
			b.floor = b.events[over-1].Revision
			b.events = append(b.events[:0], b.events[over:]...)
		}
	}
	if b.floor == place && len(b.events) == 0 { // nothing of its keys has happened: its place moves along at once (S12)
		s.scanned = until
		return nil
	}
	s.backlog = b
	return nil
}

// takeBacklogLocked reads from the backlog. lostTo is the last revision that is lost, 0 when none is.
func (s *Subscription[V]) takeBacklogLocked() (lostTo uint64) {
	b := s.backlog
	if s.scanned < b.floor {
		n, next, lapped := s.log.ring.read(s.scanned+1, b.floor, s.filter, s.out.events[:])
		if lapped {
			return min(s.log.ring.oldest(s.log.ring.head.Load())-1, b.floor)
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
