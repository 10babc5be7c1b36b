package actors

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

// tier stands between the cells and their Store (rules D). Look-ups run on a
// goroutine of their own with a deadline; writes are owed for keys, coalesced
// to the newest of each key, and paid by a few workers off everybody's path.
type tier[V any] struct {
	table   *Table[V]
	store   Store
	codec   Codec[V]
	timeout time.Duration
	deafen  func() // ends what listen began; nil: the Store tells nothing

	gate *gate // of look-ups

	mu       sync.Mutex
	debts    map[string]*debt[V] // what is owed for each key, until it is paid
	owing    []string            // oldest debt first
	workers  int
	retries  []string // an erase of theirs failed
	retry    deadline
	pause    time.Duration // before the next retry
	prefixes []*prefixErase
	calls    int       // in the air, those that were given up included
	sick     time.Time // zero: it answers; else it is asked once after that
	warned   time.Time
	unsaid   int // failures since
}

// prefixErase is under way until the Store acknowledged it; no key that it
// covers is looked up meanwhile (D4).
type prefixErase struct {
	prefix string
	at     time.Time // zero: what becomes void is being made so
}

const (
	tierWorkers = 16
	tierLooks   = 128 // look-ups side by side; the rest wait their turn
	// tierCalls bounds the goroutines that a Store which ignores its context
	// can hold: with so many in the air it is taken for dead until some return.
	tierCalls = 1024
	// tierOwed is for how many keys more than are resident something may be owed
	// to a Store that does not keep up. Beyond that the oldest records are given
	// up (D2): they are of resources that were evicted, so no other bound holds
	// them. Erases stay, and their resources with them (M2).
	tierOwed       = 1 << 14
	firstEraseWait = 100 * time.Millisecond
	lastEraseWait  = 10 * time.Second
	warnEvery      = 10 * time.Second
)

var (
	errStoreHangs = errors.New("the store did not answer in time")
	errStoreBusy  = errors.New("too many calls of the store have not returned")
	errStoreSlow  = errors.New("the store does not keep up: too many keys are owed to it")
)

func newTier[V any](t *Table[V], store Store, codec Codec[V], timeout time.Duration) *tier[V] {
	s := &tier[V]{table: t, store: store, codec: codec, timeout: timeout, pause: firstEraseWait, gate: newGate(tierLooks), debts: make(map[string]*debt[V])}
	s.retry.owner = s
	ticks.enter()
	return s
}

// call runs a Store's method, and goes on without it when it takes too long.
func (s *tier[V]) call(f func(context.Context) error) error {
	if !s.enter() {
		return errStoreBusy
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	done := make(chan error, 1)
	s.table.working.add()
	go func() {
		err := ErrGoexit
		defer func() {
			if r := recover(); r != nil {
				err = caught(r)
			}
			done <- err
			cancel()
			s.leave()
			s.table.working.done()
		}()
		answer := f(ctx)
		probe(answer)
		err = answer
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done: // both at once
		return err
	default:
		return errStoreHangs
	}
}

// enter counts a call in, unless too many are in the air.
func (s *tier[V]) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls >= tierCalls {
		return false
	}
	s.calls++
	return true
}

func (s *tier[V]) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls--
}

// cover keeps look-ups of what is under prefix from the Store, until erasePrefix
// was told of it and the Store has acknowledged that.
func (s *tier[V]) cover(prefix string) *prefixErase {
	p := &prefixErase{prefix: prefix}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prefixes = append(s.prefixes, p)
	return p
}

// erasePrefix erases what the Store holds under p's prefix by now, and what is on
// its way there and not above the barrier. Where an erase of that is owed already
// it is owed as of now: there is one debt a prefix.
func (s *tier[V]) erasePrefix(p *prefixErase, barrier uint64) {
	at := s.eraseTick()
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, d := range s.debts {
		if strings.HasPrefix(key, p.prefix) {
			d.void(barrier, at)
		}
	}
	for _, have := range s.prefixes {
		if have.prefix == p.prefix && !have.at.IsZero() {
			if at.After(have.at) {
				have.at = at
			}
			s.uncoverLocked(p)
			return
		}
	}
	p.at = at
	t := s.table
	t.working.add()
	go func() {
		defer t.working.done()
		s.payPrefix(p)
	}()
}

func (s *tier[V]) uncoverLocked(p *prefixErase) {
	s.prefixes = slices.DeleteFunc(s.prefixes, func(have *prefixErase) bool { return have == p })
}

func (s *tier[V]) payPrefix(p *prefixErase) {
	for wait := firstEraseWait; ; wait = min(2*wait, lastEraseWait) {
		last := s.table.closed.Load() // Close has what is owed tried once more
		s.mu.Lock()
		at := p.at
		s.mu.Unlock()
		err := s.call(func(ctx context.Context) error { return s.store.DeletePrefix(ctx, p.prefix, at) })
		s.failed("erase a prefix", p.prefix, err)
		switch {
		case err == nil && s.acknowledged(p, at), err != nil && last:
			return
		case err == nil:
			continue // more is owed by now
		}
		select {
		case <-time.After(wait):
		case <-s.table.ending:
		}
	}
}

// acknowledged ends p, unless it is owed as of later than at.
func (s *tier[V]) acknowledged(p *prefixErase, at time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.at.After(at) {
		return false
	}
	s.uncoverLocked(p)
	return true
}

// outdated says whether what the Store has of key is about to be erased, or to be
// replaced by the record that an evicted resource left to be written: whoever read
// the old one now would go back in time.
func (s *tier[V]) outdated(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.debts[key] != nil {
		return true
	}
	for _, p := range s.prefixes {
		if strings.HasPrefix(key, p.prefix) {
			return true
		}
	}
	return false
}

// failed counts an error of the Store and warns of it, now and then (D2).
func (s *tier[V]) failed(what, key string, err error) {
	if err == nil {
		return
	}
	t := s.table
	t.tallies.count(cStoreErrors)
	s.mu.Lock()
	s.unsaid++
	n := s.unsaid
	say := time.Since(s.warned) >= warnEvery
	if say {
		s.warned, s.unsaid = time.Now(), 0
	}
	s.mu.Unlock()
	if say {
		t.warn("freshet: the store failed; the cache goes on without it",
			slog.String("cache", t.name), slog.String("operation", what), slog.String("key", key),
			slog.Int("failures", n), slog.Any("err", err))
	}
}
