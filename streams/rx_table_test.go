package streams_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/streams"
)

// More lines of the table in the package comment.

func revisionOf(_ context.Context, v any) (any, error) { return v.(event).Revision, nil }

func keyOf(_ context.Context, v any) (any, error) { return v.(event).Key, nil }

// A bubble fails if a goroutine is left at its end.
func TestRx_SafeOperatorsEndWithTheContextWhileTheirReaderIsAway(t *testing.T) {
	for name, op := range map[string]func(rxgo.Observable) rxgo.Observable{
		"Map":    func(o rxgo.Observable) rxgo.Observable { return o.Map(revisionOf) },
		"Filter": func(o rxgo.Observable) rxgo.Observable { return o.Filter(func(any) bool { return true }) },
		"Scan": func(o rxgo.Observable) rxgo.Observable {
			return o.Scan(func(_ context.Context, _, v any) (any, error) { return v, nil })
		},
		"Skip":                 func(o rxgo.Observable) rxgo.Observable { return o.Skip(1) },
		"BufferWithCount":      func(o rxgo.Observable) rxgo.Observable { return o.BufferWithCount(3) },
		"Distinct":             func(o rxgo.Observable) rxgo.Observable { return o.Distinct(revisionOf) },
		"DistinctUntilChanged": func(o rxgo.Observable) rxgo.Observable { return o.DistinctUntilChanged(revisionOf) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, c *toy, ctx context.Context, _ func()) {
				o := op(c.Observable())
				ch := o.Observe(rxgo.WithContext(ctx))
				_ = o.Observe(rxgo.WithContext(ctx)) // who never reads at all
				for i := range 10 {
					c.set("k", i)
				}
				<-ch // and never again
			})
		})
	}
}

func TestRx_EachObserverAndEachOperatorCostsAGoroutine(t *testing.T) {
	bubble(t, func(t *testing.T, c *toy, ctx context.Context, _ func()) {
		cost := func(o rxgo.Observable) int {
			before := operating()
			_ = o.Observe(rxgo.WithContext(ctx))
			drain(nil) // until they wait
			return operating() - before
		}
		o := c.Observable()
		require.Equal(t, 1, cost(o))
		require.Equal(t, 1, cost(o))
		require.Equal(t, 2, cost(o.Map(keyOf)))
		require.Equal(t, 3, cost(o.Map(keyOf).Skip(1)))
	})
}

func TestRx_DistinctRemembersEveryKeyForEver(t *testing.T) {
	bubble(t, func(t *testing.T, c *toy, ctx context.Context, _ func()) {
		ch := c.Observable().Distinct(keyOf).Observe(rxgo.WithContext(ctx))
		const keys = 1000 // far more than the history holds
		for round := range 2 {
			delivered := 0
			for i := range keys {
				c.set(string(rune('a'+i)), i)
				items, closed := drain(ch)
				require.False(t, closed)
				delivered += len(items)
			}
			require.Equal(t, []int{keys, 0}[round], delivered)
		}
	})
}

// dies runs f, in a process of its own, in a bubble, and shows that it ends the process with that panic: it comes on a
// goroutine of rxgo, where nobody can recover it.
func dies(t *testing.T, panics string, f func(t *testing.T, c *toy, ctx context.Context, cancel func())) {
	t.Helper()
	const child = "FRESHET_TEST_DIES"
	if os.Getenv(child) == t.Name() {
		bubble(t, func(t *testing.T, c *toy, ctx context.Context, cancel func()) {
			f(t, c, ctx, cancel)
			drain(nil) // the panic comes while this waits
		})
		return
	}
	run := "^" + strings.ReplaceAll(t.Name(), "/", "$/^") + "$"
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run="+run, "-test.count=1", "-test.timeout=1m")
	cmd.Env = append(os.Environ(), child+"="+t.Name())
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "%s", out)
	require.Regexp(t, "(?m)^panic: .*"+panics, string(out))
	require.Contains(t, string(out), "github.com/reactivex/rxgo/v2.")
}

func TestRx_AKeyThatCannotBeComparedEndsTheProgram(t *testing.T) {
	slice := func(context.Context, any) (any, error) { return []int{1}, nil }
	t.Run("Distinct", func(t *testing.T) {
		dies(t, "hash of unhashable type", func(_ *testing.T, c *toy, ctx context.Context, _ func()) {
			_ = c.Observable().Distinct(slice).Observe(rxgo.WithContext(ctx))
			c.set("k", 1)
		})
	})
	t.Run("DistinctUntilChanged", func(t *testing.T) {
		dies(t, "comparing uncomparable type", func(t *testing.T, c *toy, ctx context.Context, _ func()) {
			ch := c.Observable().DistinctUntilChanged(slice).Observe(rxgo.WithContext(ctx))
			c.set("k", 1)
			items, _ := drain(ch)
			require.Len(t, items, 1, "the first is compared with nil")
			c.set("k", 2)
		})
	})
}

