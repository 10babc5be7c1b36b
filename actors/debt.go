package actors

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// debt is what the second tier is owed for one key.
type debt[V any] struct {
	record  *lifecycle.Version[V, *Future[V]] // to be kept; nil: nothing
	readAt  lifecycle.Instant                 // of the record
	at      time.Time                         // of an erase, to be acknowledged; zero: none
	erase   uint64                            // its number, for
	eraser  *cell[V]                          // who waits for that; it cannot be evicted (M2). nil: nobody
	queued  bool                              // it stands in a queue, or is being paid
	writing uint64                            // the Seq of the key's record that is being written; 0: none
}

// erases says whether an erase is owed.
func (d *debt[V]) erases() bool { return !d.at.IsZero() }

// owed says whether there is anything to pay.
func (d *debt[V]) owed() bool { return d.record != nil || d.erases() }

// void gives up a record that is not above the barrier of an erase as of at. One
// that is being written may land after that erase: it is owed an erase of its own.
func (d *debt[V]) void(barrier uint64, at time.Time) {
	if d.record != nil && d.record.Seq <= barrier {
		d.record = nil
	}
	if d.writing != 0 && d.writing <= barrier && at.After(d.at) {
		d.at = at
	}
}

// persist owes v to the Store; what was owed before is obsolete, but for an
// erase that is not acknowledged: the newer record does that too (D5).
//
// Records are ordered as knowledge is, by when one went for it: what a flight
// brought may be as old as its beginning, and by when it lands another process
// may have erased it. How old the origin said that it was orders nothing: a
// value that was set stands above what was read before, whatever its age.
//
// began is when that was, 0 where the flight knows it, or it is now.
func (s *tier[V]) persist(c *cell[V], v *lifecycle.Version[V, *Future[V]], began lifecycle.Instant) {
	readAt := began
	if began == 0 {
		readAt = s.readTick()
		if f := c.flight.Load(); f != nil && f.stamp == v.Seq {
			readAt = f.began
		}
	}
	s.owe(c.key, func(d *debt[V]) { d.record, d.readAt = v, readAt })
}

// erase owes the erase with that number.
func (s *tier[V]) erase(c *cell[V], number uint64) {
	at := s.eraseTick()
	s.owe(c.key, func(d *debt[V]) { d.record, d.erase, d.at, d.eraser = nil, number, at, c })
}

// owe notes a debt under its key: one that an evicted resource left and one of
// its successor are one debt, paid in order (D4).
func (s *tier[V]) owe(key string, note func(*debt[V])) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.debts[key]
	if d == nil {
		d = &debt[V]{}
		s.debts[key] = d
	}
	note(d)
	if !d.queued {
		d.queued = true
		s.owing = append(s.owing, key)
	}
	s.hireLocked()
}

// owed is for how many keys and prefixes the Store has yet to acknowledge something.
func (s *tier[V]) owed() int {
	if s == nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.debts) + len(s.prefixes)
}

// hireLocked sees to it that somebody pays.
func (s *tier[V]) hireLocked() {
	if s.workers < tierWorkers && s.workers < len(s.owing) {
		s.workers++
		s.table.working.add()
		go s.work()
	}
}

// work pays debts until there are none.
func (s *tier[V]) work() {
	defer s.table.working.done()
	for {
		s.mu.Lock()
		if len(s.owing) == 0 {
			s.workers--
			s.owing = nil
			if len(s.debts) == 0 {
				s.debts = make(map[string]*debt[V]) // a map keeps the room that it once needed
			}
			s.mu.Unlock()
			return
		}
		key := s.owing[0]
		s.owing = s.owing[1:]
		d := *s.debts[key]
		// What is owed meanwhile waits: one worker writes one key.
		*s.debts[key] = debt[V]{queued: true}
		if d.record != nil {
			s.debts[key].writing = d.record.Seq
		}
		slow := len(s.owing) >= tierOwed+int(s.table.policy.entries.Load())
		s.mu.Unlock()
		last := s.table.closed.Load()
		err := errStoreSlow
		if slow && d.record != nil && !d.erases() && !last {
			s.failed("keep a record", key, err)
		} else {
			err = s.pay(key, d)
		}
		s.paid(key, d, err, last)
	}
}

