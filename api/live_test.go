package api_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/streams"
)

// live observes keys until the test, or the returned function, ends it.
func live(t *testing.T, c *freshet.Cache[string], opts ...streams.Option) (stop func()) {
	t.Helper()
	s, err := c.Watch(bg, append([]streams.Option{streams.Live()}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return func() { s.Close(); synctest.Wait() }
}

func TestS11_AnObservedKeyIsFetchedKeptFreshAndLetGo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := counting()
		c := serve(t, o, config{Freshness: freshet.Freshness{TTL: time.Minute}})
		events, err := c.Watch(bg, streams.Keys("a"), streams.Kinds(streams.Loaded, streams.Updated, streams.Expired, streams.Invalidated))
		require.NoError(t, err)
		defer events.Close()

		stop := live(t, c, streams.Keys("a"))
		require.Equal(t, 1, o.calls(), "it was absent")
		time.Sleep(time.Minute)
		require.Equal(t, 2, o.calls(), "its TTL ended")
		require.NoError(t, c.Invalidate(bg, "a"))
		require.Equal(t, 3, o.calls(), "it was invalidated")
		mustGet(t, c, "a", "v3")
		require.Equal(t, 3, o.calls())

		stop()
		time.Sleep(time.Hour)
		require.Equal(t, 3, o.calls(), "nobody observes it any more")

		var kinds []streams.Kind
		for range 6 {
			e, err := events.Next(bg)
			require.NoError(t, err)
			kinds = append(kinds, e.Kind)
		}
		require.Equal(t, []streams.Kind{
			streams.Loaded, streams.Expired, streams.Updated, streams.Invalidated, streams.Updated,
			streams.Bookmark, // it is idle, and nothing else came
		}, kinds)
	})
}

func TestS11_AThousandObserversOfOneKeyCostOneFlight(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := counting()
		c := serve(t, o, config{Freshness: freshet.Freshness{TTL: time.Minute}})
		var stops []func()
		for range 1000 {
			stops = append(stops, live(t, c, streams.Keys("a")))
		}
		require.Equal(t, 1, o.calls())
		time.Sleep(time.Minute)
		require.Equal(t, 2, o.calls())
		for _, stop := range stops[1:] {
			stop()
		}
		time.Sleep(time.Minute)
		require.Equal(t, 3, o.calls(), "one still observes")
	})
}

func TestS11_RefreshFetchesAgainThoughItIsFreshATenthEarlierAtMost(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := counting()
		c := serve(t, o, config{})
		live(t, c, streams.Keys("a"), streams.Refresh(10*time.Second))
		require.Equal(t, 1, o.calls())
		time.Sleep(9*time.Second - 1)
		require.Equal(t, 1, o.calls())
		time.Sleep(time.Second + 1)
		require.Equal(t, 2, o.calls())
		time.Sleep(90 * time.Second)
		require.InDelta(t, 11.5, o.calls(), 1)
	})
}

func TestS11_M2_AnObservedKeyIsNotEvicted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := counting()
		c := serve(t, o, config{MaxEntries: 2})
		stop := live(t, c, streams.Keys("a"))
		for _, key := range keysOf(50) {
			mustGet(t, c, key, "v1")
		}
		synctest.Wait()
		require.Equal(t, 2, c.Len())
		_, resident := c.Peek("a")
		require.True(t, resident)
		stop()
		for _, key := range keysOf(50) {
			_, err := c.Get(bg, key)
			require.NoError(t, err)
		}
		_, resident = c.Peek("a")
		require.False(t, resident, "let go when the last observer left")
	})
}

func TestS11_AFailingOriginIsAskedLessAndLessOften(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{auto: func(int, freshet.Request[string]) (freshet.Response[string], error) {
			return freshet.Response[string]{}, errOrigin
		}}
		c := serve(t, o, config{})
		live(t, c, streams.Keys("a"))
		time.Sleep(time.Hour)
		require.InDelta(t, 65, o.calls(), 5, "after 1, 2, 4, ... s, then every minute")
	})
}

func TestS6_S7_WhatIsPublishedRightAfterWatchIsDeliveredAndVisible(t *testing.T) {
	for range 500 {
		c := open(t, config{Name: "s6", Source: counting()})
		sub, err := c.Watch(bg)
		require.NoError(t, err)
		observable := c.Observe()
		require.NoError(t, c.Set(bg, "a", "v"))

		e, err := sub.Next(bg)
		require.NoError(t, err)
		require.Equal(t, streams.Loaded, e.Kind)
		require.Equal(t, streams.ReasonSet, e.Reason)
		snapshot, _ := c.Peek("a")
		require.GreaterOrEqual(t, snapshot.Revision, e.Revision)

		ctx, cancel := context.WithCancel(bg)
		item := <-observable.Observe(rxgo.WithContext(ctx))
		require.Equal(t, e.Revision, item.V.(streams.Event[string]).Revision)
		cancel()
		sub.Close()
		require.NoError(t, c.Close(bg))
	}
}
