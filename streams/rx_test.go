package streams_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/streams"
)

// The lines of the table in the package comment, one test each.

type event = streams.Event[int]

// drain reads what there is, and reports whether the channel was closed.
func drain(ch <-chan rxgo.Item) (items []rxgo.Item, closed bool) {
	for {
		synctest.Wait()
		select {
		case item, ok := <-ch:
			if !ok {
				return items, true
			}
			items = append(items, item)
		default:
			return items, false
		}
	}
}

// bubble runs f with a toy and a context; at its end nothing may be left.
func bubble(t *testing.T, f func(t *testing.T, c *toy, ctx context.Context, cancel func())) {
	synctest.Test(t, func(t *testing.T) {
		c := newToy(t, streams.LogConfig[int]{History: 16})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		f(t, c, ctx, cancel)
		cancel()
		synctest.Wait()
		require.Zero(t, c.Stats().Subscriptions)
	})
}

func TestRx_SafeOperatorsDeliverAllAndEndWithTheContext(t *testing.T) {
	same := func(_ context.Context, v any) (any, error) { return v.(event).Revision, nil }
	for name, op := range map[string]func(rxgo.Observable) rxgo.Observable{
		"Map":    func(o rxgo.Observable) rxgo.Observable { return o.Map(same) },
		"Filter": func(o rxgo.Observable) rxgo.Observable { return o.Filter(func(any) bool { return true }) },
		"Scan": func(o rxgo.Observable) rxgo.Observable {
			return o.Scan(func(_ context.Context, acc, v any) (any, error) { return v, nil })
		},
		"Skip":            func(o rxgo.Observable) rxgo.Observable { return o.Skip(0) },
		"BufferWithCount": func(o rxgo.Observable) rxgo.Observable { return o.BufferWithCount(1) },
		"Distinct":        func(o rxgo.Observable) rxgo.Observable { return o.Distinct(same) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, c *toy, ctx context.Context, cancel func()) {
				o := op(c.Observable())
				for i := range 5 {
					c.set("k", i) // before anybody observes
				}
				a, b := o.Observe(rxgo.WithContext(ctx)), o.Observe(rxgo.WithContext(ctx))
				for i := range 5 {
					c.set("k", i)
				}
				for _, ch := range []<-chan rxgo.Item{a, b} {
					items, closed := drain(ch)
					require.Len(t, items, 10)
					require.False(t, closed)
				}
				cancel()
				for _, ch := range []<-chan rxgo.Item{a, b} {
					items, closed := drain(ch)
					require.Empty(t, items)
					require.True(t, closed)
				}
			})
		})
	}
}

func TestRx_ASubscriptionsEndIsOneErrorItem(t *testing.T) {
	bubble(t, func(t *testing.T, c *toy, ctx context.Context, _ func()) {
		lagged := c.Observable()
		live := c.Observable(streams.Keys("k"), streams.Live())
		for i := range 17 {
			c.set("k", i)
		}
		items, closed := drain(lagged.Observe(rxgo.WithContext(ctx)))
		require.True(t, closed)
		require.Len(t, items, 1)
		require.ErrorIs(t, items[0].E, streams.ErrLagged)

		items, closed = drain(live.Observe(rxgo.WithContext(ctx)))
		require.True(t, closed)
		require.Len(t, items, 1)
		require.ErrorContains(t, items[0].E, "Live")

		ch := c.Observable(streams.WithSnapshot(), streams.Prefix("k")).Observe(rxgo.WithContext(ctx))
		items, closed = drain(ch)
		require.False(t, closed)
		require.Equal(t, []streams.Kind{streams.Loaded, streams.Synced}, []streams.Kind{items[0].V.(event).Kind, items[1].V.(event).Kind})
		c.Close()
		items, closed = drain(ch)
		require.True(t, closed)
		require.Len(t, items, 1)
		require.ErrorIs(t, items[0].E, streams.ErrClosed)
	})
}

func TestRx_WhoObservesTooLateFellBehind(t *testing.T) {
	bubble(t, func(t *testing.T, c *toy, ctx context.Context, _ func()) {
		gone := c.Observable(streams.Keys("k"))
		goesOn := c.Observable(streams.Keys("k"), streams.OnOverflow(streams.DropOldest))
		for i := range 20 {
			c.set("k", i)
		}
		items, _ := drain(gone.Observe(rxgo.WithContext(ctx)))
		require.Len(t, items, 1)
		require.ErrorIs(t, items[0].E, streams.ErrLagged)
		items, _ = drain(goesOn.Observe(rxgo.WithContext(ctx)))
		require.Len(t, items, 17)
		e := items[0].V.(event)
		require.Equal(t, []uint64{1, 4}, []uint64{e.From, e.To})
	})
}

