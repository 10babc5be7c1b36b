package streams_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/streams"
)

func TestS12_AWatcherOnNothingLearnsProgress(t *testing.T) { // behaviour 39
	for history, every := range map[int]int{8: 2, 400: 100, 8000: 1000} {
		for _, opt := range []streams.Option{streams.Prefix("none"), streams.Kinds(streams.Failed), streams.Keys("none")} {
			c := newToy(t, streams.LogConfig[int]{History: history})
			s := subscribe(t, c, opt)
			for range 10 {
				for i := range every {
					c.set("k", i)
				}
				e := next(t, s)
				require.Equal(t, streams.Bookmark, e.Kind)
				require.Equal(t, c.Revision(), e.Revision)
				require.Equal(t, e.Token(), s.Token())
				resumed := subscribe(t, c, opt, streams.Since(s.Token()))
				resumed.Close()
			}
		}
	}
}

func TestS12_AnIdleSubscriberIsToldEvery30Seconds(t *testing.T) {
	for _, opts := range [][]streams.Option{nil, {streams.Keys("none")}, {streams.Prefix("none")}} {
		synctest.Test(t, func(t *testing.T) {
			c := newToy(t, streams.LogConfig[int]{})
			s := subscribe(t, c, opts...)
			defer s.Close()
			begin := time.Now()
			for i := range 3 {
				if len(opts) > 0 {
					c.set("k", i) // too few to be worth a word before
				}
				e := next(t, s)
				require.Equal(t, streams.Bookmark, e.Kind)
				require.Equal(t, c.Revision(), e.Revision)
				require.Equal(t, time.Duration(i+1)*30*time.Second, time.Since(begin))
			}
			// Waits that are shorter add up.
			begin = time.Now()
			for time.Since(begin) < 25*time.Second {
				wait, cancel := contextFor(t, time.Second)
				_, err := s.Next(wait)
				require.Error(t, err)
				cancel()
			}
			require.Equal(t, streams.Bookmark, next(t, s).Kind)
			require.Equal(t, 30*time.Second, time.Since(begin))
		})
	}
}

func TestS12_TheTokenOfAnIdleSubscriptionToKeysIsAlwaysGood(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{History: 16})
	s := subscribe(t, c, streams.Keys("quiet", "still"))
	for i := range 1000 {
		c.set("busy", i)
		resumed, err := c.Subscribe(t.Context(), streams.Keys("quiet", "still"), streams.Since(s.Token()))
		require.NoError(t, err)
		resumed.Close()
	}
	want := c.set("quiet", 1)
	token := s.Token()
	require.Equal(t, want, next(t, s).Revision)
	require.Equal(t, want, next(t, subscribe(t, c, streams.Keys("quiet"), streams.Since(token))).Revision)
}

func TestS12_TheTokenOfASleepingSubscriptionToKeysIsAlwaysGood(t *testing.T) {
	for _, keys := range [][]string{{"a"}, {"a", "b"}, {"a", "b", "c", "d"}} {
		synctest.Test(t, func(t *testing.T) {
			c := newToy(t, streams.LogConfig[int]{History: 16})
			s := subscribe(t, c, streams.Keys(keys...))
			go func() {
				for e := range s.Events() {
					assert.NotEqual(t, "busy", e.Key)
				}
			}()
			synctest.Wait()
			for range 3 {
				c.set("a", 1)
				synctest.Wait()
				for i := range 100 { // none of these wakes it
					c.set("busy", i)
				}
				synctest.Wait()
				require.Equal(t, c.Revision(), s.Revision())
				require.Zero(t, s.Lag())
				resumed, err := c.Subscribe(t.Context(), streams.Keys(keys...), streams.Since(s.Token()))
				require.NoError(t, err)
				resumed.Close()
			}
			s.Close()
			synctest.Wait()
		})
	}
}

func TestS12_TheTokenOfAResumedSubscriptionToKeysIsAlwaysGood(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{History: 16})
	token := subscribe(t, c, streams.Keys("quiet")).Token()
	c.set("busy", 0)
	s := subscribe(t, c, streams.Keys("quiet"), streams.Since(token))
	for i := range 100 {
		c.set("busy", i)
	}
	require.Equal(t, c.Revision(), s.Revision(), "nothing of its key has happened")
	want := c.set("quiet", 1)
	resumed := subscribe(t, c, streams.Keys("quiet"), streams.Since(s.Token()))
	require.Equal(t, want, next(t, resumed).Revision)
	require.Equal(t, want, next(t, s).Revision)
}

func TestAtOfControlEventsIsOfTheCachesClock(t *testing.T) {
	at := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	c := newToy(t, streams.LogConfig[int]{Now: func() time.Time { return at }})
	require.Equal(t, at, next(t, subscribe(t, c, streams.WithSnapshot())).At)
}
