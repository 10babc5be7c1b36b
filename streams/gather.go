package streams

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
	for {
		if gather(limit) {
			return 0
		}
		lostTo = s.takeRingLocked(limit)
		if lostTo == 0 {
			return 0
		}
		if dropped := s.droppedLocked(); dropped > s.scanned {
			return min(lostTo, dropped)
		}
		// A feed moved on while we looked, and dropped what we had from the ring already: no loss, so we look again.
	}
}

// droppedLocked is the newest revision that some feed has lost.
func (s *Subscription[V]) droppedLocked() (revision uint64) {
	for i := range s.wires {
		revision = max(revision, s.wires[i].feed.dropped.Load())
	}
	return revision
}

// gatherOneLocked is gatherLocked for one feed, which is in order by itself.
func (s *Subscription[V]) gatherOneLocked(limit uint64) (complete bool) {
	wire := &s.wires[0]
	f := wire.feed
	events := s.out.events[:]
	if oldest := f.ring.oldest(f.ring.head.Load()); wire.next < oldest {
		if f.dropped.Load() > s.scanned {
			return false
		}
		wire.next = oldest
	}
	n, next, lapped := f.ring.read(wire.next, limit, s.filter, events)
	if lapped {
		return false
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
	return true
}

// ref is an event in a feed.
type ref struct {
	revision uint64
	wire     int
	index    uint64
}

// gatherLocked merges the feeds into the batch, as far as limit and the batch go. It is not complete, and takes nothing,
// where some feed has lost what the subscription has not seen, or moved on too far while it was looked at.
func (s *Subscription[V]) gatherLocked(limit uint64) (complete bool) {
	var refs [batchSize]ref
	n, more, complete := s.oldestLocked(limit, &refs)
	if !complete {
		return false
	}
	b := s.out
	for _, r := range refs[:n] {
		wire := &s.wires[r.wire]
		e := &b.events[b.n]
		if k, _, _ := wire.feed.ring.read(r.index, limit, nil, b.events[b.n:b.n+1]); k == 0 || e.Revision != r.revision {
			// The feed moved on while we looked. What was taken so far may not be in order, so none of it counts.
			clear(b.events[:b.n+1])
			b.n = 0
			return false
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
	return true
}

// oldestLocked fills refs with the oldest events up to limit that the feeds have for the subscription, in order. more:
// there was no room for all. It is not complete as gatherLocked is not.
func (s *Subscription[V]) oldestLocked(limit uint64, refs *[batchSize]ref) (n int, more, complete bool) {
	for w := range s.wires {
		wire := &s.wires[w]
		f := wire.feed
		head := f.ring.head.Load()
		if wire.next > head {
			continue
		}
		if oldest := f.ring.oldest(head); wire.next < oldest {
			if f.dropped.Load() > s.scanned {
				return 0, false, false
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
			return 0, false, false
		}
	}
	return n, more, true
}
