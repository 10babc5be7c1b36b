// Package memory is the Store contract at its plainest: a map. It is the
// reference that package storetest is read beside, a fake for tests, and a second
// tier of caches that live shorter than their process. What it holds ends with
// the process.
package memory

import (
	"context"
	"sync"
	"time"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/store/internal/record"
)

// Options of a Store. The zero value is good.
type Options struct {
	// Now is the clock. nil: time.Now.
	Now func() time.Time
	// Tombstones is how long an erased key keeps older records out. It has to be
	// longer than a read that began before the erase can take to be written. 0 or
	// less: 10 minutes.
	Tombstones time.Duration
	// MaxRecords bounds what is held; beyond it some record makes room, not
	// always the oldest. Tombstones give way only beyond twice as many, because
	// with one of them goes a promise. 0 or less: 100,000.
	MaxRecords int
}

const maxPrefixes = 1024

// Store is a freshet.Store in memory.
type Store struct {
	opts     Options
	mu       sync.RWMutex
	entries  map[string]record.Entry
	prefixes record.Prefixes
	closed   bool
}

var _ freshet.Store = (*Store)(nil)

// New returns an empty Store.
func New(opts Options) *Store {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Tombstones <= 0 {
		opts.Tombstones = 10 * time.Minute
	}
	if opts.MaxRecords <= 0 {
		opts.MaxRecords = 100_000
	}
	return &Store{opts: opts, entries: make(map[string]record.Entry)}
}

// Get implements freshet.Store.
func (s *Store) Get(ctx context.Context, key string) (freshet.Record, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.checkLocked(ctx, record.CheckKey("memory", key)); err != nil {
		return freshet.Record{}, err
	}
	r, ok := s.entries[key].Live(s.opts.Now())
	if !ok || s.prefixes.Cover(key, r.ReadAt) {
		return freshet.Record{}, freshet.ErrNotFound
	}
	return record.Clone(r), nil
}

// Set implements freshet.Store.
func (s *Store) Set(ctx context.Context, key string, r freshet.Record) error {
	r = record.Clone(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.checkLocked(ctx, record.CheckKey("memory", key)); err != nil {
		return err
	}
	if s.prefixes.Cover(key, r.ReadAt) {
		return nil
	}
	e, _ := s.entries[key].Trim(s.opts.Now()) // what has expired orders nothing
	if e, kept := e.Set(r); kept {
		s.entries[key] = e
		s.boundLocked(key)
	}
	return nil
}

// Delete implements freshet.Store.
func (s *Store) Delete(ctx context.Context, key string, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.checkLocked(ctx, record.CheckKey("memory", key)); err != nil {
		return err
	}
	s.entries[key] = s.entries[key].Erase(s.tombstone(at))
	s.boundLocked(key)
	return nil
}

// DeletePrefix implements freshet.Store. The empty prefix is every key.
func (s *Store) DeletePrefix(ctx context.Context, prefix string, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.checkLocked(ctx, record.CheckPrefix("memory", prefix)); err != nil {
		return err
	}
	s.prefixes = s.prefixes.Add(prefix, s.tombstone(at), maxPrefixes)
	for key, e := range s.entries {
		if e.Record != nil && s.prefixes.Cover(key, e.Record.ReadAt) {
			e.Record = nil
			s.entries[key] = e
		}
	}
	// Nothing that any prefix covers is left, so those whose time is over go.
	s.prefixes = s.prefixes.Drop(s.prefixes, s.opts.Now())
	return nil
}

// Close implements freshet.Store. Closing twice is fine.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed, s.entries = true, nil
	return nil
}

// Len is how many records and tombstones are held, dead ones included.
func (s *Store) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.entries)
}

func (s *Store) checkLocked(ctx context.Context, err error) error {
	switch {
	case err != nil:
		return err
	case s.closed:
		return record.Closed("memory")
	}
	return ctx.Err()
}

func (s *Store) tombstone(at time.Time) record.Tombstone {
	return record.Tombstone{At: at.Round(0).UTC(), Until: s.opts.Now().Add(s.opts.Tombstones)}
}

// boundLocked looks at a few entries for each one written, so that what is dead
// goes as fast as the living come, without a goroutine. Above MaxRecords a
// living one goes too, never the one just written.
func (s *Store) boundLocked(written string) {
	const looks = 4
	now, looked := s.opts.Now(), 0
	for key, e := range s.entries {
		if key == written {
			continue
		}
		e, keep := e.Trim(now)
		room := len(s.entries) <= s.opts.MaxRecords || !e.Erased.IsZero() && len(s.entries) <= 2*s.opts.MaxRecords
		if keep && room {
			s.entries[key] = e
		} else {
			delete(s.entries, key)
		}
		if looked++; looked == looks {
			return
		}
	}
}
