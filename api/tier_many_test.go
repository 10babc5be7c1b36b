package api_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// manyShelved is a cache with a second tier and a source that answers many at
// once.
type manyShelved struct {
	*freshet.Cache[string]
	shelf *shelf
	o     *bulkOrigin
}

func newManyShelved(t *testing.T, c config, held ...string) *manyShelved {
	t.Helper()
	m := &manyShelved{shelf: newShelf(), o: &bulkOrigin{many: echo}}
	before := shelved(t, counting(), m.shelf, config{Freshness: c.Freshness})
	for _, key := range held {
		require.NoError(t, before.Set(bg, key, "held "+key))
	}
	require.NoError(t, before.Close(bg))
	m.Cache = bulkCache(t, m.o, on(t, m.shelf, c))
	return m
}

// bulks are the keys of each bulk call.
func (m *manyShelved) bulks() [][]string {
	synctest.Wait()
	m.o.mu.Lock()
	defer m.o.mu.Unlock()
	return m.o.asked
}

func TestGetMany_WhatTheStoreHasNotFliesInOneCall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newManyShelved(t, config{}, "b", "d")
		values, err := c.GetMany(bg, []string{"a", "b", "c", "d", "e"})
		require.NoError(t, err)
		require.Equal(t, map[string]string{"a": "many a", "b": "held b", "c": "many c", "d": "held d", "e": "many e"}, values)
		require.Equal(t, [][]string{{"a", "c", "e"}}, c.bulks())
		require.Zero(t, c.o.calls(), "nothing flew by itself")
		require.EqualValues(t, 2, c.Stats().StoreHits)
		atRest(t, c.Cache)
	})
}

// What is known and stale does not ask the Store, and what is stored and too old
// is to be confirmed: they fly with the rest.
func TestGetMany_WhatIsStaleFliesWithTheRest(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newManyShelved(t, config{Freshness: freshet.Freshness{TTL: time.Minute}}, "old")
		mustPut(t, c.Cache, "stale")
		time.Sleep(time.Minute)
		_, err := c.GetMany(bg, []string{"absent", "old", "stale"})
		require.NoError(t, err)
		require.Equal(t, [][]string{{"absent", "old", "stale"}}, c.bulks())
		require.EqualValues(t, 1, c.Stats().StoreHits)
	})
}

func mustPut(t *testing.T, c *freshet.Cache[string], key string) {
	t.Helper()
	require.NoError(t, c.Set(bg, key, "set "+key))
}

func TestGetMany_AStoreThatFailsLeavesOneCall(t *testing.T) {
	for name, fault := range map[string]func(context.Context, string) error{
		"error":          func(context.Context, string) error { return errors.New("disk on fire") },
		"panic":          func(context.Context, string) error { panic("store") },
		"goexit":         func(context.Context, string) error { runtime.Goexit(); return nil },
		"hangs for ever": func(context.Context, string) error { time.Sleep(time.Hour); return nil },
		"hangs until cancelled": func(ctx context.Context, _ string) error {
			<-ctx.Done()
			return ctx.Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := newManyShelved(t, config{StoreTimeout: time.Second})
				c.shelf.set(func(ctx context.Context, call string) error {
					if strings.HasPrefix(call, "get") {
						return fault(ctx, call)
					}
					return nil
				})
				start := time.Now()
				values, err := c.GetMany(bg, keysOf(1000)) // more than are looked up at once
				require.NoError(t, err)
				require.Len(t, values, 1000)
				require.LessOrEqual(t, time.Since(start), time.Second, "D2: at most the store's own timeout")
				require.Len(t, c.bulks(), 1)
				require.Zero(t, c.o.calls())
				time.Sleep(2 * time.Hour)
			})
		})
	}
}

