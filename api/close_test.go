package api_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/streams"
)

// allCalls are the calls of a cache that can answer with an error.
func allCalls(c *freshet.Cache[string]) map[string]func() error {
	return map[string]func() error{
		"Get":    func() error { _, err := c.Get(bg, "k"); return err },
		"cached": func() error { _, err := c.Get(bg, "k", freshet.CachedOnly()); return err },
		"Lookup": func() error { _, err := c.Lookup(bg, "k"); return err },
		"Fetch":  func() error { _, err := c.Fetch(bg, "k").Await(bg); return err },
		"Reload": func() error { _, err := c.Reload(bg, "k").Result(); return err },
		"GetMany": func() error {
			_, err := c.GetMany(bg, []string{"k", "l"})
			return err
		},
		"Set":              func() error { return c.Set(bg, "k", "v") },
		"Put":              func() error { return c.Put(bg, "k", freshet.Response[string]{Value: "v"}) },
		"Invalidate":       func() error { return c.Invalidate(bg, "k") },
		"InvalidatePrefix": func() error { _, err := c.InvalidatePrefix(bg, "k"); return err },
		"InvalidateTag":    func() error { _, err := c.InvalidateTag(bg, "t"); return err },
		"Expire":           func() error { return c.Expire(bg, "k") },
		"Remove":           func() error { return c.Remove(bg, "k") },
		"Watch":            func() error { _, err := c.Watch(bg); return err },
	}
}

func TestC5_NewCallsGetErrClosed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := counting()
		c := serve(t, o, config{})
		mustGet(t, c, "k", "v1")
		require.NoError(t, c.Close(bg))
		for name, call := range allCalls(c) {
			require.ErrorIs(t, call(), freshet.ErrClosed, name)
		}
		_, ok := c.Peek("k")
		require.False(t, ok)
		for range c.All() {
			t.Error("All yields something")
		}
		_ = c.Stats()
		require.Equal(t, 1, o.calls())
	})
}

func TestC5_CloseCancelsFlightsAndSettlesFutures(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{Reload: freshet.ReloadQueue, MaxFlights: 2})
		require.NoError(t, c.Set(bg, "k", "v"))
		sub, err := c.Watch(bg)
		require.NoError(t, err)
		own, err := c.Watch(bg)
		require.NoError(t, err)
		flying, queued := c.Reload(bg, "k"), c.Fetch(bg, "queued")
		o.calls()
		follow := c.Reload(bg, "k")
		atTheGate := c.Fetch(bg, "gate")
		r := get(c, "k", freshet.ForceReload())
		require.True(t, r.waiting())
		require.NoError(t, c.Close(bg))
		for _, f := range []*freshet.Future[string]{flying, queued, follow, atTheGate} {
			_, err := f.Result() // it has settled when Close returns
			require.ErrorIs(t, err, freshet.ErrClosed)
		}
		failsWith(t, r, freshet.ErrClosed)
		require.ErrorIs(t, context.Cause(o.call(t, 1).ctx), freshet.ErrClosed)
		require.Equal(t, 2, o.calls())
		require.Zero(t, c.Stats().InFlight)
		for err == nil {
			_, err = sub.Next(bg)
		}
		require.ErrorIs(t, err, streams.ErrClosed)
		require.ErrorIs(t, err, freshet.ErrClosed, "the cache's end")
		require.NoError(t, own.Err(), "it has not looked yet")
		own.Close()
		require.NotErrorIs(t, own.Err(), freshet.ErrClosed, "its own end")
		_, err = c.Watch(bg)
		require.ErrorIs(t, err, freshet.ErrClosed)
	})
}

// A source that ignores its context: Close returns with its context's end, and
// what the source returns after that changes nothing.
func TestC5_CloseWithAHungSource(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{deaf: true}
		c := serve(t, o, config{})
		r := get(c, "k")
		call := o.call(t, 1)
		ctx, cancel := context.WithTimeout(bg, time.Second)
		defer cancel()
		start := time.Now()
		err := c.Close(ctx)
		require.Equal(t, time.Second, time.Since(start))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "freshet: close of test: 1 origin call")
		failsWith(t, r, freshet.ErrClosed)
		require.Equal(t, 1, c.Stats().InFlight)
		call.value("after Close")
		require.NoError(t, c.Close(bg), "now every goroutine has ended")
		_, ok := c.Peek("k")
		require.False(t, ok)
		require.Zero(t, c.Stats().InFlight)
	})
}

