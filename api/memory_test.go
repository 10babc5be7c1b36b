package api_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/streams"
)

var instant = freshet.Func(func(_ context.Context, key string) (string, error) { return key, nil })

func TestM1_MaxEntriesHoldsExactlyOnceSettled(t *testing.T) {
	for _, most := range []int{1, 2, 7, 100} {
		t.Run(fmt.Sprint(most), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := open(t, config{Source: instant, MaxEntries: most})
				for i := range 5 * most {
					mustGet(t, c, fmt.Sprint("get", i), fmt.Sprint("get", i))
					require.NoError(t, c.Set(bg, fmt.Sprint("set", i), "v"))
					c.Fetch(bg, fmt.Sprint("fetch", i))
					_, _ = c.GetMany(bg, []string{fmt.Sprint("many", i)})
				}
				synctest.Wait()
				require.Equal(t, most, c.Len())
				require.Equal(t, most, c.Stats().Resident)
				n := 0
				for range c.All() {
					n++
				}
				require.Equal(t, most, n)
				require.EqualValues(t, 4*5*most-most, c.Stats().Evictions)
			})
		})
	}
}

func TestM1_UnderLoad(t *testing.T) {
	const most, goroutines = 1000, 8
	c := open(t, config{Source: instant, MaxEntries: most})
	var peak atomic.Int64
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := range 2000 {
				if _, err := c.Get(bg, fmt.Sprint(g, i%1500)); err != nil {
					t.Error(err)
				}
				if i%10 == 0 {
					_ = c.Invalidate(bg, fmt.Sprint(g, i%1500))
					_ = c.Remove(bg, fmt.Sprint(g, i%500))
				}
				if n := int64(c.Len()); n > peak.Load() {
					peak.Store(n)
				}
			}
		})
	}
	wg.Wait()
	require.LessOrEqual(t, peak.Load(), int64(most+most/20+2*goroutines), "a few per cent, and what is in the air")
	eventually(t, func() bool { return c.Stats().InFlight == 0 && c.Len() <= most })
	require.Greater(t, c.Len(), most*9/10, "more was evicted than had to go")
}

// What counts is the resident values and those that the history holds.
func TestM1_MaxWeightHoldsWithTheHistory(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const most, history, heaviest = 1000, 8, 19
		weigh := func(_ string, v string) uint32 { return uint32(len(v)) }
		c := open(t, config{Source: instant, MaxWeight: most, History: history, Weigh: weigh})
		events := watch(t, c)
		told := []uint32{}
		sum := func() (sum uint32) {
			synctest.Wait()
			for key, s := range c.All() {
				sum += weigh(key, s.Value)
			}
			for _, e := range events.take() {
				weight := uint32(0)
				if e.After != nil {
					weight = weigh(e.Key, *e.After)
				}
				told = append(told, weight)
			}
			for _, weight := range told[max(0, len(told)-history):] {
				sum += weight
			}
			return sum
		}
		full := false
		for i := range 300 {
			key := fmt.Sprintf("%0*d", 1+i%heaviest, i)
			mustGet(t, c, key, key)
			n := sum()
			require.LessOrEqual(t, n, uint32(most))
			if full = full || c.Stats().Evictions > 0; full {
				// No more went than had to: the history's share varies.
				require.Greater(t, n, uint32(most-heaviest*(history+1)))
			}
		}
		require.True(t, full)
		heavy := string(make([]byte, 400)) // resident, and in the history too
		n := c.Len()
		require.NoError(t, c.Set(bg, "heavy", heavy))
		require.LessOrEqual(t, sum(), uint32(most))
		require.Less(t, c.Len(), n)
		require.NoError(t, c.Set(bg, "heavy", "x")) // it gives its weight back
		for i := range 100 {
			mustGet(t, c, fmt.Sprint("again", i), fmt.Sprint("again", i))
		}
		require.LessOrEqual(t, sum(), uint32(most))
		require.Greater(t, c.Len(), 50)
	})
}

// Behaviour 20: eviction does not cancel a flight in the air.
func TestM2_AFlightIsNeverEvicted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{MaxEntries: 2, AbortAbandoned: true})
		flying := []*reply[string]{}
		for i := range 10 { // more than there is room for: each is kept
			flying = append(flying, get(c, fmt.Sprint("k", i)))
			o.calls()
		}
		for i := range 20 {
			require.NoError(t, c.Set(bg, fmt.Sprint("set", i), "v"))
		}
		require.Equal(t, 10, o.calls())
		for i, r := range flying {
			require.NoError(t, o.call(t, i+1).ctx.Err())
			require.True(t, r.waiting())
			o.call(t, i+1).value("v")
			gives(t, r, "v")
		}
		synctest.Wait()
		require.Equal(t, 2, c.Len())
		require.Equal(t, 10, o.calls())
	})
}

