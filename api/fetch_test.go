package api_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

func TestF0_TheFirstThatAppliesAnswers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{deaf: true}
		c := serve(t, o, config{Reload: freshet.ReloadQueue})
		first := c.Fetch(bg, "k") // (d) it takes off
		require.Equal(t, 1, o.calls())
		require.Same(t, first, c.Fetch(bg, "k")) // (b) the flight in the air
		require.Equal(t, 1, o.calls())
		queued := c.Reload(bg, "k")
		require.NotSame(t, first, queued)
		require.Same(t, queued, c.Reload(bg, "k")) // (c) the queued follow-up
		require.Equal(t, 1, o.calls())
		require.Same(t, first, c.Fetch(bg, "k"), "the flight in the air is admissible still")
		require.NoError(t, c.Invalidate(bg, "k"))
		require.Same(t, queued, c.Fetch(bg, "k"), "below the barrier: the follow-up is what is left")
		o.call(t, 1).value("v1")
		settled(t, first, "v1")
		o.call(t, 2).value("v2")
		settled(t, queued, "v2")
		require.Same(t, queued, c.Fetch(bg, "k")) // (a) the settled one
		require.Equal(t, 2, o.calls())
	})
}

// Behaviour 14.
func TestF1_AThousandCallersShareOneFuture(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{})
		futures := make([]*freshet.Future[string], 1000)
		var wg sync.WaitGroup
		for i := range futures {
			wg.Go(func() { futures[i] = c.Fetch(bg, "k") })
		}
		wg.Wait()
		for _, f := range futures {
			require.Same(t, futures[0], f)
		}
		pending(t, futures[0])
		o.call(t, 1).value("v")
		settled(t, futures[0], "v")
		require.Equal(t, 1, o.calls())
		s := c.Stats()
		require.EqualValues(t, 1, s.Misses)
		require.EqualValues(t, 999, s.Coalesced)
	})
}

// Behaviours 14, 15, 16 and 24: the stampede, with half of the callers leaving,
// the first included.
func TestF1_AStampedeWhoseFirstCallerLeavesIsOneCall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{})
		events := watch(t, c)
		leaving, leave := context.WithCancel(bg)
		first := ask(func() (string, error) { return c.Get(leaving, "k") })
		require.Equal(t, 1, o.calls())
		stay, gone := []*reply[string]{}, []*reply[string]{first}
		for i := range 999 {
			if i%2 == 0 {
				gone = append(gone, ask(func() (string, error) { return c.Get(leaving, "k") }))
			} else {
				stay = append(stay, get(c, "k"))
			}
		}
		synctest.Wait()
		leave()
		for _, r := range gone {
			failsWith(t, r, context.Canceled)
		}
		require.NoError(t, o.call(t, 1).ctx.Err(), "the flight goes on for the rest")
		o.call(t, 1).value("v")
		for _, r := range stay {
			gives(t, r, "v")
		}
		mustGet(t, c, "k", "v")
		require.Equal(t, 1, o.calls())
		events.tells(t, "Loaded ->v flight")
	})
}

func TestF1_ThoseSupersededAreInTheGroup(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{})
		f := c.Fetch(bg, "k")
		require.Equal(t, 1, o.calls())
		require.Same(t, f, c.Reload(bg, "k"))
		require.Equal(t, 2, o.calls())
		require.NoError(t, c.Invalidate(bg, "k"))
		require.Same(t, f, c.Fetch(bg, "k"))
		require.Equal(t, 3, o.calls())
		o.call(t, 3).value("v3")
		settled(t, f, "v3")
	})
}

func TestF2_AHitIsTheSettledFuture(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := counting()
		c := serve(t, o, config{Freshness: freshet.Freshness{TTL: time.Hour}})
		f := c.Fetch(bg, "k")
		settled(t, f, "v1")
		require.NotZero(t, f.Seq())
		for range 3 {
			time.Sleep(19 * time.Minute)
			require.Same(t, f, c.Fetch(bg, "k"))
		}
		<-f.Done()
		v, err := f.Await(nil) //nolint:staticcheck // a nil context does not end
		require.NoError(t, err)
		require.Equal(t, "v1", v)
		require.Equal(t, 1, o.calls())
	})
}

func TestF2_AHitAllocatesNothing(t *testing.T) {
	for name, ttl := range map[string]time.Duration{"forever": 0, "an hour": time.Hour} {
		t.Run(name, func(t *testing.T) {
			c := open(t, freshet.Config[string]{
				Source:    freshet.Func(func(context.Context, string) (string, error) { return "v", nil }),
				Freshness: freshet.Freshness{TTL: ttl},
			})
			_, err := c.Get(bg, "k")
			require.NoError(t, err)
			require.Zero(t, testing.AllocsPerRun(1000, func() { _, _ = c.Get(bg, "k") }), "Get")
			require.Zero(t, testing.AllocsPerRun(1000, func() { _ = c.Fetch(bg, "k") }), "Fetch")
		})
	}
}

