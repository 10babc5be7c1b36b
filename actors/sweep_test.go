package actors

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSweep_ByAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := testTable(t, Config[int]{Freshness: Freshness{TTL: time.Minute, Stale: time.Minute}}, nil)
		for i := range 3 * sweepStep {
			_, err := table.Get(context.Background(), fmt.Sprint("k", i))
			require.NoError(t, err)
		}
		require.NoError(t, table.Put(context.Background(), "for ever", Response[int]{Value: 1, TTL: Forever}))
		release, err := table.observe([]string{"observed"}, 0)
		require.NoError(t, err)
		// Useless after the TTL and Stale; kept for a TTL and Retention more.
		time.Sleep(3*time.Minute + Retention - sweepEvery)
		synctest.Wait()
		require.Equal(t, 3*sweepStep+2, table.Len(), "a validator may still be of use")
		time.Sleep(3 * sweepEvery)
		synctest.Wait()
		require.Equal(t, 2, table.Len())
		_, ok := table.Peek("for ever")
		require.True(t, ok)
		_, ok = table.Peek("observed")
		require.True(t, ok, "M2")
		require.Zero(t, table.Stats().Evictions, "those make room; this does not")

		release()
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		_, ok = table.Peek("observed")
		require.False(t, ok, "nobody observes it any more")
	})
}

// A cache that keeps for ever is never swept, and an idle one has no timer.
func TestSweep_RestsWhereNothingAges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := testTable(t, Config[int]{}, nil)
		_, err := table.Get(context.Background(), "k")
		require.NoError(t, err)
		require.False(t, table.sweeper.awake.Load())
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Empty(t, table.deadlines.heap)

		require.NoError(t, table.Put(context.Background(), "short", Response[int]{Value: 1, TTL: time.Second}))
		require.True(t, table.sweeper.awake.Load())
		require.NoError(t, table.Remove(context.Background(), "k", "short"))
		time.Sleep(30 * 24 * time.Hour)
		synctest.Wait()
		require.Zero(t, table.Len())
		require.False(t, table.sweeper.awake.Load())
		require.Empty(t, table.deadlines.heap)
	})
}
