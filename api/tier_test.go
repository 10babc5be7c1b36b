package api_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime"
	"strconv"
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
	rt, err := freshet.NewRuntime(freshet.RuntimeConfig{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	require.NoError(t, err)
	t.Cleanup(func() { _ = rt.Close(bg) })
	c.Store, c.Runtime = s, rt
	return serve(t, o, c)
}

func TestD1_AColdResourceAsksItsStoreFirstAndAStoredValueKeepsItsAge(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newShelf()
		o := &origin{auto: func(_ int, r freshet.Request[string]) (freshet.Response[string], error) {
			return freshet.Response[string]{Value: "v", Validator: "e1", Tags: []string{"t"}}, nil
		}}
		fresh := freshet.Freshness{TTL: time.Minute}
		first := shelved(t, o, s, config{Freshness: fresh})
		mustGet(t, first, "a", "v")
		synctest.Wait()
		require.NoError(t, first.Close(bg))

		time.Sleep(20 * time.Second)
		o2 := &origin{auto: func(_ int, r freshet.Request[string]) (freshet.Response[string], error) {
			require.NotNil(t, r.Last, "the stored value is there for a conditional request")
			require.Equal(t, "e1", r.Last.Validator)
			return freshet.Response[string]{Unchanged: true}, nil
		}}
		second := shelved(t, o2, s, config{Freshness: fresh})
		before := time.Now()
		snap, err := second.Lookup(bg, "a")
		require.NoError(t, err)
		require.Equal(t, "v", snap.Value)
		require.Equal(t, freshet.Fresh, snap.State)
		require.Equal(t, before.Add(-20*time.Second).UnixNano(), snap.At.UnixNano(), "its age is kept")
		require.Zero(t, o2.calls())
		require.EqualValues(t, 1, second.Stats().StoreHits)

		time.Sleep(40*time.Second - 1)
		mustGet(t, second, "a", "v")
		require.Zero(t, o2.calls())
		time.Sleep(1) // a minute after it was read
		mustGet(t, second, "a", "v")
		require.Equal(t, 1, o2.calls(), "revalidated with its validator")
		n, err := second.InvalidateTag(bg, "t")
		require.NoError(t, err)
		require.Equal(t, 1, n, "it kept its tags")
	})
}

func TestD1_AStoredValueThatIsTooOldIsConfirmedByTheOrigin(t *testing.T) {
	for name, stale := range map[string]time.Duration{"refused": 0, "stale while revalidate": time.Hour} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s, o := newShelf(), counting()
				fresh := freshet.Freshness{TTL: time.Second, Stale: stale}
				first := shelved(t, o, s, config{Freshness: fresh})
				mustGet(t, first, "a", "v1")
				synctest.Wait()
				require.NoError(t, first.Close(bg))
				time.Sleep(time.Minute)

				second := shelved(t, o, s, config{Freshness: fresh})
				want := "v2"
				if stale > 0 {
					want = "v1" // at once, while it is refreshed
				}
				mustGet(t, second, "a", want)
				require.Equal(t, 2, o.calls())
				mustGet(t, second, "a", "v2")
			})
		})
	}
}

func TestD1_AReloadDoesNotAskTheStore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, o := newShelf(), counting()
		c := shelved(t, o, s, config{})
		v, err := c.Reload(bg, "a").Await(bg)
		require.NoError(t, err)
		require.Equal(t, "v1", v)
		require.Zero(t, s.count("get"))
	})
}

func TestD2_AStoreThatFailsCostsACountedMissAndNothingElse(t *testing.T) {
	for name, fault := range map[string]func(context.Context, string) error{
		"error":  func(context.Context, string) error { return errors.New("disk on fire") },
		"panic":  func(context.Context, string) error { panic("store") },
		"goexit": func(context.Context, string) error { runtime.Goexit(); return nil },
		"hangs until cancelled": func(ctx context.Context, _ string) error {
			<-ctx.Done()
			return ctx.Err()
		},
		"hangs for ever": func(context.Context, string) error {
			time.Sleep(time.Hour)
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s, o := newShelf(), counting()
				s.before = fault
				c := shelved(t, o, s, config{StoreTimeout: time.Second})
				start := time.Now()
				mustGet(t, c, "a", "v1")
				require.LessOrEqual(t, time.Since(start), time.Second, "at most its own timeout")
				start = time.Now()
				mustGet(t, c, "a", "v1")
				require.Zero(t, time.Since(start), "nothing to a hit")
				time.Sleep(2 * time.Second)
				require.GreaterOrEqual(t, c.Stats().StoreErrors, uint64(2), "the look-up and the write are counted")
				time.Sleep(2 * time.Hour)
			})
		})
	}
}

