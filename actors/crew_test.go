package actors

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// C2: each flight ends at its own timeout, in whatever order they took off, and
// whether or not one that is over had the crew look later.
func TestC2_TheCrewSeesToEveryTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		table := testTable(t, Config[int]{Timeout: time.Hour}, func(_ context.Context, key string) (int, error) {
			if !strings.HasPrefix(key, "quick") {
				<-hang
			}
			return 1, nil
		})
		defer close(hang)
		get := func(key string, timeout time.Duration) {
			start := time.Now()
			_, err := table.Get(context.Background(), key, WithTimeout(timeout))
			if strings.HasPrefix(key, "quick") {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, ErrTimeout)
			require.Equal(t, timeout, time.Since(start), key)
		}
		get("quick, so nothing is left to look for", time.Second)
		time.Sleep(800 * time.Millisecond)
		get("as long as that, and later", time.Second)
		var all sync.WaitGroup
		for i, seconds := range []int{5, 3, 4, 1, 2, 4} {
			all.Go(func() { get(fmt.Sprint("hangs ", i), time.Duration(seconds)*time.Second) })
			synctest.Wait()
		}
		get("quick again", time.Millisecond)
		all.Wait()
		require.Equal(t, 7, table.Stats().InFlight, "sources go on")
		require.Empty(t, table.crew.overdue(table.clock.Now()), "each was told once")
	})
}

// M4: a burst leaves neither goroutines nor a long roster.
func TestM4_ACrewAfterABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const flights = 5 * leastShrink
		hang := make(chan struct{})
		table := testTable(t, Config[int]{}, func(context.Context, string) (int, error) { <-hang; return 1, nil })
		roster := func() (n, room int) {
			table.crew.mu.Lock()
			defer table.crew.mu.Unlock()
			return len(table.crew.roster), cap(table.crew.roster)
		}
		for i := range flights {
			table.Fetch(context.Background(), fmt.Sprint(i))
		}
		synctest.Wait()
		require.Equal(t, flights, table.Stats().InFlight)
		require.EqualValues(t, flights, table.crew.members.n.Load())
		close(hang)
		synctest.Wait()
		require.Zero(t, table.Stats().InFlight)
		require.EqualValues(t, crewIdle, table.crew.members.n.Load())
		n, room := roster()
		require.Equal(t, crewIdle, n)
		require.LessOrEqual(t, room, leastShrink)
		time.Sleep(crewRest + coalesce)
		synctest.Wait()
		require.Zero(t, table.crew.members.n.Load())
		n, _ = roster()
		require.Zero(t, n)
		_, err := table.Get(context.Background(), "one more")
		require.NoError(t, err)
		time.Sleep(crewRest + coalesce)
		synctest.Wait()
		require.Zero(t, table.crew.members.n.Load())
	})
}

// C5: a Close that nobody gives any time awaits those who have only to go.
func TestC5_AnIdleCrewIsNotLeftBehind(t *testing.T) {
	ended, end := context.WithCancel(context.Background())
	end()
	for range 100 {
		table := testTable(t, Config[int]{}, nil)
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() { _, _ = table.Get(context.Background(), fmt.Sprint(i)) })
		}
		all.Wait()
		for table.Stats().InFlight > 0 {
			runtime.Gosched()
		}
		require.NoError(t, table.Close(ended))
		require.Zero(t, table.crew.members.n.Load())
	}
}

// C5: who closes a second time and has no time left does not wait for the first
// Close, which waits for a write.
func TestC5_ASecondCloseDoesNotWaitForTheIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stores := make(chan struct{})
		table := testTable(t, Config[int]{Timeout: time.Hour, Writer: origin{update: func(_ context.Context, _ string, v int) (int, error) {
			<-stores
			return v, nil
		}}}, nil)
		go func() { _, _ = table.Update(context.Background(), "k", 5) }()
		_, err := table.Get(context.Background(), "another")
		require.NoError(t, err)
		synctest.Wait()
		go func() { _ = table.Close(context.Background()) }()
		synctest.Wait()
		ended, end := context.WithCancel(context.Background())
		end()
		start := time.Now()
		require.ErrorIs(t, table.Close(ended), context.Canceled)
		require.Zero(t, time.Since(start))
		close(stores)
		synctest.Wait()
	})
}

// C2: a bulk call of which one flight is left is that flight's own, and begins when
// those who were awaited have come, not when it took off.
func TestC2_ABulkOfOneHasItsWholeTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &slowShelf{&shelf{records: map[string]Record{}}}
		var left time.Duration
		table := testTable(t, Config[int]{Timeout: time.Second, Store: store, StoreTimeout: time.Hour, Codec: numerals{}}, nil)
		table.bulkSource = forgetful{}
		table.source = Func(func(ctx context.Context, _ string) (int, error) {
			until, _ := ctx.Deadline()
			left = time.Until(until)
			return 1, nil
		})
		ctx := context.Background()
		for _, key := range []string{"held", "slow"} {
			_, err := table.Get(ctx, key)
			require.NoError(t, err)
		}
		synctest.Wait()
		require.NoError(t, table.Invalidate(ctx, "held"))
		cellOf(t, table, "slow").send(&message[int]{op: opEvict})
		synctest.Wait()
		left = 0
		_, err := table.GetMany(ctx, []string{"held", "slow"})
		require.NoError(t, err)
		require.Equal(t, time.Second, left)
	})
}

// slowShelf takes longer to find a key than the origin may, in a bubble's time.
type slowShelf struct{ *shelf }

func (s *slowShelf) Get(ctx context.Context, key string) (Record, error) {
	r, err := s.shelf.Get(ctx, key)
	if err == nil && key == "slow" {
		time.Sleep(5 * time.Second)
	}
	return r, err
}

// Flights take members from one another, who lie down, are let go and are woken:
// none is lost, none flies twice.
func TestCrew_Stress(t *testing.T) {
	table := testTable(t, Config[int]{}, nil)
	stop := make(chan struct{})
	var others sync.WaitGroup
	others.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				table.crew.due()
				crewLimit[int]{&table.crew}.due()
			}
		}
	})
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 2000 {
				_, err := table.Get(context.Background(), fmt.Sprint(g, "/", i))
				assert.NoError(t, err)
			}
		})
	}
	all.Wait()
	close(stop)
	others.Wait()
	require.EqualValues(t, 16000, table.Stats().Flights)
}
