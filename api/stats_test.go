package api_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// counted is a cache, its origin, and what its counters have to say: each step of
// a test says what it adds to want, and is compares.
func counted(t *testing.T) (c *freshet.Cache[string], o *origin, want *freshet.Stats, is func(step string)) {
	o, want = &origin{deaf: true}, &freshet.Stats{}
	c = serve(t, o, config{Freshness: freshet.Freshness{
		TTL: time.Minute, Stale: time.Minute, StaleOnError: time.Hour, Failure: time.Second, Missing: time.Second,
	}, MaxEntries: 2})
	is = func(step string) {
		t.Helper()
		synctest.Wait()
		require.Equal(t, *want, c.Stats(), step)
	}
	is("new")
	return c, o, want, is
}

func TestStats_DemandsAreExact(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, o, want, is := counted(t)
		first := get(c, "k")
		o.calls()
		want.Misses, want.Flights, want.InFlight, want.Resident = 1, 1, 1, 1
		is("a miss")

		second := get(c, "k")
		c.Fetch(bg, "k", freshet.MaxAge(0))
		want.Coalesced = 2
		is("two join")

		o.call(t, 1).value("v1")
		gives(t, first, "v1")
		gives(t, second, "v1")
		want.InFlight = 0
		is("it lands")

		mustGet(t, c, "k", "v1")
		mustGet(t, c, "k", "v1", freshet.CachedOnly())
		mustGet(t, c, "k", "v1", freshet.MaxAge(time.Minute))
		c.Fetch(bg, "k")
		_, _ = c.Lookup(bg, "k")
		_, _ = c.GetMany(bg, []string{"k", "k"})
		want.Hits = 6
		is("hits")
		_, _ = c.Peek("k")
		_, _ = c.Get(bg, "absent", freshet.CachedOnly())
		is("what neither hits nor flies")

		time.Sleep(time.Minute)
		mustGet(t, c, "k", "v1")
		o.calls()
		mustGet(t, c, "k", "v1")
		want.StaleHits, want.Flights, want.InFlight = 2, 2, 1
		is("a refresh that nobody waits for is no miss")
	})
}

func TestStats_TakeoversAreExact(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, o, want, is := counted(t)
		require.NoError(t, c.Set(bg, "k", "v1"))
		time.Sleep(time.Minute)
		mustGet(t, c, "k", "v1")
		want.StaleHits, want.Flights, want.InFlight, want.Resident = 1, 1, 1, 1
		is("a refresh")

		c.Reload(bg, "k")
		o.calls()
		want.Misses, want.Flights, want.Superseded, want.InFlight = 1, 2, 1, 2
		is("a reload takes over")

		o.call(t, 1).value("late")
		want.Dropped, want.InFlight = 1, 1
		is("the superseded one comes")

		o.call(t, 2).fail(errOrigin)
		want.Failures, want.InFlight = 1, 0
		is("a failure")

		c.Reload(bg, "k")
		o.calls()
		require.NoError(t, c.Set(bg, "k", "set"))
		want.Misses, want.Flights, want.Superseded, want.InFlight = 2, 3, 2, 1
		is("a set takes over")
		o.call(t, 3).fail(errors.New("nobody's business"))
		want.InFlight = 0
		is("and its failure does not count")
	})
}

func TestStats_AbsencesAndFailuresAreExact(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, o, want, is := counted(t)
		require.NoError(t, c.Set(bg, "k", "set"))
		want.Resident = 1
		is("a set is no demand")

		r := get(c, "gone")
		o.call(t, 1).fail(freshet.ErrNotFound)
		failsWith(t, r, freshet.ErrNotFound)
		_, _ = c.Get(bg, "gone")
		want.Misses, want.Flights, want.Hits, want.Resident = 1, 1, 1, 2
		is("an absence, remembered")

		r = get(c, "slow")
		o.calls()
		time.Sleep(10*time.Second + time.Millisecond)
		failsWith(t, r, freshet.ErrTimeout)
		want.Misses, want.Flights, want.Failures, want.InFlight, want.Evictions = 2, 2, 1, 1, 1
		is("a timeout is a failure, and its call is in the air still")
		_, err := c.Get(bg, "slow")
		require.ErrorIs(t, err, freshet.ErrTimeout)
		want.Hits = 2
		is("a failure, remembered")
		o.call(t, 2).value("too late")
		want.Dropped, want.InFlight = 1, 0
		is("its late response")
	})
}

func TestStats_SubscriptionsAreExact(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c, _, want, is := counted(t)
		sub, err := c.Watch(bg)
		require.NoError(t, err)
		want.Subscriptions = 1
		is("a subscription")
		sub.Close()
		want.Subscriptions = 0
		is("its end")
	})
}

// A flight that was taken over before the origin heard of it is none.
func TestStats_FlightsAreOriginCalls(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := counting()
		c := serve(t, o, config{})
		for i := range 100 {
			key := fmt.Sprint("k", i)
			c.Fetch(bg, key)
			c.Reload(bg, key)
			c.Fetch(bg, key+"set")
			require.NoError(t, c.Set(bg, key+"set", "v"))
		}
		require.EqualValues(t, o.calls(), c.Stats().Flights)
		require.Zero(t, c.Stats().InFlight)
	})
}

// All walks each key once, and the loop may use the cache and leave early.
func TestAll_EachKeyOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{})
		require.NoError(t, c.Set(bg, "a", "1"))
		require.NoError(t, c.Set(bg, "b", "2"))
		r := get(c, "missing")
		o.call(t, 1).fail(freshet.ErrNotFound)
		failsWith(t, r, freshet.ErrNotFound)
		loading := get(c, "loading")
		require.True(t, loading.waiting())
		require.Equal(t, 4, c.Len(), "what is loading counts")
		seen := map[string]freshet.State{}
		for key, s := range c.All() {
			require.NotContains(t, seen, key)
			require.Equal(t, key, s.Key)
			seen[key] = s.State
			require.NoError(t, c.Set(bg, key, "changed"))
			_, _ = c.Peek(key)
		}
		require.Equal(t, map[string]freshet.State{"a": freshet.Fresh, "b": freshet.Fresh, "missing": freshet.Missing}, seen)
		for range c.All() {
			break
		}
	})
}
