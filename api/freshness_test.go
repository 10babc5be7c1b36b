package api_test

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// Behaviour 30.
func TestF5_AgeEqualToTheTTLFetches(t *testing.T) {
	for _, ttl := range []time.Duration{1, time.Millisecond, time.Minute, 30 * 24 * time.Hour} {
		t.Run(ttl.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				o := counting()
				c := serve(t, o, config{Freshness: freshet.Freshness{TTL: ttl}})
				mustGet(t, c, "k", "v1")
				time.Sleep(ttl - 1)
				mustGet(t, c, "k", "v1")
				mustGet(t, c, "k", "v1", freshet.CachedOnly())
				s, _ := c.Peek("k")
				require.Equal(t, freshet.Fresh, s.State)
				time.Sleep(1)
				s, _ = c.Peek("k")
				require.Equal(t, freshet.Stale, s.State)
				_, err := c.Get(bg, "k", freshet.CachedOnly())
				require.ErrorIs(t, err, freshet.ErrNotCached)
				mustGet(t, c, "k", "v2")
				require.Equal(t, 2, o.calls())
			})
		})
	}
}

// The coarse clock of the hit path must not let a deadline pass, whether it is
// awake or asleep, and wherever between its ticks the TTL ends.
func TestF5_TheHitPathIsExact(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := counting()
		c := serve(t, o, config{})
		for i, ttl := range []time.Duration{
			time.Microsecond, 4999 * time.Microsecond, 5 * time.Millisecond, 26 * time.Millisecond,
			249 * time.Millisecond, 251 * time.Millisecond, 999 * time.Millisecond,
		} {
			key := strconv.Itoa(i)
			require.NoError(t, c.Put(bg, key, freshet.Response[string]{Value: "put", TTL: ttl}))
			end := time.Now().Add(ttl)
			for step := ttl / 7; time.Now().Add(step).Before(end); time.Sleep(step) {
				mustGet(t, c, key, "put")
			}
			time.Sleep(time.Until(end) - 1)
			mustGet(t, c, key, "put")
			time.Sleep(1)
			mustGet(t, c, key, "v1")
		}
	})
}

func TestF5_CountsFromTheApplyingLessAge(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{Freshness: freshet.Freshness{TTL: time.Minute}, Timeout: time.Hour})
		r := get(c, "k")
		time.Sleep(30 * time.Minute) // the call itself does not count
		o.call(t, 1).respond(freshet.Response[string]{Value: "v1", Age: 20 * time.Second})
		gives(t, r, "v1")
		s, _ := c.Peek("k")
		require.Equal(t, 20*time.Second, time.Since(s.At))
		time.Sleep(40*time.Second - 1)
		mustGet(t, c, "k", "v1")
		time.Sleep(1)
		r = get(c, "k")
		o.call(t, 2).respond(freshet.Response[string]{Value: "v2", Age: time.Hour}) // older than its TTL
		gives(t, r, "v2")
		_, err := c.Get(bg, "k", freshet.CachedOnly())
		require.ErrorIs(t, err, freshet.ErrNotCached)
	})
}

// Behaviour 6: TTL 0 is an honest setting.
func TestF5_ZeroIsForever(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := counting()
		c := serve(t, o, config{Freshness: freshet.Freshness{Jitter: 1, Ahead: 1}})
		mustGet(t, c, "k", "v1")
		require.NoError(t, c.Put(bg, "forever", freshet.Response[string]{Value: "f", TTL: freshet.Forever}))
		time.Sleep(10 * 365 * 24 * time.Hour)
		mustGet(t, c, "k", "v1")
		mustGet(t, c, "forever", "f")
		require.Equal(t, 1, o.calls())
	})
}

