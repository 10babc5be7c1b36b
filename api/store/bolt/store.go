package bolt

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/store/internal/record"
)

// Store is the freshet.Store of one cache in a DB.
type Store struct {
	table  *table
	closed atomic.Bool
}

// Get implements freshet.Store. What is not readable is ErrNotFound and
// reported.
func (s *Store) Get(ctx context.Context, key string) (r freshet.Record, err error) {
	found := reports{db: s.table.db}
	r, err = s.read(ctx, key, &found)
	found.tell()
	return r, err
}

func (s *Store) read(ctx context.Context, key string, found *reports) (r freshet.Record, err error) {
	if err := s.enter(ctx, record.CheckKey("bolt", key)); err != nil {
		return r, err
	}
	defer s.table.db.users.Done()
	err = guard(func() error {
		return s.table.db.file.View(func(tx *bbolt.Tx) error {
			r, err = s.table.get(tx, key, found)
			return err
		})
	})
	if errors.Is(err, ErrCorrupt) {
		found.add(s.table.name, "", err)
		err = freshet.ErrNotFound
	}
	if err != nil && !errors.Is(err, freshet.ErrNotFound) {
		err = s.table.wrap("read", key, err)
	}
	return r, err
}

// Set implements freshet.Store. When it returns nil the record, or the later one
// that was there, is on disk.
func (s *Store) Set(ctx context.Context, key string, r freshet.Record) error {
	if err := s.enter(ctx, record.CheckKey("bolt", key)); err != nil {
		return err
	}
	defer s.table.db.users.Done()
	raw := record.Encode(key, record.Entry{Record: &r})
	if limit := s.table.db.opts.MaxRecord; len(raw) > limit {
		return s.table.wrap("write", key, fmt.Errorf("%w: %d bytes, and %d is the most", ErrTooLarge, len(raw), limit))
	}
	return s.do(ctx, key, &write{size: len(key) + len(raw), apply: func(tx *bbolt.Tx, found *reports) error {
		return s.table.set(tx, key, r.ReadAt, raw, found)
	}})
}

// Delete implements freshet.Store. When it returns nil the tombstone is on
// disk.
func (s *Store) Delete(ctx context.Context, key string, at time.Time) error {
	if err := s.enter(ctx, record.CheckKey("bolt", key)); err != nil {
		return err
	}
	defer s.table.db.users.Done()
	return s.do(ctx, key, &write{size: len(key), apply: func(tx *bbolt.Tx, found *reports) error {
		return s.table.erase(tx, key, at, found)
	}})
}

// DeletePrefix implements freshet.Store; the empty prefix is every key. When it
// returns nil the tombstone is on disk. The space is reclaimed by the sweep.
func (s *Store) DeletePrefix(ctx context.Context, prefix string, at time.Time) error {
	if err := s.enter(ctx, record.CheckPrefix("bolt", prefix)); err != nil {
		return err
	}
	defer s.table.db.users.Done()
	return s.do(ctx, prefix, &write{size: len(prefix), apply: func(tx *bbolt.Tx, _ *reports) error {
		return s.table.erasePrefix(tx, prefix, at)
	}})
}

// Close implements freshet.Store: this Store answers no more. The file stays
// open for others until DB.Close. What was accepted is on disk already.
func (s *Store) Close() error {
	s.closed.Store(true)
	return nil
}

// enter is followed by users.Done unless it returns an error.
func (s *Store) enter(ctx context.Context, err error) error {
	if err != nil {
		return err
	}
	if s.closed.Load() || !s.table.db.enter() {
		return record.Closed("bolt")
	}
	if err := ctx.Err(); err != nil {
		s.table.db.users.Done()
		return s.table.wrap("begin", "", err)
	}
	return nil
}

// do hands w to the committer and waits for its commit, or until ctx ends: then
// w may take effect or not.
func (s *Store) do(ctx context.Context, key string, w *write) error {
	w.table, w.ctx, w.done = s.table, ctx, make(chan error, 1)
	point("enqueue")
	select {
	case s.table.db.writes <- w:
	case <-ctx.Done():
		return s.table.wrap("write", key, ctx.Err())
	}
	select {
	case err := <-w.done:
		point("acknowledge")
		if err != nil {
			return s.table.wrap("write", key, systemError(err))
		}
		return nil
	case <-ctx.Done():
		return s.table.wrap("write", key, ctx.Err())
	}
}