func TestM2_AnObservedResourceIsNeverEvicted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const observed, most = 200, 210
		c := open(t, config{Source: instant, MaxEntries: most})
		keys := []string{}
		for i := range observed {
			keys = append(keys, fmt.Sprint("observed", i))
		}
		sub, err := c.Watch(bg, streams.Keys(keys...), streams.Live())
		require.NoError(t, err)
		t.Cleanup(sub.Close)
		synctest.Wait()
		for i := range 500 {
			mustGet(t, c, fmt.Sprint("k", i), fmt.Sprint("k", i))
		}
		synctest.Wait()
		for _, key := range keys {
			mustGet(t, c, key, key, freshet.CachedOnly())
		}
		require.Equal(t, most, c.Len(), "and the others are kept within the bound")
	})
}

// More observed resources than there is room for: they stay, and once nobody
// observes them they go.
func TestM2_ObserversBeyondTheBound(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := open(t, config{Source: instant, MaxEntries: 10})
		keys := []string{}
		for i := range 100 {
			keys = append(keys, fmt.Sprint("observed", i))
		}
		sub, err := c.Watch(bg, streams.Keys(keys...), streams.Live())
		require.NoError(t, err)
		synctest.Wait()
		require.Equal(t, 100, c.Len())
		sub.Close()
		synctest.Wait()
		require.Equal(t, 10, c.Len())
	})
}

// Behaviour 31: the end of a stale instance never evicts its successor.
func TestM2_AnOldFlightsEndLeavesItsSuccessor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{deaf: true}
		c := serve(t, o, config{MaxEntries: 1})
		c.Fetch(bg, "k")
		old := o.call(t, 1)
		require.NoError(t, c.Set(bg, "k", "v1"))
		require.NoError(t, c.Set(bg, "other", "x"))
		require.NoError(t, c.Set(bg, "k", "v2")) // another cell under the same key
		old.value("late")
		o.calls()
		mustGet(t, c, "k", "v2", freshet.CachedOnly())
		require.Equal(t, 1, c.Len())
	})
}

// Whoever comes must not always go first: a working set that fits moves in,
// though what was there before was read more often. It has to be asked for more
// often first (M3: what is asked for once drives nobody out), and then stays.
func TestM1_ANewWorkingSetMovesIn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const most = 100
		c := open(t, config{Source: instant, MaxEntries: most})
		for i := range 2 * most {
			for range 3 {
				mustGet(t, c, fmt.Sprint("old", i), fmt.Sprint("old", i))
				synctest.Wait()
			}
		}
		var before freshet.Stats
		for range 10 {
			before = c.Stats()
			for i := range most / 2 {
				mustGet(t, c, fmt.Sprint("new", i), fmt.Sprint("new", i))
				synctest.Wait()
			}
		}
		hits := c.Stats().Hits - before.Hits
		require.GreaterOrEqual(t, hits, uint64(most/2*9/10), "of %d reads", most/2)
	})
}

// An evicted key told its end, and is loaded again.
func TestM1_EvictionIsTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := counting()
		c := serve(t, o, config{MaxEntries: 1})
		events := watch(t, c, streams.Keys("k"))
		mustGet(t, c, "k", "v1")
		require.NoError(t, c.Set(bg, "other", "x"))
		require.NoError(t, c.Set(bg, "more", "x"))
		synctest.Wait()
		mustGet(t, c, "k", "v2")
		events.tells(t, "Loaded ->v1 flight", "Evicted v1>- size", "Loaded ->v2 flight")
	})
}

// What is useless is not kept for ever, though there is no bound.
func TestM1_WhatIsOldIsEvictedByAge(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := open(t, config{Source: instant, Freshness: freshet.Freshness{TTL: time.Minute}})
		for i := range 2000 {
			mustGet(t, c, fmt.Sprint(i), fmt.Sprint(i))
		}
		require.NoError(t, c.Put(bg, "forever", freshet.Response[string]{Value: "v", TTL: freshet.Forever}))
		time.Sleep(3 * time.Hour)
		require.Equal(t, 1, c.Len())
		mustGet(t, c, "forever", "v", freshet.CachedOnly())
		require.Zero(t, c.Stats().Evictions, "that counts what made room")
	})
}

func TestM4_GoroutinesAreConstantWithResidentKeys(t *testing.T) {
	const keys = 100_000
	runtime.GC()
	before := runtime.NumGoroutine()
	c := open(t, config{Source: instant, Freshness: freshet.Freshness{TTL: time.Hour, Stale: time.Hour, Ahead: 0.1}})
	for i := range keys {
		if _, err := c.Get(bg, fmt.Sprint("key", i)); err != nil {
			t.Fatal(err)
		}
	}
	require.Equal(t, keys, c.Len())
	eventually(t, func() bool { return runtime.NumGoroutine() <= before })
	require.NoError(t, c.Close(bg))
	eventually(t, func() bool { return runtime.NumGoroutine() <= before })
}