// Behaviours 1, 2 and 21.
func TestF3_AFailureSettlesEveryWaiter(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{})
		events := watch(t, c)
		waiters := []*reply[string]{get(c, "k"), get(c, "k")}
		future := c.Fetch(bg, "k")
		require.Equal(t, 1, o.calls())
		reload := c.Reload(bg, "k") // the old waiters settle with it, though it fails
		waiters = append(waiters, get(c, "k"))
		o.call(t, 2).fail(errOrigin)
		for _, w := range waiters {
			failsWith(t, w, errOrigin)
			var fe *freshet.FetchError
			require.ErrorAs(t, w.err, &fe)
			require.Equal(t, "test", fe.Cache)
			require.Equal(t, "k", fe.Key)
			require.Equal(t, o.call(t, 2).Seq, fe.Seq)
		}
		for _, f := range []*freshet.Future[string]{future, reload} {
			_, err := f.Result()
			require.ErrorIs(t, err, errOrigin)
			require.Equal(t, o.call(t, 2).Seq, f.Seq())
		}
		s, ok := c.Peek("k")
		require.True(t, ok)
		require.Equal(t, freshet.Failed, s.State)
		require.ErrorIs(t, s.Err, errOrigin)
		for _, e := range events.take() {
			require.Contains(t, []string{"Failed", "Dropped"}, e.Kind.String())
		}
		// It is not remembered: the next demand flies again, and the key is well.
		again := get(c, "k")
		o.call(t, 3).value("v3")
		gives(t, again, "v3")
		s, _ = c.Peek("k")
		require.Equal(t, freshet.Fresh, s.State)
		require.NoError(t, s.Err)
	})
}

func TestF3_AFailedReloadLeavesTheFreshValue(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{})
		require.NoError(t, c.Set(bg, "k", "good"))
		reload := get(c, "k", freshet.ForceReload())
		o.call(t, 1).fail(errOrigin)
		failsWith(t, reload, errOrigin)
		mustGet(t, c, "k", "good")
		s, err := c.Lookup(bg, "k")
		require.NoError(t, err)
		require.Equal(t, freshet.Fresh, s.State)
		require.ErrorIs(t, s.Err, errOrigin, "the snapshot tells of the failure")
		require.Equal(t, 1, o.calls())
	})
}

func TestF3_AFailureIsRememberedForFailure(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{auto: func(n int, _ freshet.Request[string]) (freshet.Response[string], error) {
			return freshet.Response[string]{}, fmt.Errorf("failure %d: %w", n, errOrigin)
		}}
		c := serve(t, o, config{Freshness: freshet.Freshness{Failure: time.Second}})
		_, first := c.Get(bg, "k")
		require.ErrorContains(t, first, "failure 1")
		time.Sleep(time.Second - 1)
		_, err := c.Get(bg, "k")
		require.Equal(t, first, err, "the remembered one")
		_, err = c.Fetch(bg, "k").Result()
		require.Equal(t, first, err)
		_, err = c.Get(bg, "k", freshet.ForceReload())
		require.ErrorContains(t, err, "failure 2", "a reload is not put off")
		time.Sleep(time.Second)
		_, err = c.Get(bg, "k")
		require.ErrorContains(t, err, "failure 3", "as long as Failure is past it")
	})
}

// Behaviour 22: a missing record is not a failure.
func TestF4_NotFoundIsMissing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{auto: func(n int, _ freshet.Request[string]) (freshet.Response[string], error) {
			return freshet.Response[string]{}, fmt.Errorf("404 number %d: %w", n, freshet.ErrNotFound)
		}}
		c := serve(t, o, config{Freshness: freshet.Freshness{
			TTL: time.Hour, Missing: time.Minute, Stale: time.Hour, StaleOnError: time.Hour,
		}})
		events := watch(t, c)
		require.NoError(t, c.Set(bg, "k", "old"))
		events.tells(t, "Loaded ->old set")
		_, err := c.Get(bg, "k", freshet.MaxAge(0))
		require.ErrorIs(t, err, freshet.ErrNotFound)
		require.ErrorContains(t, err, "404 number 1")
		events.tells(t, "Missing old>- flight")
		_, err = c.Get(bg, "k")
		require.ErrorContains(t, err, "404 number 1", "the old value does not come back, and it is remembered")
		s, ok := c.Peek("k")
		require.True(t, ok)
		require.Equal(t, freshet.Missing, s.State)
		require.ErrorIs(t, s.Err, freshet.ErrNotFound)
		require.Empty(t, s.Value)
		time.Sleep(time.Minute - 1)
		_, err = c.Get(bg, "k")
		require.ErrorContains(t, err, "404 number 1")
		time.Sleep(1)
		_, err = c.Get(bg, "k")
		require.ErrorContains(t, err, "404 number 2")
		require.Zero(t, c.Stats().Failures)
	})
}

func TestF4_MissingZeroIsNotRemembered(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{auto: func(int, freshet.Request[string]) (freshet.Response[string], error) {
			return freshet.Response[string]{Value: "ignored"}, freshet.ErrNotFound
		}}
		c := serve(t, o, config{})
		for n := range 3 {
			_, err := c.Get(bg, "k")
			require.True(t, errors.Is(err, freshet.ErrNotFound))
			require.Equal(t, n+1, o.calls())
		}
		_, err := c.Get(bg, "k", freshet.CachedOnly())
		require.ErrorIs(t, err, freshet.ErrNotCached)
	})
}
