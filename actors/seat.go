package actors

// seat is where one caller waits for a future. Seats are pooled: a caller gives
// his back after he was woken, or after he took it out of the list before the
// future settled; either way nobody else knows of it any more.
type seat struct {
	wake       chan struct{} // of one: whoever wakes does not wait
	next, last *seat         // its neighbours; under the lock of the waiting
}

// sit takes a seat, nil where the future has settled.
func (w *waiting) sit() *seat {
	s := w.newSeat()
	w.mu.Lock()
	if w.done == closedChan {
		w.mu.Unlock()
		w.giveBack(s)
		return nil
	}
	if s.next = w.seats; s.next != nil {
		s.next.last = s
	}
	w.seats = s
	w.mu.Unlock()
	return s
}

func (w *waiting) newSeat() *seat {
	if w.group != nil {
		return w.group.pool().Get().(*seat)
	}
	return &seat{wake: make(chan struct{}, 1)} // a promise's
}

func (w *waiting) giveBack(s *seat) {
	if w.group != nil {
		w.group.pool().Put(s)
	}
}

// rise leaves s, and says false where the future has settled: then s is about
// to be woken.
func (w *waiting) rise(s *seat) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done == closedChan {
		return false
	}
	if s.last != nil {
		s.last.next = s.next
	} else {
		w.seats = s.next
	}
	if s.next != nil {
		s.next.last = s.last
	}
	s.next, s.last = nil, nil
	return true
}

// wakeAll wakes everybody from s on. Who is awake may be seated elsewhere at once.
func (s *seat) wakeAll() {
	for s != nil {
		next := s.next
		s.next, s.last = nil, nil
		s.wake <- struct{}{}
		s = next
	}
}