func TestD2_GarbageInTheStoreIsAMiss(t *testing.T) {
	for name, value := range map[string][]byte{
		"nothing":         nil,
		"short":           {1, 2},
		"corrupt JSON":    append(make([]byte, 0), 1, 0, 0, 0, 0, 0, 0, 1, 0, '{', '"'),
		"newer format":    append([]byte{2}, make([]byte, 20)...),
		"TTL of nonsense": {1, 255, 255, 255, 255, 255, 255, 255, 255, '"', 'x', '"'},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s, o := newShelf(), counting()
				s.records["a"] = freshet.Record{Value: value, ReadAt: time.Now()}
				c := shelved(t, o, s, config{})
				mustGet(t, c, "a", "v1")
				require.EqualValues(t, 1, c.Stats().StoreErrors)
			})
		})
	}
}

func TestD3_AnExpiredRecordIsAMiss(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, o := newShelf(), counting()
		first := shelved(t, o, s, config{Freshness: freshet.Freshness{TTL: time.Second}})
		mustGet(t, first, "a", "v1")
		synctest.Wait()
		require.NoError(t, first.Close(bg))
		require.False(t, s.records["a"].ExpiresAt.IsZero(), "expiry is part of the one write")
		time.Sleep(24 * time.Hour)
		second := shelved(t, o, s, config{Freshness: freshet.Freshness{TTL: time.Second, Stale: 48 * time.Hour}})
		mustGet(t, second, "a", "v2")
	})
}

func TestD4_UntilAnEraseIsAcknowledgedTheStoreIsNotAsked(t *testing.T) {
	for name, invalidate := range map[string]func(*freshet.Cache[string]) error{
		"key":    func(c *freshet.Cache[string]) error { return c.Invalidate(bg, "a") },
		"remove": func(c *freshet.Cache[string]) error { return c.Remove(bg, "a") },
		"prefix": func(c *freshet.Cache[string]) error { _, err := c.InvalidatePrefix(bg, "a"); return err },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s, o := newShelf(), counting()
				first := shelved(t, o, s, config{})
				mustGet(t, first, "a", "v1")
				synctest.Wait()
				require.NoError(t, first.Close(bg))

				// A key that is not resident, whose record a store keeps that is
				// slow to forget.
				gets := s.count("get")
				s.set(func(_ context.Context, call string) error {
					if strings.HasPrefix(call, "delete") || strings.HasPrefix(call, "prefix") {
						return errors.New("not now")
					}
					return nil
				})
				second := shelved(t, o, s, config{})
				require.NoError(t, invalidate(second))
				mustGet(t, second, "a", "v2")
				require.Equal(t, gets, s.count("get"), "the store still has the old record")
				s.set(nil)
				time.Sleep(time.Minute)
				require.NoError(t, second.Close(bg))
				third := shelved(t, o, s, config{})
				v, err := third.Get(bg, "a")
				require.NoError(t, err)
				require.NotEqual(t, "v1", v, "erased at last, or replaced by a later record")
			})
		})
	}
}

func TestD4_WritesAreCoalescedToTheNewest(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, o := newShelf(), counting()
		release := make(chan struct{})
		s.before = func(_ context.Context, call string) error {
			if strings.HasPrefix(call, "set") {
				<-release
			}
			return nil
		}
		c := shelved(t, o, s, config{StoreTimeout: time.Hour})
		for _, v := range []string{"1", "2", "3", "4", "5"} {
			time.Sleep(time.Millisecond)
			require.NoError(t, c.Set(bg, "a", v))
			synctest.Wait()
		}
		close(release)
		require.Equal(t, 2, s.count("set a"), "the first, and the newest")
		require.NoError(t, c.Close(bg))
		again := shelved(t, o, s, config{})
		mustGet(t, again, "a", "5")
	})
}

func TestD4_CloseFlushes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, o := newShelf(), counting()
		s.before = func(_ context.Context, call string) error { time.Sleep(10 * time.Millisecond); return nil }
		c := shelved(t, o, s, config{})
		for _, key := range keysOf(100) {
			require.NoError(t, c.Set(bg, key, key))
		}
		require.NoError(t, c.Close(bg))
		require.Equal(t, 100, len(s.records)) // not Len: it would print them
	})
}

func keysOf(n int) (keys []string) {
	for i := range n {
		keys = append(keys, strings.Repeat("k", i+1))
	}
	return keys
}

