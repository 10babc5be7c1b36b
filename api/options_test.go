package api_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

func notFound[V any](context.Context, string) (v V, err error) { return v, freshet.ErrNotFound }

func TestF10_CachedOnlyNeverFliesAndJoinsNoFlight(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{Freshness: freshet.Freshness{TTL: time.Minute, Stale: time.Minute, StaleOnError: time.Hour}})
		cached := freshet.CachedOnly()
		_, err := c.Get(bg, "k", cached)
		require.ErrorIs(t, err, freshet.ErrNotCached)
		_, err = c.Lookup(bg, "k", cached)
		require.ErrorIs(t, err, freshet.ErrNotCached)
		_, err = c.Fetch(bg, "k", cached).Result()
		require.ErrorIs(t, err, freshet.ErrNotCached, "settled at once")
		_, err = c.GetMany(bg, []string{"k"}, cached)
		require.ErrorIs(t, err, freshet.ErrNotCached)
		require.Zero(t, o.calls())
		require.Zero(t, c.Len())

		r := get(c, "k")
		o.call(t, 1)
		_, err = c.Get(bg, "k", cached)
		require.ErrorIs(t, err, freshet.ErrNotCached)
		o.call(t, 1).value("v")
		gives(t, r, "v")
		mustGet(t, c, "k", "v", cached)
		time.Sleep(2*time.Minute - 1)
		mustGet(t, c, "k", "v", cached) // stale within F6
		require.Equal(t, 1, o.calls())
		time.Sleep(1)
		_, err = c.Get(bg, "k", cached)
		require.ErrorIs(t, err, freshet.ErrNotCached, "F7 needs a flight")
	})
}

func TestF10_MaxAgeAdmitsWhatIsYounger(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := counting()
		c := serve(t, o, config{Freshness: freshet.Freshness{TTL: time.Minute}})
		mustGet(t, c, "k", "v1")
		time.Sleep(10 * time.Minute) // long stale
		mustGet(t, c, "k", "v1", freshet.MaxAge(10*time.Minute+1))
		mustGet(t, c, "k", "v1", freshet.MaxAge(freshet.Forever))
		mustGet(t, c, "k", "v1", freshet.MaxAge(time.Hour), freshet.CachedOnly())
		require.EqualValues(t, 3, c.Stats().StaleHits)
		_, err := c.Get(bg, "k", freshet.MaxAge(10*time.Minute), freshet.CachedOnly())
		require.ErrorIs(t, err, freshet.ErrNotCached)
		mustGet(t, c, "k", "v2", freshet.MaxAge(10*time.Minute)) // age < d, equal is too old
		time.Sleep(30 * time.Second)                             // fresh
		mustGet(t, c, "k", "v3", freshet.MaxAge(30*time.Second))
		mustGet(t, c, "k", "v3")
		require.NoError(t, c.Invalidate(bg, "k"))
		mustGet(t, c, "k", "v4", freshet.MaxAge(time.Hour)) // never below the barrier
	})
}

// An absence is remembered as long as F4 says, however old it may be for the call.
func TestF10_MaxAgeAdmitsNoForgottenAbsence(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{Freshness: freshet.Freshness{Missing: time.Second}})
		first := get(c, "k")
		o.call(t, 1).fail(freshet.ErrNotFound)
		failsWith(t, first, freshet.ErrNotFound)
		time.Sleep(time.Second - 1)
		_, err := c.Get(bg, "k", freshet.MaxAge(time.Hour))
		require.ErrorIs(t, err, freshet.ErrNotFound)
		require.Equal(t, 1, o.calls())
		time.Sleep(1)
		again := get(c, "k", freshet.MaxAge(time.Hour))
		o.call(t, 2).value("v")
		gives(t, again, "v")
	})
}

// MaxAge(0) is a reload that may join what is in the air.
func TestF10_MaxAgeZeroJoinsAFlightInTheAir(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{})
		require.NoError(t, c.Set(bg, "k", "old"))
		f := c.Fetch(bg, "k", freshet.MaxAge(0))
		require.Equal(t, 1, o.calls())
		require.Same(t, f, c.Fetch(bg, "k", freshet.MaxAge(0)))
		require.Equal(t, 1, o.calls())
		mustGet(t, c, "k", "old")
		o.call(t, 1).value("new")
		settled(t, f, "new")
		r := get(c, "k", freshet.MaxAge(0))
		o.call(t, 2).value("newer")
		gives(t, r, "newer")
	})
}

