package api_test

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// shelf is a Store in memory whose calls a test can make fail, wait or panic.
type shelf struct {
	mu      sync.Mutex
	records map[string]freshet.Record
	graves  map[string]time.Time
	calls   []string
	before  func(ctx context.Context, call string) error // nil: nothing
}

func newShelf() *shelf {
	return &shelf{records: map[string]freshet.Record{}, graves: map[string]time.Time{}}
}

func (s *shelf) enter(ctx context.Context, call string) error {
	s.mu.Lock()
	s.calls = append(s.calls, call)
	before := s.before
	s.mu.Unlock()
	if before != nil {
		return before(ctx, call)
	}
	return nil
}

func (s *shelf) Get(ctx context.Context, key string) (freshet.Record, error) {
	if err := s.enter(ctx, "get "+key); err != nil {
		return freshet.Record{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.records[key]
	if !ok {
		return freshet.Record{}, freshet.ErrNotFound
	}
	return r, nil
}

func (s *shelf) Set(ctx context.Context, key string, r freshet.Record) error {
	if err := s.enter(ctx, "set "+key); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.graves[key]; ok && !r.ReadAt.After(at) || s.records[key].ReadAt.After(r.ReadAt) {
		return nil
	}
	s.records[key] = r
	return nil
}

func (s *shelf) Delete(ctx context.Context, key string, at time.Time) error {
	if err := s.enter(ctx, "delete "+key); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.graves[key] = at
	if !s.records[key].ReadAt.After(at) {
		delete(s.records, key)
	}
	return nil
}

func (s *shelf) DeletePrefix(ctx context.Context, prefix string, at time.Time) error {
	if err := s.enter(ctx, "prefix "+prefix); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, r := range s.records {
		if strings.HasPrefix(key, prefix) && !r.ReadAt.After(at) {
			delete(s.records, key)
		}
	}
	return nil
}

func (s *shelf) Close() error { return nil }

func (s *shelf) set(before func(ctx context.Context, call string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = before
}

func (s *shelf) has(key string) bool {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.records[key]
	return ok
}

func (s *shelf) count(call string) (n int) {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.calls {
		if strings.HasPrefix(c, call) {
			n++
		}
	}
	return n
}

// shelved makes a cache on a store, whose warnings nobody reads.
func shelved(t *testing.T, o *origin, s freshet.Store, c config) *freshet.Cache[string] {
	t.Helper()
	return serve(t, o, on(t, s, c))
}

// on is c on a store.
func on(t *testing.T, s freshet.Store, c config) config {
	t.Helper()
	rt, err := freshet.NewRuntime(freshet.RuntimeConfig{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	require.NoError(t, err)
	t.Cleanup(func() { _ = rt.Close(bg) })
	c.Store, c.Runtime = s, rt
	return c
}

func keysOf(n int) (keys []string) {
	for i := range n {
		keys = append(keys, strings.Repeat("k", i+1))
	}
	return keys
}
