package api_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// What is remembered of a failure may outlast the time in which the old value
// carries on: then it is the error that is remembered, not the old value that the
// failed flight settled with.
func TestF3_AFailureIsRememberedBeyondTheOldValue(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{Freshness: freshet.Freshness{
			TTL: time.Second, StaleOnError: 10 * time.Second, Failure: time.Minute,
		}})
		first := get(c, "k")
		o.call(t, 1).value("old")
		gives(t, first, "old")
		time.Sleep(2 * time.Second)
		second := get(c, "k")
		o.call(t, 2).fail(errOrigin)
		gives(t, second, "old") // F7
		time.Sleep(9*time.Second - 1)
		mustGet(t, c, "k", "old") // quiet, and 1 ns within F7
		time.Sleep(1)
		_, err := c.Get(bg, "k")
		require.ErrorIs(t, err, errOrigin)
		require.Equal(t, 2, o.calls())
		time.Sleep(51 * time.Second)
		third := get(c, "k") // the minute is over
		o.call(t, 3).value("new")
		gives(t, third, "new")
	})
}

// A failure that is remembered is knowledge from before the invalidation too.
func TestO6_AnInvalidationForgetsARememberedFailure(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{Freshness: freshet.Freshness{Failure: time.Hour}})
		for i, held := range []string{"", "v1"} {
			if held != "" {
				require.NoError(t, c.Set(bg, "k", held))
				require.NoError(t, c.Invalidate(bg, "k"))
			}
			failing := get(c, "k")
			o.call(t, 2*i+1).fail(errOrigin)
			failsWith(t, failing, errOrigin)
			_, err := c.Get(bg, "k")
			require.ErrorIs(t, err, errOrigin)
			require.Equal(t, 2*i+1, o.calls(), "it is remembered")
			require.NoError(t, c.Invalidate(bg, "k"))
			again := get(c, "k")
			o.call(t, 2*i+2).value("v")
			gives(t, again, "v")
		}
	})
}

// A reload is strict in the follow-up as well, and the follow-up alone: the flight
// before it was a plain demand's.
func TestF7_AQueuedReloadGetsTheError(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{Reload: freshet.ReloadQueue, Freshness: freshet.Freshness{
			TTL: time.Second, StaleOnError: time.Hour,
		}})
		require.NoError(t, c.Set(bg, "k", "old"))
		time.Sleep(time.Minute)
		plain := get(c, "k")
		o.calls()
		reload := c.Reload(bg, "k")
		o.call(t, 1).fail(errOrigin)
		gives(t, plain, "old")
		pending(t, reload)
		o.call(t, 2).fail(errOrigin)
		o.calls()
		_, err := reload.Result()
		require.ErrorIs(t, err, errOrigin)
	})
}