func TestF10_BadOptionsFailTheirCallAlone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{})
		require.NoError(t, c.Set(bg, "k", "v"))
		for name, opts := range map[string][]freshet.FetchOption{
			"negative age":           {freshet.MaxAge(-1)},
			"negative timeout":       {freshet.WithTimeout(-time.Second)},
			"timeout of nothing":     {freshet.WithTimeout(0)},
			"reload and age":         {freshet.ForceReload(), freshet.MaxAge(time.Hour)},
			"age and reload":         {freshet.MaxAge(time.Hour), freshet.ForceReload()},
			"cached and reload":      {freshet.CachedOnly(), freshet.ForceReload()},
			"reload and cached":      {freshet.ForceReload(), freshet.CachedOnly()},
			"several things at once": {freshet.MaxAge(-1), freshet.WithTimeout(0), freshet.CachedOnly(), freshet.ForceReload()},
		} {
			_, err := c.Get(bg, "k", opts...)
			require.ErrorContains(t, err, "freshet: ", name)
			_, err = c.Lookup(bg, "k", opts...)
			require.Error(t, err, name)
			_, err = c.GetMany(bg, []string{"k"}, opts...)
			require.Error(t, err, name)
			_, err = c.Fetch(bg, "k", opts...).Await(bg)
			require.Error(t, err, name)
		}
		require.Zero(t, o.calls())
		mustGet(t, c, "k", "v", freshet.FetchOption{}) // the zero option changes nothing
		mustGet(t, c, "k", "v", freshet.MaxAge(time.Second), freshet.MaxAge(time.Hour), freshet.WithTimeout(time.Second))
	})
}

func TestF11_MaxFlightsBoundsTheOrigin(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{MaxFlights: 2})
		keys := []string{"a", "b", "c", "d", "e"}
		replies := []*reply[string]{}
		for _, key := range keys {
			replies = append(replies, get(c, key))
			o.calls() // so that they queue in this order
		}
		require.Equal(t, 2, o.calls())
		require.Equal(t, 2, c.Stats().InFlight)
		joined := get(c, "e") // a demand for what waits joins it
		for i, key := range keys {
			require.Equal(t, key, o.call(t, i+1).Key, "oldest first")
			o.call(t, i+1).value(key)
			gives(t, replies[i], key)
			require.Equal(t, min(i+3, len(keys)), o.calls())
		}
		gives(t, joined, "e")
		require.Zero(t, c.Stats().InFlight)
	})
}

// Sources that hang and ignore their context: each place is free again at the
// flight's timeout, and a flight's time begins when its origin call does.
func TestF11_HungSourcesHoldTheirPlaceUntilTheTimeout(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{deaf: true}
		c := serve(t, o, config{MaxFlights: 1, Timeout: 10 * time.Second})
		replies := map[string]*reply[string]{}
		for _, key := range []string{"a", "b", "c"} {
			replies[key] = get(c, key)
			o.calls()
		}
		for i, key := range []string{"a", "b"} {
			require.Equal(t, i+1, o.calls())
			time.Sleep(10*time.Second + time.Millisecond)
			failsWith(t, replies[key], freshet.ErrTimeout)
		}
		o.call(t, 3).value("c")
		gives(t, replies["c"], "c")
		require.Equal(t, 2, c.Stats().InFlight, "the hung ones still run")
	})
}

// What was given up while it waited for its turn never reaches the origin, and
// a reload keeps the place in the queue.
func TestF11_TheOriginIsSparedWhatIsNoLongerWanted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{MaxFlights: 1, AbortAbandoned: true})
		a := get(c, "a")
		o.calls()
		ctx, leave := context.WithCancel(bg)
		b := ask(func() (string, error) { return c.Get(ctx, "b") })
		o.calls()
		reloaded := get(c, "c")
		o.calls()
		d := get(c, "d")
		o.calls()
		e := get(c, "e")
		o.calls()
		c.Reload(bg, "c")
		require.NoError(t, c.Set(bg, "d", "set"))
		gives(t, d, "set")
		leave()
		failsWith(t, b, context.Canceled)
		o.call(t, 1).value("a")
		gives(t, a, "a")
		require.Equal(t, "c", o.call(t, 2).Key, "the reload took its place")
		o.call(t, 2).value("c")
		gives(t, reloaded, "c")
		require.Equal(t, "e", o.call(t, 3).Key)
		o.call(t, 3).value("e")
		gives(t, e, "e")
		require.Equal(t, 3, o.calls())
	})
}
