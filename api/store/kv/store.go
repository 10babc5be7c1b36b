package kv

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"sync/atomic"
	"time"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/store/internal/record"
)

// Options of a Store. The zero value is good.
type Options struct {
	// Tombstones is how long an erased key keeps older records out. It has to be
	// longer than a read that began before the erase can take to be written. 0: 10
	// minutes; it is not negative.
	Tombstones time.Duration
	// Logger is told of records that are not readable. nil: slog.Default().
	Logger *slog.Logger
	// Now is the clock that records expire by. nil: time.Now.
	Now func() time.Time
}

// Store is a freshet.Store in a Client.
type Store struct {
	name   string
	client Client
	opts   Options
	locks  [64]chan struct{} // of keys, by their hash
	closed atomic.Bool
}

var (
	_ freshet.Store = (*Store)(nil)

	seed = maphash.MakeSeed()
)

// New returns the store of the cache of that name (1 to 128 of a-z, 0-9, dot,
// underscore and hyphen) in client, which stays the caller's to close, or says
// everything that is wrong in one error.
func New(name string, client Client, opts Options) (*Store, error) {
	if err := record.CheckName("kv", name); err != nil {
		return nil, err
	}
	var errs []error
	if client == nil {
		errs = append(errs, errors.New("the client is nil"))
	}
	if opts.Tombstones < 0 {
		errs = append(errs, fmt.Errorf("Options.Tombstones is negative: %v", opts.Tombstones))
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("freshet: kv: %s: %w", name, errors.Join(errs...))
	}
	if opts.Tombstones == 0 {
		opts.Tombstones = 10 * time.Minute
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	s := &Store{name: name, client: client, opts: opts}
	for i := range s.locks {
		s.locks[i] = make(chan struct{}, 1)
	}
	return s, nil
}

func (s *Store) record(key string) string { return s.name + ":r:" + key }

// Get implements freshet.Store. A record that is not readable is ErrNotFound
// and logged.
func (s *Store) Get(ctx context.Context, key string) (freshet.Record, error) {
	if err := s.check(ctx, record.CheckKey("kv", key)); err != nil {
		return freshet.Record{}, err
	}
	raw, err := s.fetch(ctx, s.record(key))
	if err != nil {
		return freshet.Record{}, s.wording("read", key, err)
	}
	r, ok := s.decode(key, raw).Live(s.opts.Now())
	if !ok {
		return freshet.Record{}, freshet.ErrNotFound
	}
	// After the record: an erase that was over when this began is in there.
	erased, err := s.erased(ctx)
	switch {
	case err != nil:
		return freshet.Record{}, s.wording("read", key, err)
	case erased.Cover(key, r.ReadAt):
		return freshet.Record{}, freshet.ErrNotFound
	}
	return record.Clone(r), nil
}

// Set implements freshet.Store. It does not ask for erased prefixes: they are
// never forgotten, so Get keeps out what this lets in.
func (s *Store) Set(ctx context.Context, key string, r freshet.Record) error {
	return s.change(ctx, "write", key, func(e record.Entry) (record.Entry, bool) { return e.Set(r) })
}

// Delete implements freshet.Store.
func (s *Store) Delete(ctx context.Context, key string, at time.Time) error {
	return s.change(ctx, "erase", key, func(e record.Entry) (record.Entry, bool) {
		return e.Erase(record.Tombstone{At: at, Until: s.opts.Now().Add(s.opts.Tombstones)}), true
	})
}

// Close implements freshet.Store: this Store answers no more. The client stays
// open.
func (s *Store) Close() error {
	s.closed.Store(true)
	return nil
}

// change puts what do makes of the entry of key, unless it says false.
func (s *Store) change(ctx context.Context, verb, key string, do func(record.Entry) (record.Entry, bool)) error {
	if err := s.check(ctx, record.CheckKey("kv", key)); err != nil {
		return err
	}
	return s.wording(verb, key, s.update(ctx, s.record(key), func(raw []byte) ([]byte, time.Duration, bool) {
		now := s.opts.Now()
		e, _ := s.decode(key, raw).Trim(now) // what has expired orders nothing
		e, ok := do(e)
		return record.Encode(key, e), lives(e, now), ok
	}))
}

// update replaces the value of a key of the client by what do makes of it,
// unless it says false. What happens here is one at a time; what another process
// does in between a Swap notices.
func (s *Store) update(ctx context.Context, key string, do func(raw []byte) ([]byte, time.Duration, bool)) error {
	lock := s.locks[maphash.String(seed, key)%uint64(len(s.locks))]
	select {
	case lock <- struct{}{}:
		defer func() { <-lock }()
	case <-ctx.Done():
		return ctx.Err()
	}
	swapper, canSwap := s.client.(Swapper)
	for {
		old, err := s.fetch(ctx, key)
		if err != nil {
			return err
		}
		value, ttl, ok := do(old)
		if !ok {
			return nil
		}
		if !canSwap {
			return s.client.Set(ctx, key, value, ttl)
		}
		if swapped, err := swapper.Swap(ctx, key, old, value, ttl); swapped || err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// fetch is Get of the client; nil where nothing is.
func (s *Store) fetch(ctx context.Context, key string) ([]byte, error) {
	raw, err := s.client.Get(ctx, key)
	if errors.Is(err, freshet.ErrNotFound) || err == nil && len(raw) == 0 {
		return nil, nil
	}
	return raw, err
}

// decode is the entry in raw; what is not readable is nothing.
func (s *Store) decode(key string, raw []byte) record.Entry {
	if raw == nil {
		return record.Entry{}
	}
	e, err := record.Decode(key, raw)
	if err != nil {
		s.opts.Logger.Warn("freshet: kv: a record is not readable and counts as a miss", "cache", s.name, "key", key, "error", err)
		return record.Entry{}
	}
	return e
}

// lives is how long e is of use; 0: for ever.
func lives(e record.Entry, now time.Time) time.Duration {
	until := e.Erased.Until
	if r := e.Record; r != nil {
		if r.ExpiresAt.IsZero() {
			return 0
		}
		if r.ExpiresAt.After(until) {
			until = r.ExpiresAt
		}
	}
	return max(until.Sub(now), time.Millisecond)
}

func (s *Store) check(ctx context.Context, bad error) error {
	switch {
	case bad != nil:
		return bad
	case s.closed.Load():
		return record.Closed("kv")
	}
	return ctx.Err()
}

func (s *Store) wording(verb, key string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("freshet: kv: %s: cannot %s %.200q: %w", s.name, verb, key, err)
}
