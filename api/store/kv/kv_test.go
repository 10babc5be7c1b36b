package kv_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/store/kv"
	"github.com/freshet-go/freshet/api/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	epoch = time.Date(2026, 2, 3, 4, 5, 6, 7, time.UTC)
	quiet = slog.New(slog.NewTextHandler(io.Discard, nil))
)

func at(n int) time.Time                 { return epoch.Add(time.Duration(n) * time.Millisecond) }
func rec(n int, v string) freshet.Record { return freshet.Record{Value: []byte(v), ReadAt: at(n)} }

func newStore(t testing.TB, client kv.Client) *kv.Store {
	t.Helper()
	s, err := kv.New("users", client, kv.Options{Logger: quiet})
	require.NoError(t, err)
	return s
}

func wantValue(t testing.TB, s freshet.Store, key, value string) {
	t.Helper()
	r, err := s.Get(t.Context(), key)
	require.NoError(t, err)
	require.Equal(t, value, string(r.Value))
}

func wantNone(t testing.TB, s freshet.Store, key string) {
	t.Helper()
	_, err := s.Get(t.Context(), key)
	require.ErrorIs(t, err, freshet.ErrNotFound)
}

// What the page shows is a Store, the whole contract of it.
func TestContractOfWhatThePageShows(t *testing.T) {
	for name, client := range map[string]func() kv.Client{
		"a client":  func() kv.Client { return wrapped{newCompanyCache()} },
		"a swapper": func() kv.Client { return swapping{wrapped{newCompanyCache()}} },
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) freshet.Store { return newStore(t, client()) })
		})
	}
}

// processes are several stores of one name, which take turns.
type processes struct {
	stores []*kv.Store
	turn   atomic.Uint64
}

func (p *processes) next() *kv.Store {
	return p.stores[p.turn.Add(1)%uint64(len(p.stores))]
}

func (p *processes) Get(ctx context.Context, key string) (freshet.Record, error) {
	return p.next().Get(ctx, key)
}

func (p *processes) Set(ctx context.Context, key string, r freshet.Record) error {
	return p.next().Set(ctx, key, r)
}

func (p *processes) Delete(ctx context.Context, key string, at time.Time) error {
	return p.next().Delete(ctx, key, at)
}

func (p *processes) DeletePrefix(ctx context.Context, prefix string, at time.Time) error {
	return p.next().DeletePrefix(ctx, prefix, at)
}

func (p *processes) Close() (err error) {
	for _, s := range p.stores {
		err = errors.Join(err, s.Close())
	}
	return err
}

func TestD5_ASwapperKeepsItBetweenProcesses(t *testing.T) {
	storetest.Run(t, func(t *testing.T) freshet.Store {
		client, p := swapping{wrapped{newCompanyCache()}}, &processes{}
		for range 3 {
			p.stores = append(p.stores, newStore(t, client))
		}
		return p
	})
}

// The other process erases between the comparison and the write: with a Swapper
// that is noticed. With a plain client it is not, as the page says.
func TestD5_AnEraseBetweenCompareAndWrite(t *testing.T) {
	for name, test := range map[string]struct {
		client     func(*companyCache) kv.Client
		write      string
		late, last string // what is there of a read before the erase, and of one after it
	}{
		"a swapper": {func(c *companyCache) kv.Client { return swapping{wrapped{c}} }, "cas", "", "read after"},
		"a client":  {func(c *companyCache) kv.Client { return wrapped{c} }, "set", "read before", "read after"},
	} {
		for n, want := range map[int]string{4: test.late, 6: test.last} {
			t.Run(fmt.Sprint(name, ", read at ", n), func(t *testing.T) {
				cache := newCompanyCache()
				here, there := newStore(t, test.client(cache)), newStore(t, test.client(cache))
				require.NoError(t, here.Set(t.Context(), "k", rec(1, "old")))
				erased := false
				cache.failing = func(call, _ string) error {
					if call == test.write && !erased {
						erased = true // before the erase makes the same call
						return there.Delete(t.Context(), "k", at(5))
					}
					return nil
				}
				require.NoError(t, here.Set(t.Context(), "k", rec(n, map[bool]string{true: "read before", false: "read after"}[n < 5])))
				require.True(t, erased)
				if want == "" {
					wantNone(t, here, "k")
				} else {
					wantValue(t, here, "k", want)
				}
			})
		}
	}
}