func TestRx_AnObserverThatLeavesByItsContextHoldsNothing(t *testing.T) {
	bubble(t, func(t *testing.T, c *toy, ctx context.Context, cancel func()) {
		ch := c.Observable().Map(func(_ context.Context, v any) (any, error) { return v, nil }).Observe(rxgo.WithContext(ctx))
		for i := range 10 {
			c.set("k", i)
		}
		<-ch // and never again
	})
}

func TestRx_DistinctUntilChangedTakesNilForTheKeyBeforeTheFirst(t *testing.T) {
	bubble(t, func(t *testing.T, c *toy, ctx context.Context, _ func()) {
		ch := c.Observable().DistinctUntilChanged(func(_ context.Context, v any) (any, error) {
			if after := v.(event).After; after != nil {
				return *after, nil
			}
			return nil, nil
		}).Observe(rxgo.WithContext(ctx))
		c.remove("k") // lost: its key is nil
		c.set("k", 1)
		c.set("k", 1)
		c.remove("k")
		items, _ := drain(ch)
		require.Len(t, items, 2)
		require.EqualValues(t, 2, items[0].V.(event).Revision)
		require.EqualValues(t, 4, items[1].V.(event).Revision)
	})
}

func TestRx_DebounceLosesTheLastEventAndIgnoresTheObserversContext(t *testing.T) {
	bubble(t, func(t *testing.T, c *toy, ctx context.Context, cancel func()) {
		ch := c.Observable().Debounce(rxgo.WithDuration(time.Second)).Observe(rxgo.WithContext(ctx))
		synctest.Wait()
		c.set("a", 1)
		c.set("b", 1) // of another key: it takes a's place all the same
		time.Sleep(2 * time.Second)
		synctest.Wait()
		cancel() // and it goes on waiting for somebody to take the item
		synctest.Wait()
		item, ok := <-ch
		require.True(t, ok)
		require.EqualValues(t, 2, item.V.(event).Revision)
		_, ok = <-ch
		require.False(t, ok)
	})
	bubble(t, func(t *testing.T, c *toy, ctx context.Context, _ func()) {
		ch := c.Observable(streams.Keys("a")).Debounce(rxgo.WithDuration(time.Second)).Observe(rxgo.WithContext(ctx))
		synctest.Wait()
		c.set("a", 1)
		synctest.Wait()
		c.Close()
		items, closed := drain(ch)
		require.True(t, closed)
		require.Len(t, items, 1)
		require.ErrorIs(t, items[0].E, streams.ErrClosed, "and no event before it")
	})
}

func TestRx_TakeWaitsForOneMore(t *testing.T) {
	bubble(t, func(t *testing.T, c *toy, ctx context.Context, _ func()) {
		ch := c.Observable().Take(2).Observe(rxgo.WithContext(ctx))
		c.set("k", 1)
		c.set("k", 2)
		items, closed := drain(ch)
		require.Len(t, items, 2)
		require.False(t, closed)
		c.set("k", 3)
		_, closed = drain(ch)
		require.True(t, closed)
		c.set("k", 4)
		synctest.Wait()
		require.Equal(t, 1, c.Stats().Subscriptions, "and its source goes on until the context ends")
	})
}

// stuck shows that a goroutine of an operator outlives the context when its reader has left; read frees it.
func stuck(t *testing.T, events int, observe func(c *toy, ctx context.Context) <-chan rxgo.Item, read func(<-chan rxgo.Item)) {
	t.Helper()
	bubble(t, func(t *testing.T, c *toy, ctx context.Context, cancel func()) {
		ch := observe(c, ctx)
		for i := range events {
			c.set("k", i)
			time.Sleep(time.Second)
		}
		synctest.Wait()
		cancel()
		synctest.Wait()
		require.NotZero(t, operating())
		read(ch)
		synctest.Wait()
	})
}

// operating is how many goroutines of rxgo this bubble has. Those of other tests,
// which may be about to end, do not count.
func operating() (n int) {
	stacks := make([]byte, 1<<20)
	for _, g := range strings.Split(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
		if strings.Contains(g, "synctest bubble") && strings.Contains(g, "reactivex/rxgo") {
			n++
		}
	}
	return n
}

func readOn(ch <-chan rxgo.Item) {
	for range ch {
	}
}