func TestF5_TheResponsesTTLOverrides(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ttls := map[string]time.Duration{"configured": 0, "own": time.Second, "forever": freshet.Forever, "not kept": -1}
		o := &origin{auto: func(_ int, r freshet.Request[string]) (freshet.Response[string], error) {
			return freshet.Response[string]{Value: "v", TTL: ttls[r.Key]}, nil
		}}
		c := serve(t, o, config{Freshness: freshet.Freshness{TTL: time.Minute}})
		for key := range ttls {
			mustGet(t, c, key, "v")
		}
		cached := func() (keys []string) {
			for _, key := range []string{"configured", "forever", "not kept", "own"} {
				if _, err := c.Get(bg, key, freshet.CachedOnly()); err == nil {
					keys = append(keys, key)
				}
			}
			return keys
		}
		require.Equal(t, []string{"configured", "forever", "own"}, cached())
		_, ok := c.Peek("not kept")
		require.False(t, ok)
		time.Sleep(time.Second)
		require.Equal(t, []string{"configured", "forever"}, cached())
		time.Sleep(time.Minute)
		require.Equal(t, []string{"forever"}, cached())
	})
}

func TestF5_JitterOnlyShortensAndIsDrawnOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const n = 400
		c := serve(t, counting(), config{Freshness: freshet.Freshness{TTL: 100 * time.Second, Jitter: 0.5}})
		for i := range n {
			mustGet(t, c, strconv.Itoa(i), "v1")
		}
		ends := make(map[int]int) // which second each TTL ended in
		ended := make(map[int]bool)
		for second := range 101 {
			for i := range n {
				_, err := c.Get(bg, strconv.Itoa(i), freshet.CachedOnly())
				if ended[i] {
					require.Error(t, err, "drawn anew")
				} else if err != nil {
					ended[i] = true
					ends[second]++
				}
			}
			time.Sleep(time.Second)
		}
		require.Len(t, ended, n)
		for second := range ends {
			require.Greater(t, second, 49, "shortened by more than its half")
		}
		require.Greater(t, len(ends), 25, "spread over the half: %v", ends)
	})
}

// Behaviour 5: a request slower than the TTL is not duplicated.
func TestF5_AFlightSlowerThanTheTTLIsOne(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{Freshness: freshet.Freshness{TTL: time.Second}})
		waiters := []*reply[string]{get(c, "k")}
		for range 5 {
			time.Sleep(time.Second)
			waiters = append(waiters, get(c, "k"))
		}
		o.call(t, 1).value("v")
		for _, w := range waiters {
			gives(t, w, "v")
		}
		mustGet(t, c, "k", "v")
		require.Equal(t, 1, o.calls())
	})
}

func TestF6_StaleIsServedWhileOneRefreshFlies(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{Freshness: freshet.Freshness{TTL: time.Minute, Stale: time.Minute}})
		require.NoError(t, c.Set(bg, "k", "old"))
		time.Sleep(time.Minute)
		mustGet(t, c, "k", "old", freshet.CachedOnly())
		require.Zero(t, o.calls(), "CachedOnly flies nothing (F10)")
		for range 10 {
			mustGet(t, c, "k", "old")
		}
		require.Equal(t, 1, o.calls())
		s, err := c.Lookup(bg, "k")
		require.NoError(t, err)
		require.Equal(t, freshet.Stale, s.State)
		require.True(t, s.Loading)
		require.NoError(t, o.call(t, 1).ctx.Err())
		o.call(t, 1).fail(errOrigin)
		synctest.Wait()
		mustGet(t, c, "k", "old") // a failed refresh takes nothing away
		o.call(t, 2).value("new")
		synctest.Wait()
		mustGet(t, c, "k", "new")
		require.Equal(t, 2, o.calls())
		require.EqualValues(t, 13, c.Stats().StaleHits)

		time.Sleep(2*time.Minute - 1)
		mustGet(t, c, "k", "new")
		o.call(t, 3).fail(errOrigin)
		synctest.Wait()
		time.Sleep(1) // the window is over
		r := get(c, "k")
		require.True(t, r.waiting())
		o.call(t, 4).value("newest")
		gives(t, r, "newest")
	})
}