// Behaviour 7: entry and expiry are one write.
func TestD3_AnExpiryThatFailsMakesNothingImmortal(t *testing.T) {
	cache, now := newCompanyCache(), epoch
	s, err := kv.New("users", wrapped{cache}, kv.Options{Now: func() time.Time { return now }})
	require.NoError(t, err)
	broken := errors.New("broken")
	cache.failing = func(call, _ string) error {
		if call == "expire" {
			return broken
		}
		return nil
	}
	r := rec(0, "v")
	r.ExpiresAt = epoch.Add(time.Minute)
	require.ErrorIs(t, s.Set(t.Context(), "k", r), broken)
	wantValue(t, s, "k", "v")
	now = r.ExpiresAt
	wantNone(t, s, "k")
}

func TestD3_TheClientIsToldTheExpiry(t *testing.T) {
	var ttl time.Duration
	now := epoch
	client := &spy{Client: wrapped{newCompanyCache()}, set: func(_ string, d time.Duration) { ttl = d }}
	s, err := kv.New("users", client, kv.Options{Now: func() time.Time { return now }, Tombstones: time.Minute})
	require.NoError(t, err)
	r := rec(0, "v")
	require.NoError(t, s.Set(t.Context(), "k", r))
	require.Zero(t, ttl)
	r.ExpiresAt = now.Add(time.Hour)
	require.NoError(t, s.Set(t.Context(), "k", r))
	require.Equal(t, time.Hour, ttl)
	require.NoError(t, s.Delete(t.Context(), "k", r.ReadAt))
	require.Equal(t, time.Minute, ttl)
	r.ReadAt, r.ExpiresAt = r.ReadAt.Add(1), now.Add(time.Second)
	require.NoError(t, s.Set(t.Context(), "k", r))
	require.Equal(t, time.Minute, ttl, "the tombstone outlives the record")
	r.ReadAt, r.ExpiresAt = r.ReadAt.Add(1), now.Add(-time.Second)
	require.NoError(t, s.Set(t.Context(), "late", r))
	require.Equal(t, time.Millisecond, ttl, "never 0, which would be for ever")
}

type spy struct {
	kv.Client
	set func(key string, ttl time.Duration)
}

func (s *spy) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	s.set(key, ttl)
	return s.Client.Set(ctx, key, value, ttl)
}

func TestD5_ErasedPrefixesAreBoundedAndNeverForgotten(t *testing.T) {
	cache := newCompanyCache()
	s := newStore(t, wrapped{cache})
	for i := range 1000 {
		require.NoError(t, s.DeletePrefix(t.Context(), fmt.Sprintf("team-%03d/", i), at(i)))
	}
	require.Less(t, len(cache.items["users:p"].value), 8<<10)
	for i := range 1000 {
		key := fmt.Sprintf("team-%03d/1", i)
		require.NoError(t, s.Set(t.Context(), key, rec(i, "a late write")))
		wantNone(t, s, key)
		require.NoError(t, s.Set(t.Context(), key, rec(1000, "later")))
		wantValue(t, s, key, "later")
	}
}