func TestC5_ClosingTwiceAndAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{deaf: true}
		c := serve(t, o, config{})
		f := c.Fetch(bg, "k")
		o.calls()
		closers := []*reply[int]{}
		for range 5 {
			closers = append(closers, ask(func() (int, error) { return 0, c.Close(bg) }))
		}
		for _, r := range closers {
			require.True(t, r.waiting(), "each waits for the goroutines")
		}
		_, err := f.Result()
		require.ErrorIs(t, err, freshet.ErrClosed)
		o.call(t, 1).value("v")
		for _, r := range closers {
			require.False(t, r.waiting())
			require.NoError(t, r.err)
		}
		require.NoError(t, c.Close(bg))
		require.NoError(t, c.Close(nil)) //nolint:staticcheck // it does not end
	})
}

// Calls of every kind while the cache closes: each returns, with an answer or
// ErrClosed, and every future settles (C6).
func TestC6_EveryFutureSettlesThoughTheCacheCloses(t *testing.T) {
	for range 20 {
		c, err := freshet.New(config{
			Name: "closing", MaxEntries: 10, MaxFlights: 3,
			Source: freshet.Func(func(ctx context.Context, key string) (string, error) {
				if key[len(key)-1] == '3' {
					<-ctx.Done()
					return "", ctx.Err()
				}
				return key, nil
			}),
		})
		require.NoError(t, err)
		var wg sync.WaitGroup
		var started atomic.Int64
		var futures sync.Map
		for g := range 6 {
			wg.Go(func() {
				for i := range 200 {
					key := fmt.Sprint("k", (i+g)%25)
					started.Add(1)
					switch i % 5 {
					case 0, 1:
						futures.Store(g*1000+i, c.Fetch(bg, key))
					case 2:
						futures.Store(g*1000+i, c.Reload(bg, key))
					case 3:
						_ = c.Set(bg, key, "set")
					case 4:
						_ = c.Invalidate(bg, key)
					}
				}
			})
		}
		for started.Load() < 400 {
			time.Sleep(10 * time.Microsecond)
		}
		require.NoError(t, c.Close(bg))
		wg.Wait()
		require.NoError(t, c.Close(bg))
		futures.Range(func(_, f any) bool {
			_, err := f.(*freshet.Future[string]).Result()
			require.NotErrorIs(t, err, freshet.ErrPending)
			return true
		})
	}
}

func TestC5_Runtimes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		rt, err := freshet.NewRuntime(freshet.RuntimeConfig{})
		require.NoError(t, err)
		o := counting()
		t.Cleanup(o.free)
		a := open(t, config{Name: "a", Runtime: rt, Source: o})
		b := open(t, config{Name: "b", Runtime: rt, Source: o})
		_, err = freshet.New(config{Name: "a", Runtime: rt, Source: o})
		require.ErrorContains(t, err, `"a"`, "two caches of one name")
		require.NoError(t, a.Close(bg))
		mustGet(t, b, "k", "v1") // a cache's end is its own
		again, err := freshet.New(config{Name: "a", Runtime: rt, Source: o})
		require.NoError(t, err, "the name is free again")
		mustGet(t, again, "k", "v2")
		require.NoError(t, rt.Close(bg))
		for _, c := range []*freshet.Cache[string]{b, again} {
			_, err = c.Get(bg, "k")
			require.ErrorIs(t, err, freshet.ErrClosed)
		}
		_, err = freshet.New(config{Name: "c", Runtime: rt, Source: o})
		require.ErrorIs(t, err, freshet.ErrClosed)
		require.NoError(t, rt.Close(bg))
		require.NoError(t, rt.Close(nil)) //nolint:staticcheck // it does not end
	})
}

// A runtime closes its caches side by side, and says which would not end.
func TestC5_ARuntimeWithHungSources(t *testing.T) {
	bubble(t, func(t *testing.T) {
		rt, err := freshet.NewRuntime(freshet.RuntimeConfig{})
		require.NoError(t, err)
		o := &origin{deaf: true}
		for _, name := range []string{"a", "b"} {
			c := open(t, config{Name: name, Runtime: rt, Source: o})
			c.Fetch(bg, "k")
		}
		open(t, config{Name: "c", Runtime: rt, Source: o})
		t.Cleanup(o.free)
		require.Equal(t, 2, o.calls())
		ctx, cancel := context.WithTimeout(bg, time.Second)
		defer cancel()
		err = rt.Close(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "close of a:")
		require.ErrorContains(t, err, "close of b:")
		require.NotContains(t, err.Error(), "close of c:")
	})
}

// A closed cache has nothing: not for Peek, not for All, and not for Len.
func TestC5_AClosedCacheIsEmpty(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, counting(), config{})
		mustGet(t, c, "k", "v1")
		require.Equal(t, 1, c.Len())
		require.NoError(t, c.Close(bg))
		require.Zero(t, c.Len())
		require.Zero(t, c.Stats().Resident)
	})
}