func TestRx_DebounceObservedTwiceEndsTheProgram(t *testing.T) {
	dies(t, "close of closed channel", func(t *testing.T, c *toy, ctx context.Context, cancel func()) {
		o := c.Observable().Debounce(rxgo.WithDuration(time.Second))
		a, b := o.Observe(rxgo.WithContext(ctx)), o.Observe(rxgo.WithContext(ctx))
		require.Equal(t, a, b, "one channel for both")
		drain(nil)
		cancel() // both close it
	})
}

// No timer of a window fires here: it would wait for a mutex, which a bubble takes for progress.
func TestRx_AWindowThatNobodyReadsStopsEverythingAndOutlivesTheContext(t *testing.T) {
	hour := rxgo.WithDuration(time.Hour)
	for name, op := range map[string]func(rxgo.Observable) rxgo.Observable{
		"WindowWithCount":       func(o rxgo.Observable) rxgo.Observable { return o.WindowWithCount(3) },
		"WindowWithTime":        func(o rxgo.Observable) rxgo.Observable { return o.WindowWithTime(hour) },
		"WindowWithTimeOrCount": func(o rxgo.Observable) rxgo.Observable { return o.WindowWithTimeOrCount(hour, 3) },
	} {
		t.Run(name, func(t *testing.T) {
			var window rxgo.Observable
			var taken atomic.Int32
			stuck(t, 8, func(c *toy, ctx context.Context) <-chan rxgo.Item {
				counted := c.Observable().Map(func(_ context.Context, v any) (any, error) { taken.Add(1); return v, nil })
				ch := op(counted).Observe(rxgo.WithContext(ctx))
				go func() {
					window = (<-ch).V.(rxgo.Observable) // which nobody reads
					for item := range ch {
						readOn(item.V.(rxgo.Observable).Observe()) // as every other
					}
				}()
				return ch
			}, func(<-chan rxgo.Item) {
				require.EqualValues(t, 2, taken.Load(), "one on its way into the window, one behind it, of eight")
				readOn(window.Observe())
			})
		})
	}
}

// attempts is a backoff.BackOff that doesn't wait, so many times.
type attempts int

func (a *attempts) NextBackOff() time.Duration { *a--; return min(0, time.Duration(*a)) }
func (a *attempts) Reset()                     {}

func TestRx_BackOffRetryBeginsAtTheSamePlaceAgain(t *testing.T) {
	bubble(t, func(t *testing.T, c *toy, ctx context.Context, _ func()) {
		three := attempts(3)
		ch := c.Observable().BackOffRetry(&three, rxgo.WithContext(ctx)).Observe(rxgo.WithContext(ctx))
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

func TestRx_BackOffRetryEndsTheProgramWithItsContext(t *testing.T) {
	dies(t, "close of closed channel", func(t *testing.T, c *toy, ctx context.Context, cancel func()) {
		three := attempts(3)
		ch := c.Observable().BackOffRetry(&three, rxgo.WithContext(ctx)).Observe(rxgo.WithContext(ctx))
		c.set("k", 1)
		items, _ := drain(ch)
		require.Len(t, items, 1)
		cancel()
	})
}

func TestRx_SerializeIsNotNeededAndStopsAtAHole(t *testing.T) {
	id := func(v any) int { return int(v.(event).Revision) }
	bubble(t, func(t *testing.T, c *toy, ctx context.Context, _ func()) {
		plain := c.Observable().Observe(rxgo.WithContext(ctx))
		serialized := c.Observable().Serialize(1, id, rxgo.WithContext(ctx)).Observe(rxgo.WithContext(ctx))
		filtered := c.Observable(streams.Prefix("a")).Serialize(1, id, rxgo.WithContext(ctx)).Observe(rxgo.WithContext(ctx))
		for _, key := range []string{"a", "b", "a", "b", "a"} {
			c.set(key, 1)
		}
		without, _ := drain(plain)
		require.Len(t, without, 5)
		for i, item := range without {
			require.Equal(t, i+1, id(item.V))
		}
		with, _ := drain(serialized)
		require.Equal(t, without, with)
		got, closed := drain(filtered)
		require.False(t, closed)
		require.Equal(t, without[:1], got, "it waits for revision 2, which is filtered out")
	})
}