func TestD4_ATagThatWasInvalidatedKeepsItsStoredRecordsOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newShelf()
		o := counting()
		tagged := &origin{auto: func(n int, r freshet.Request[string]) (freshet.Response[string], error) {
			resp, err := o.auto(n, r)
			resp.Tags = []string{"team"}
			return resp, err
		}}
		c := shelved(t, tagged, s, config{MaxEntries: 1})
		mustGet(t, c, "a", "v1")
		mustGet(t, c, "b", "v1") // a is evicted; its record stays
		require.True(t, s.has("a"))
		time.Sleep(time.Second)
		_, err := c.InvalidateTag(bg, "team")
		require.NoError(t, err)
		mustGet(t, c, "a", "v2")
	})
}

func TestM2_AnEraseThatIsNotAcknowledgedKeepsItsResource(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, o := newShelf(), counting()
		s.before = func(_ context.Context, call string) error {
			if strings.HasPrefix(call, "delete") {
				return errors.New("not now")
			}
			return nil
		}
		c := shelved(t, o, s, config{MaxEntries: 1})
		require.NoError(t, c.Invalidate(bg, "a", "b", "c"))
		mustGet(t, c, "d", "v1")
		mustGet(t, c, "e", "v1")
		synctest.Wait()
		require.Equal(t, 3, c.Len(), "d and e had to make room for what cannot go")
		for _, key := range []string{"a", "b", "c"} {
			require.Equal(t, 1, s.count("delete "+key))
		}
		s.set(nil)
		time.Sleep(time.Minute)
		require.Equal(t, 2, s.count("delete a"), "it was tried again")
		require.Zero(t, c.Len(), "they were there for the erase alone")
	})
}

func TestW7_OnlyWhatTheOriginConfirmedReachesTheStore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newShelf()
		o := &origin{}
		c := shelved(t, o, s, config{})
		reply := get(c, "a")
		o.call(t, 1)
		require.NoError(t, c.Invalidate(bg, "a")) // the flight is superseded
		o.call(t, 2).respond(freshet.Response[string]{Value: "not kept", TTL: -1})
		v, err := reply.get()
		require.NoError(t, err)
		require.Equal(t, "not kept", v)
		require.False(t, s.has("a"), "a response that is not to be kept is not persisted")
	})
}

func TestW7_WhatTheOriginSaysIsGoneIsErasedFromTheStore(t *testing.T) {
	for name, answer := range map[string]func(*call){
		"absent":      func(c *call) { c.fail(freshet.ErrNotFound) },
		"not to keep": func(c *call) { c.respond(freshet.Response[string]{Value: "v", TTL: -1}) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s, o := newShelf(), &origin{}
				c := shelved(t, o, s, config{})
				require.NoError(t, c.Set(bg, "a", "v"))
				require.True(t, s.has("a"))
				reload := c.Reload(bg, "a")
				answer(o.call(t, 1))
				<-reload.Done()
				require.False(t, s.has("a"))
			})
		})
	}
}

func TestD2_AStoreThatHangsCostsOneTimeoutHoweverManyAsk(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, o := newShelf(), counting()
		s.before = func(ctx context.Context, call string) error {
			if strings.HasPrefix(call, "get") {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}
		c := shelved(t, o, s, config{StoreTimeout: time.Second})
		start := time.Now()
		values, err := c.GetMany(bg, keysOf(1000))
		require.NoError(t, err)
		require.Len(t, values, 1000)
		require.LessOrEqual(t, time.Since(start), time.Second)

		s.set(nil) // it is well again, and found out within a timeout
		time.Sleep(time.Second + 1)
		mustGet(t, c, "x", "v1")
		gets := s.count("get")
		mustGet(t, c, "y", "v1")
		mustGet(t, c, "z", "v1")
		require.Equal(t, gets+2, s.count("get"))
	})
}

func TestD1_AHundredThousandLookUpsWaitTheirTurn(t *testing.T) {
	s, o := newShelf(), counting()
	const n = 100_000
	keys := make([]string, n)
	first := shelved(t, o, s, config{Name: "first"})
	for i := range keys {
		keys[i] = "key-" + strconv.Itoa(i)
		require.NoError(t, first.Set(bg, keys[i], "set"))
	}
	require.NoError(t, first.Close(bg))
	second := shelved(t, o, s, config{Name: "second", StoreTimeout: 10 * time.Second})
	values, err := second.GetMany(bg, keys)
	require.NoError(t, err)
	require.Len(t, values, n)
	require.EqualValues(t, n, second.Stats().StoreHits)
	require.Zero(t, second.Stats().Flights)
}
