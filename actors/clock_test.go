package actors

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

func TestClock_SleepsAfterABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewClock()
		require.False(t, before(c, lifecycle.Instant(time.Hour)), "asleep it is certain of nothing")
		c.wake()
		require.True(t, before(c, lifecycle.Instant(time.Hour)))
		time.Sleep(clockBurst * clockTick / 2)
		c.wake() // awake: nothing happens
		require.True(t, before(c, lifecycle.Instant(time.Hour)))
		time.Sleep(clockBurst * clockTick)
		require.EqualValues(t, int64(asleep), c.coarse.Load(), "no timer for ever")
		require.False(t, c.timer.Stop(), "none at all")

		c.wake()
		require.True(t, before(c, lifecycle.Instant(time.Hour)), "and it wakes again")
		c.Close()
		require.False(t, before(c, lifecycle.Instant(time.Hour)))
		c.wake()
		require.EqualValues(t, int64(asleep), c.coarse.Load(), "closed for good")
		require.False(t, c.timer.Stop())
		start := c.Now()
		time.Sleep(time.Second)
		require.Equal(t, lifecycle.Instant(time.Second), c.Now()-start, "the exact clock goes on")
	})
}

// The coarse clock never says before what is not, and is of use until shortly
// before a deadline.
func TestClock_NeverLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewClock()
		defer c.Close()
		for deadline := c.Now() + lifecycle.Instant(200*time.Millisecond); c.Now() < 2*deadline; {
			c.wake()
			left := time.Duration(deadline - c.Now())
			switch before := before(c, deadline); {
			case before && left <= 0:
				t.Fatalf("%v after the deadline it says before", -left)
			case !before && left > clockSlack:
				t.Fatalf("%v before the deadline it does not say so", left)
			}
			time.Sleep(700 * time.Microsecond)
		}
	})
}

// before says what a hit makes of the coarse clock.
func before(c *Clock, deadline lifecycle.Instant) bool { return c.coarse.Load() < int64(deadline) }

// F5 to the nanosecond, through the coarse clock.
func TestClock_AHitEndsWithItsTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		table := testTable(t, Config[int]{Freshness: Freshness{TTL: time.Second}}, func(context.Context, string) (int, error) {
			calls++
			return calls, nil
		})
		get := func() int {
			v, err := table.Get(context.Background(), "k")
			require.NoError(t, err)
			return v
		}
		for range 999 {
			require.Equal(t, 1, get())
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Millisecond - 1)
		require.Equal(t, 1, get(), "1 ns before the end")
		time.Sleep(1)
		require.Equal(t, 2, get(), "equal is stale")
		time.Sleep(time.Hour) // asleep by now
		require.Equal(t, 3, get())
	})
}