// A key that is taken over while the Store is asked for it flies by itself, and
// the rest waits for it no longer than the Store may take.
func TestGetMany_AKeyThatIsTakenOverDuringItsLookUp(t *testing.T) {
	for name, deaf := range map[string]bool{"the store gives up": false, "the store is deaf": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := newManyShelved(t, config{StoreTimeout: time.Second})
				release := make(chan struct{})
				c.shelf.set(func(ctx context.Context, call string) error {
					switch {
					case call != "get a" && call != "get b":
						return nil
					case deaf:
						<-release
						return nil
					}
					<-ctx.Done()
					return ctx.Err()
				})
				r := ask(func() (map[string]string, error) { return c.GetMany(bg, []string{"a", "b", "c", "d"}) })
				require.True(t, r.waiting())
				require.NoError(t, c.Set(bg, "a", "set"))
				reload := get(c.Cache, "b", freshet.ForceReload())
				c.o.call(t, 1).value("reloaded")
				gives(t, reload, "reloaded")
				if deaf {
					require.Empty(t, c.bulks())
					time.Sleep(time.Second)
				}
				require.False(t, r.waiting())
				require.Equal(t, map[string]string{"a": "set", "b": "reloaded", "c": "many c", "d": "many d"}, r.v)
				require.Equal(t, [][]string{{"c", "d"}}, c.bulks())
				close(release)
				atRest(t, c.Cache)
			})
		})
	}
}

// Look-ups that are given up before their turn are awaited no longer.
func TestGetMany_LookUpsThatAreGivenUpBeforeTheirTurn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newManyShelved(t, config{StoreTimeout: time.Second})
		release := make(chan struct{})
		c.shelf.set(func(_ context.Context, call string) error {
			if strings.HasPrefix(call, "get") {
				<-release
			}
			return nil
		})
		keys := keysOf(200)
		r := ask(func() (map[string]string, error) { return c.GetMany(bg, keys) })
		require.True(t, r.waiting())
		for _, key := range keys[150:] {
			require.NoError(t, c.Set(bg, key, "set"))
		}
		close(release)
		require.False(t, r.waiting())
		require.NoError(t, r.err)
		require.Len(t, r.v, 200)
		require.Equal(t, [][]string{slices.Sorted(slices.Values(keys[:150]))}, c.bulks())
		atRest(t, c.Cache)
	})
}

func TestGetMany_PartialAnswersBehindAStore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newManyShelved(t, config{}, "held")
		c.o.many = func(context.Context, []string) (map[string]freshet.Response[string], error) {
			return map[string]freshet.Response[string]{"a": {Value: "many a"}},
				&freshet.ManyError{Errs: map[string]error{"bad": errOrigin, "gone": freshet.ErrNotFound}}
		}
		c.o.auto = func(_ int, r freshet.Request[string]) (freshet.Response[string], error) {
			return freshet.Response[string]{Value: "one " + r.Key}, nil
		}
		values, err := c.GetMany(bg, []string{"a", "bad", "gone", "held", "left"})
		require.Equal(t, map[string]string{"a": "many a", "held": "held held", "left": "one left"}, values)
		var many *freshet.ManyError
		require.ErrorAs(t, err, &many)
		require.Len(t, many.Errs, 2)
		require.ErrorIs(t, many.Errs["bad"], errOrigin)
		require.ErrorIs(t, many.Errs["gone"], freshet.ErrNotFound)
		atRest(t, c.Cache)
	})
}

// C5: a cache that is closed during the look-ups calls no origin.
func TestC5_CloseDuringTheLookUpsOfAGetMany(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newManyShelved(t, config{StoreTimeout: time.Second})
		c.shelf.set(func(ctx context.Context, call string) error {
			if strings.HasPrefix(call, "get") {
				<-ctx.Done()
			}
			return nil
		})
		r := ask(func() (map[string]string, error) { return c.GetMany(bg, []string{"a", "b", "c"}) })
		require.True(t, r.waiting())
		require.NoError(t, c.Close(bg))
		require.False(t, r.waiting())
		require.ErrorIs(t, r.err, freshet.ErrClosed)
		require.Empty(t, c.bulks())
	})
}
