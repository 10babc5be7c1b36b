package streams_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/streams"
)

// TestS10_LeavingWaitsForSourcesThatHaveHardlyBegun leaves at the first event, when other sources have not come so far as
// to say how they are interrupted.
func TestS10_LeavingWaitsForSourcesThatHaveHardlyBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newToy(t, streams.LogConfig[int]{})
		tardy := func(s seq) seq {
			return func(yield func(event, error) bool) {
				time.Sleep(time.Millisecond)
				s(yield)
			}
		}
		for range 20 {
			a, b, d := subscribe(t, c), subscribe(t, c), subscribe(t, c)
			c.set("k", 1)
			_, err := take(streams.Merge(tardy(a.Events()), streams.Merge(tardy(b.Events())), d.Events()), 1)
			require.NoError(t, err)
			for _, s := range []*streams.Subscription[int]{a, b, d} {
				require.ErrorIs(t, s.Err(), streams.ErrClosed)
			}
			require.Zero(t, c.Stats().Subscriptions)
		}
	})
}

// TestS10_LeavingMergeHasClosedEverySubscription is the same with sources that the scheduler alone holds up.
func TestS10_LeavingMergeHasClosedEverySubscription(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{})
	for range 100 {
		a, b, d := subscribe(t, c), subscribe(t, c), subscribe(t, c)
		c.set("k", 1)
		_, err := take(streams.Merge(a.Events(), b.Events(), d.Events()), 1)
		require.NoError(t, err)
		require.Zero(t, c.Stats().Subscriptions)
	}
}

// TestS10_LeavingCostsTheSameHoweverManySourcesAreSilent is about sources that are none of ours: they cannot be told.
func TestS10_LeavingCostsTheSameHoweverManySourcesAreSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newToy(t, streams.LogConfig[int]{})
		free := make(chan struct{})
		defer close(free)
		silent := func(func(event, error) bool) { <-free }
		sources := []seq{subscribe(t, c).Events()}
		for range 50 {
			sources = append(sources, streams.Debounce(silent, time.Second))
		}
		c.set("k", 1)
		began := time.Now()
		_, err := take(streams.Merge(sources...), 1)
		require.NoError(t, err)
		require.LessOrEqual(t, time.Since(began), 20*time.Millisecond)
	})
}