// pay brings one key's debt to the Store.
func (s *tier[V]) pay(key string, d debt[V]) (err error) {
	erase := func(at time.Time) error {
		return s.call(func(ctx context.Context) error { return s.store.Delete(ctx, key, at) })
	}
	if !d.owed() { // it was void before its turn came
		return nil
	}
	if d.record != nil {
		var refused bool
		refused, err = s.write(key, &d)
		s.failed("keep a record", key, err)
		if err == nil || !d.erases() {
			if refused {
				// What is there is older, and would be believed when this is evicted.
				_ = erase(s.table.clock.Time(d.readAt))
			}
			return err
		}
	}
	err = erase(d.at)
	s.failed("erase", key, err)
	return err
}

// paid settles the books for a debt: an erase that failed stays owed until it
// is acknowledged (D4), a record that failed is given up (D2). last says that the
// table had been closed before it was tried: then it was its last chance.
func (s *tier[V]) paid(key string, d debt[V], err error, last bool) {
	s.mu.Lock()
	since := s.debts[key]
	since.writing = 0
	owed := d.erases() && err != nil && !last
	if owed && since.eraser == nil {
		since.erase, since.eraser = d.erase, d.eraser
	}
	if owed && d.at.After(since.at) {
		since.at = d.at
	}
	switch {
	case owed && since.record == nil && since.at.Equal(d.at) && !s.table.closed.Load():
		s.retries = append(s.retries, key)
		if len(s.retries) == 1 { // the first of a round says when; the others go along
			s.table.deadlines.set(&s.retry, s.table.clock.Now().Plus(s.pause))
			s.pause = min(2*s.pause, lastEraseWait)
		}
	case since.owed():
		s.owing = append(s.owing, key)
	default:
		delete(s.debts, key)
	}
	if err == nil {
		s.pause = firstEraseWait
	}
	s.mu.Unlock()
	if c := d.eraser; c != nil && err == nil {
		c.send(&message[V]{op: opStored, stamp: d.erase})
		s.table.vacate(c) // it may have stayed for the erase alone
		s.table.makeRoom()
	}
}

// write keeps the record of d. It is refused where it was not kept for what it is
// (too large, say): a Store that does not answer is not asked twice.
func (s *tier[V]) write(key string, d *debt[V]) (refused bool, err error) {
	v, t := d.record, s.table
	r := Record{ReadAt: t.clock.Time(d.readAt), Validator: v.Validator(), Tags: slices.Clone(v.Tags())}
	ttl, age := v.FreshEnd.Sub(v.At), d.readAt.Sub(v.At)
	if end := t.uselessAfter(v).Plus(Retention); end != lifecycle.Never {
		r.ExpiresAt = t.clock.Time(end)
	}
	// The codec under the same deadline: one that hangs must not hold a worker.
	var late atomic.Bool
	err = s.call(func(ctx context.Context) error {
		payload, err := s.codec.Marshal(v.Value)
		if err != nil {
			return err
		}
		r.Value = packRecord(ttl, age, payload)
		err = s.store.Set(ctx, key, r)
		late.Store(errors.Is(err, context.DeadlineExceeded)) // here, where user code may run
		return err
	})
	return err != nil && err != errStoreHangs && err != errStoreBusy && !late.Load(), err //nolint:errorlint // these very ones: others are user code
}

// due tries failed erases again.
func (s *tier[V]) due() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owing = append(s.owing, s.retries...)
	s.retries = nil
	for range tierWorkers {
		s.hireLocked()
	}
}

// flush has everything that is owed tried once more; Close waits for it.
func (s *tier[V]) flush() { s.due() }