func TestF7_StaleIfError(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{Freshness: freshet.Freshness{TTL: time.Minute, StaleOnError: time.Hour}})
		require.NoError(t, c.Set(bg, "k", "old"))
		events := watch(t, c)
		time.Sleep(time.Minute)
		r, f := get(c, "k"), c.Fetch(bg, "k")
		require.True(t, r.waiting(), "not F6: it waits for the flight")
		o.call(t, 1).fail(errOrigin)
		gives(t, r, "old")
		settled(t, f, "old")
		s, ok := c.Peek("k")
		require.True(t, ok)
		require.Equal(t, "old", s.Value)
		require.Equal(t, freshet.Stale, s.State)
		require.ErrorIs(t, s.Err, errOrigin)
		es := events.take()
		require.Len(t, es, 1)
		require.Equal(t, "Failed", es[0].Kind.String())
		require.ErrorIs(t, es[0].Err, errOrigin)
		require.Equal(t, "old", *es[0].After)

		time.Sleep(time.Hour - 1)
		r = get(c, "k")
		o.call(t, 2).fail(errOrigin)
		gives(t, r, "old")
		r = get(c, "k")
		time.Sleep(1) // it fails when the window is over
		o.call(t, 3).fail(errOrigin)
		failsWith(t, r, errOrigin)
	})
}

// Strict demands get the error; a plain Get beside them gets the old value.
func TestF7_StrictDemandsGetTheError(t *testing.T) {
	for name, strict := range map[string]freshet.FetchOption{"reload": freshet.ForceReload(), "max age": freshet.MaxAge(0)} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				o := &origin{}
				c := serve(t, o, config{Freshness: freshet.Freshness{TTL: time.Minute, StaleOnError: time.Hour}})
				require.NoError(t, c.Set(bg, "k", "old"))
				time.Sleep(time.Minute)
				plain := get(c, "k")
				require.Equal(t, 1, o.calls())
				r := get(c, "k", strict)
				o.call(t, o.calls()).fail(errOrigin)
				failsWith(t, r, errOrigin)
				gives(t, plain, "old")
			})
		})
	}
}

func TestF7_NeverBelowTheBarrier(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{auto: func(int, freshet.Request[string]) (freshet.Response[string], error) {
			return freshet.Response[string]{}, errOrigin
		}}
		c := serve(t, o, config{Freshness: freshet.Freshness{TTL: time.Minute, Stale: time.Hour, StaleOnError: time.Hour}})
		require.NoError(t, c.Set(bg, "k", "old"))
		require.NoError(t, c.Invalidate(bg, "k"))
		_, err := c.Get(bg, "k")
		require.ErrorIs(t, err, errOrigin)
		s, ok := c.Peek("k")
		require.True(t, ok)
		require.Equal(t, freshet.Stale, s.State)
		require.ErrorIs(t, s.Err, errOrigin)
	})
}

func TestF8_AHitInTheLastPartRefreshes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{Freshness: freshet.Freshness{TTL: 100 * time.Second, Ahead: 0.25}})
		require.NoError(t, c.Set(bg, "k", "old"))
		time.Sleep(75*time.Second - 1)
		mustGet(t, c, "k", "old")
		require.Zero(t, o.calls())
		time.Sleep(1)
		for range 5 {
			mustGet(t, c, "k", "old")
		}
		require.Equal(t, 1, o.calls(), "one refresh, in the background")
		s := c.Stats()
		require.EqualValues(t, 6, s.Hits, "the hit stays a hit")
		require.Zero(t, s.Misses+s.StaleHits)
		o.call(t, 1).fail(errOrigin)
		synctest.Wait()
		mustGet(t, c, "k", "old")
		o.call(t, 2).value("new")
		synctest.Wait()
		time.Sleep(74 * time.Second)
		mustGet(t, c, "k", "new")
		require.Equal(t, 2, o.calls())
	})
}

// A demand that ended before it began starts nothing, but memory answers it.
func TestF8_AContextThatHasEndedStartsNoRefresh(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{Freshness: freshet.Freshness{TTL: 100 * time.Second, Ahead: 1, Stale: time.Hour}})
		require.NoError(t, c.Set(bg, "k", "old"))
		ended, cancel := context.WithCancel(bg)
		cancel()
		_, err := c.Get(ended, "cold")
		require.ErrorIs(t, err, context.Canceled)
		time.Sleep(200 * time.Second)
		v, err := c.Get(ended, "k", freshet.MaxAge(time.Hour))
		require.NoError(t, err)
		require.Equal(t, "old", v)
		require.Zero(t, o.calls())
	})
}