func TestRx_MergeOutlivesTheContext(t *testing.T) {
	stuck(t, 8, func(c *toy, ctx context.Context) <-chan rxgo.Item {
		return rxgo.Merge([]rxgo.Observable{c.Observable(), c.Observable()}, rxgo.WithContext(ctx)).Observe(rxgo.WithContext(ctx))
	}, readOn)
}

// Not in a bubble: what holds it up there is a mutex, which a bubble takes for progress.
func TestRx_CombineLatestOutlivesTheContext(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{})
	ctx, cancel := context.WithCancel(t.Context())
	combined := make(chan struct{}, 8)
	f := func(v ...any) any { combined <- struct{}{}; return v }
	ch := rxgo.CombineLatest(f, []rxgo.Observable{c.Observable(), c.Observable()}, rxgo.WithContext(ctx)).Observe()
	c.set("k", 1)
	<-combined
	cancel()
	for c.Stats().Subscriptions > 0 { // its sources end with the context
		runtime.Gosched()
	}
	stacks := make([]byte, 1<<20)
	require.Contains(t, string(stacks[:runtime.Stack(stacks, true)]), "rxgo/v2.CombineLatest")
	for range ch {
	}
}

func TestRx_SampleOutlivesTheContext(t *testing.T) {
	stuck(t, 8, func(c *toy, ctx context.Context) <-chan rxgo.Item {
		return c.Observable().Sample(rxgo.Interval(rxgo.WithDuration(time.Second), rxgo.WithContext(ctx)),
			rxgo.WithContext(ctx)).Observe(rxgo.WithContext(ctx))
	}, readOn)
}

func TestRx_BufferWithTimeOrCountOutlivesTheContext(t *testing.T) {
	stuck(t, 2, func(c *toy, ctx context.Context) <-chan rxgo.Item {
		return c.Observable().BufferWithTimeOrCount(rxgo.WithDuration(time.Hour), 2).Observe(rxgo.WithContext(ctx))
	}, readOn)
}

func TestRx_WindowWithCountOutlivesTheContext(t *testing.T) {
	var window rxgo.Observable
	stuck(t, 8, func(c *toy, ctx context.Context) <-chan rxgo.Item {
		ch := c.Observable().WindowWithCount(3).Observe(rxgo.WithContext(ctx))
		go func() { window = (<-ch).V.(rxgo.Observable) }() // and nobody reads the window
		return ch
	}, func(<-chan rxgo.Item) { readOn(window.Observe()) })
}

func TestRx_GroupByStallsOnOneUnreadGroup(t *testing.T) {
	bubble(t, func(t *testing.T, c *toy, ctx context.Context, _ func()) {
		groups := c.Observable().GroupBy(2, func(item rxgo.Item) int { return *item.V.(event).After },
			rxgo.WithContext(ctx)).Observe(rxgo.WithContext(ctx))
		items, _ := drain(groups)
		require.Len(t, items, 2)
		zero := items[0].V.(rxgo.Observable).Observe(rxgo.WithContext(ctx))
		c.set("a", 0)
		c.set("a", 1) // for the group that nobody reads
		c.set("a", 0)
		got, _ := drain(zero)
		require.Len(t, got, 1)
	})
}

func TestRx_RetryBeginsAtTheSamePlaceAgain(t *testing.T) {
	bubble(t, func(t *testing.T, c *toy, ctx context.Context, _ func()) {
		ch := c.Observable().Retry(3, func(error) bool { return true }, rxgo.WithContext(ctx)).Observe(rxgo.WithContext(ctx))
		c.set("k", 0)
		items, _ := drain(ch)
		require.Len(t, items, 1)
		for i := range 100 {
			c.set("k", i)
		}
		items, closed := drain(ch) // what was read ahead, and then
		require.True(t, closed)
		require.ErrorIs(t, items[len(items)-1].E, streams.ErrLagged, "%d items", len(items))
		require.GreaterOrEqual(t, c.Stats().Laps, uint64(4), "lapped before it began, each time")
	})
}

func TestRx_ManyObserversCostTheWriterNothing(t *testing.T) {
	bubble(t, func(t *testing.T, c *toy, ctx context.Context, cancel func()) {
		o := c.Observable(streams.OnOverflow(streams.DropOldest))
		var all []<-chan rxgo.Item
		for range 100 {
			all = append(all, o.Observe(rxgo.WithContext(ctx)))
		}
		synctest.Wait()
		for i := range 1000 { // nobody reads
			c.set(fmt.Sprint(i), i)
		}
		items, _ := drain(all[7])
		last := items[len(items)-1].V.(event)
		require.EqualValues(t, 1000, last.Revision)
	})
}