func TestD2_GarbageIsAMissAndIsReplaced(t *testing.T) {
	cache := newCompanyCache()
	var log strings.Builder
	s, err := kv.New("users", wrapped{cache}, kv.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	for _, raw := range []string{"x", "garbage that is rather longer than a header", "\xf5\x52\x09" + strings.Repeat("\xff", 60)} {
		log.Reset()
		require.NoError(t, cache.set("users:r:k", []byte(raw)))
		wantNone(t, s, "k")
		require.Contains(t, log.String(), "key=k")
		require.NoError(t, s.Set(t.Context(), "k", rec(1, "good")))
		wantValue(t, s, "k", "good")
	}
}

// Who cannot read what was erased must not answer with what may have been.
func TestD5_GarbageInThePrefixesErasesEverythingUpToNow(t *testing.T) {
	cache, now := newCompanyCache(), at(10)
	s, err := kv.New("users", wrapped{cache}, kv.Options{Logger: quiet, Now: func() time.Time { return now }})
	require.NoError(t, err)
	require.NoError(t, s.Set(t.Context(), "k", rec(1, "v")))
	require.NoError(t, cache.set("users:p", []byte("garbage")))
	wantNone(t, s, "k")
	now = at(30)
	require.NoError(t, s.Set(t.Context(), "k", rec(20, "later")))
	wantValue(t, s, "k", "later")
}

func TestD2_AClientThatFailsIsReported(t *testing.T) {
	cache := newCompanyCache()
	s := newStore(t, swapping{wrapped{cache}})
	require.NoError(t, s.Set(t.Context(), "k", rec(1, "v")))
	broken := errors.New("broken")
	for _, calls := range []string{"get", "cas"} {
		cache.failing = func(call, _ string) error {
			if call == calls {
				return broken
			}
			return nil
		}
		_, err := s.Get(t.Context(), "k")
		if calls == "get" {
			require.ErrorIs(t, err, broken)
			require.NotErrorIs(t, err, freshet.ErrNotFound)
		}
		require.EqualError(t, s.Set(t.Context(), "k", rec(2, "w")), `freshet: kv: users: cannot write "k": broken`)
		require.ErrorIs(t, s.Delete(t.Context(), "k", at(2)), broken)
		require.ErrorIs(t, s.DeletePrefix(t.Context(), "k", at(2)), broken)
	}
	cache.failing = nil
	wantValue(t, s, "k", "v")
}

// A call that waits for another one of its key waits no longer than its context.
func TestD2_AClientThatHangsHoldsNobodyElse(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	cache := newCompanyCache()
	s := newStore(t, wrapped{cache})
	cache.failing = func(call, _ string) error {
		if call == "set" {
			close(entered)
			<-release
		}
		return nil
	}
	done := make(chan error)
	go func() { done <- s.Set(t.Context(), "k", rec(1, "v")) }()
	<-entered
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	require.ErrorIs(t, s.Set(ctx, "k", rec(2, "w")), context.DeadlineExceeded)
	close(release)
	require.NoError(t, <-done)
}

func TestNewSaysWhatIsWrong(t *testing.T) {
	_, err := kv.New("not/a name", wrapped{}, kv.Options{})
	require.ErrorContains(t, err, "freshet: kv: the name")
	_, err = kv.New("users", nil, kv.Options{})
	require.ErrorContains(t, err, "freshet: kv: users: the client is nil")
	_, err = kv.New("users", wrapped{}, kv.Options{Tombstones: -1})
	require.EqualError(t, err, "freshet: kv: users: Options.Tombstones is negative: -1ns")
	_, err = kv.New("users", nil, kv.Options{Tombstones: -1})
	require.ErrorContains(t, err, "the client is nil\nOptions.Tombstones is negative")
}

// What the page says that it costs.
func TestCallsOfTheClient(t *testing.T) {
	cache := newCompanyCache()
	s := newStore(t, wrapped{cache})
	calls := 0
	cache.failing = func(string, string) error { calls++; return nil }
	for _, step := range []struct {
		name string
		do   func()
		want int
	}{
		{"miss", func() { wantNone(t, s, "k") }, 1},
		{"write", func() { require.NoError(t, s.Set(t.Context(), "k", rec(1, "v"))) }, 2},
		{"hit", func() { wantValue(t, s, "k", "v") }, 2},
		{"erase of a prefix", func() { require.NoError(t, s.DeletePrefix(t.Context(), "k", at(1))) }, 2},
	} {
		calls = 0
		step.do()
		require.Equal(t, step.want, calls, step.name)
	}
}
