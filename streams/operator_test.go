package streams_test

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/streams"
)

type seq = iter.Seq2[event, error]

// take is the first n pairs of a stream, and then the reader leaves.
func take(s seq, n int) (got []event, err error) {
	if n == 0 {
		return nil, nil
	}
	for e, err := range s {
		if err != nil {
			return got, err
		}
		if got = append(got, e); len(got) == n {
			break
		}
	}
	return got, nil
}

func keysOf(events []event) (keys []string) {
	for _, e := range events {
		keys = append(keys, fmt.Sprintf("%s%d", e.Key, e.Revision))
	}
	return keys
}

func TestFilterNeverHidesALoss(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{History: 4})
	s := subscribe(t, c, streams.OnOverflow(streams.DropOldest))
	for i := range 10 {
		c.set("k", i)
	}
	even := streams.Filter(s.Events(), func(e event) bool { return *e.After%2 == 0 })
	got, err := take(even, 3)
	require.NoError(t, err)
	require.Equal(t, []string{"6", "k7", "k9"}, keysOf(got))
	require.Equal(t, streams.Gap, got[0].Kind)
	require.ErrorIs(t, s.Err(), streams.ErrClosed)
}

func TestMapKeepsTheEventAndItsToken(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{})
	s := subscribe(t, c)
	one, two := 1, 2
	c.change(event{Key: "k", Kind: streams.Updated, Before: &one, After: &two, Seq: 7, Reason: streams.ReasonSet, Err: context.Canceled, At: time.Unix(1, 0)})
	c.remove("k")
	var got []streams.Event[string]
	for e, err := range streams.Map(s.Events(), func(v int) string { return fmt.Sprint("v", v) }) {
		require.NoError(t, err)
		if got = append(got, e); len(got) == 2 {
			require.Equal(t, s.Token(), e.Token())
			break
		}
	}
	require.Equal(t, "v1", *got[0].Before)
	require.Equal(t, "v2", *got[0].After)
	require.Nil(t, got[1].After)
	e := got[0]
	require.Equal(t, []any{uint64(1), "toy", "k", streams.Updated, uint64(7), "set", context.Canceled, time.Unix(1, 0)},
		[]any{e.Revision, e.Cache, e.Key, e.Kind, e.Seq, e.Reason, e.Err, e.At})
}

func TestTakeEndsWithTheLastAndDoesNotWaitForOneMore(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{})
	c.set("k", 0)
	s := subscribe(t, c, streams.WithSnapshot())
	c.set("l", 1)
	n := 0
	for e, err := range streams.Take(s.Events(), 2) { // nothing else will ever come
		require.NoError(t, err)
		n++
		_ = e
	}
	require.Equal(t, 2, n)
	require.ErrorIs(t, s.Err(), streams.ErrClosed)
	for range streams.Take(s.Events(), 0) {
		t.Error("took from nothing")
	}
}

func TestScanFolds(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{})
	s := subscribe(t, c)
	for i := range 4 {
		c.set("k", i)
	}
	c.Close()
	var sums []int
	var last error
	for sum, err := range streams.Scan(s.Events(), 100, func(sum int, e event) int { return sum + *e.After }) {
		sums, last = append(sums, sum), err
	}
	require.Equal(t, []int{100, 101, 103, 106, 106}, sums)
	require.ErrorIs(t, last, streams.ErrClosed)
}

func TestDebounceIsPerKeyAndLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newToy(t, streams.LogConfig[int]{})
		s := subscribe(t, c)
		begin := time.Now()
		go func() {
			for i := range 5 { // at 0s to 4s
				c.set("busy", i)
				if i == 0 {
					c.set("once", i)
				}
				time.Sleep(time.Second)
			}
			time.Sleep(10 * time.Second)
			c.set("last", 1) // at 15s
			c.Close()
		}()
		var got []string
		var last error
		for e, err := range streams.Debounce(s.Events(), 3*time.Second) {
			if last = err; err == nil {
				got = append(got, fmt.Sprintf("%s%d at %v", e.Key, e.Revision, time.Since(begin)))
			}
		}
		require.Equal(t, []string{"once2 at 3s", "busy6 at 7s", "last7 at 15s"}, got)
		require.ErrorIs(t, last, streams.ErrClosed)
	})
}

func TestDebounceKeepsTheOrderOfControlEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := func(yield func(event, error) bool) {
			for i, e := range []event{
				{Kind: streams.Bookmark}, {Key: "a", Kind: streams.Updated}, {Kind: streams.Bookmark}, {Key: "b", Kind: streams.Updated},
				{Kind: streams.Gap}, {Key: "a", Kind: streams.Updated}, {Kind: streams.Synced},
			} {
				e.Revision = uint64(i)
				if !yield(e, nil) {
					return
				}
			}
		}
		got, err := take(streams.Debounce(source, time.Hour), 100)
		require.NoError(t, err)
		require.Equal(t, []string{"0", "a1", "b3", "4", "a5", "6"}, keysOf(got))
		ends := func(yield func(event, error) bool) { yield(event{Key: "waits", Kind: streams.Updated}, nil) }
		got, _ = take(streams.Debounce(ends, time.Hour), 100)
		require.Len(t, got, 1, "a source that ends without an error")
		got, _ = take(streams.Debounce(source, 0), 100)
		require.Len(t, got, 7)
	})
}

func TestBufferByNumberAndByTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newToy(t, streams.LogConfig[int]{})
		s := subscribe(t, c)
		begin := time.Now()
		go func() {
			for _, pause := range []time.Duration{0, 0, 0, 5, 1, 1, 1, 5} {
				time.Sleep(pause * time.Second)
				c.set("k", 1)
			}
			time.Sleep(time.Second)
			c.Close()
		}()
		var got []string
		var last error
		for events, err := range streams.Buffer(s.Events(), 3, 2500*time.Millisecond) {
			if last = err; err == nil {
				got = append(got, fmt.Sprintf("%v at %v", keysOf(events), time.Since(begin)))
			}
		}
		require.Equal(t, []string{"[k1 k2 k3] at 0s", "[k4 k5 k6] at 7s", "[k7] at 10.5s", "[k8] at 14s"}, got)
		require.ErrorIs(t, last, streams.ErrClosed)
	})
}

func TestBufferByNumberAlone(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{})
	s := subscribe(t, c)
	for i := range 7 {
		c.set("k", i)
	}
	c.Close()
	var sizes []int
	var last error
	for events, err := range streams.Buffer(s.Events(), 3, 0) {
		sizes, last = append(sizes, len(events)), err
	}
	require.Equal(t, []int{3, 3, 1, 0}, sizes)
	require.ErrorIs(t, last, streams.ErrClosed)

	s = subscribe(t, newToy(t, streams.LogConfig[int]{}))
	for _, err := range streams.Buffer(s.Events(), 0, time.Second) {
		require.ErrorContains(t, err, "n is less than 1")
	}
}

func TestMergeKeepsNamesAndEachOrderAndEndsWithTheFirstError(t *testing.T) {
	a, b := newLog(t, streams.LogConfig[int]{Cache: "a"}), newLog(t, streams.LogConfig[int]{Cache: "b", History: 16})
	sa, sb := subscribe(t, a), subscribe(t, b)
	for i := range 16 {
		a.Append(&event{Key: fmt.Sprint(i), Kind: streams.Updated}, 0, nil)
		b.Append(&event{Key: fmt.Sprint(i), Kind: streams.Updated}, 0, nil)
	}
	of := map[string][]uint64{}
	var last error
	n := 0
	for e, err := range streams.Merge(sa.Events(), sb.Events()) {
		if last = err; err != nil {
			break
		}
		of[e.Cache] = append(of[e.Cache], e.Revision)
		if n++; n == 32 {
			for range 100 {
				b.Append(&event{Key: "k", Kind: streams.Updated}, 0, nil)
			}
		}
	}
	require.Equal(t, upTo(1, 16), of["a"])
	require.Equal(t, upTo(1, 16), of["b"][:16])
	require.ErrorIs(t, last, streams.ErrLagged)
	require.ErrorContains(t, last, "stream 1 (b)")
	require.ErrorIs(t, sa.Err(), streams.ErrClosed, "the others are unwound")
	for range streams.Merge[int]() {
		t.Error("merged nothing and got something")
	}
}

func TestMergeEndsWhenAllEnd(t *testing.T) {
	finite := func(n int) seq {
		return func(yield func(event, error) bool) {
			for i := range n {
				if !yield(event{Revision: uint64(i)}, nil) {
					return
				}
			}
		}
	}
	got, err := take(streams.Merge(finite(3), finite(0), finite(2)), 100)
	require.NoError(t, err)
	require.Len(t, got, 5)
	require.Panics(t, func() {
		_, _ = take(streams.Merge(finite(1), func(func(event, error) bool) { panic("source") }), 100)
	}, "a source's panic is the reader's")
	for name, op := range map[string]func(s seq) seq{
		"Merge":    func(s seq) seq { return streams.Merge(s) },
		"Debounce": func(s seq) seq { return streams.Debounce(s, time.Second) },
		"Buffer": func(s seq) seq {
			return func(yield func(event, error) bool) {
				for _, err := range streams.Buffer(s, 10, time.Second) {
					if err != nil {
						yield(event{}, err)
						return
					}
				}
			}
		},
	} {
		_, err = take(op(func(yield func(event, error) bool) { yield(event{}, nil); runtime.Goexit() }), 100)
		require.ErrorIs(t, err, streams.ErrGoexit, name)
	}
}

// TestS10_LeavingAnyPipelineUnwindsItAll leaves at the end of pipelines whose sources sleep and have never yielded.
func TestS10_LeavingAnyPipelineUnwindsItAll(t *testing.T) {
	yes := func(event) bool { return true }
	id := func(v int) int { return v }
	pipelines := map[string]func(idle, busy seq) seq{
		"merge":    func(idle, busy seq) seq { return streams.Merge(idle, busy) },
		"debounce": func(_, busy seq) seq { return streams.Debounce(busy, time.Second) },
		"operators below": func(idle, busy seq) seq {
			return streams.Merge(streams.Filter(streams.Map(idle, id), yes), streams.Take(busy, 100))
		},
		"operators above": func(idle, busy seq) seq {
			return streams.Take(streams.Map(streams.Filter(streams.Merge(busy, idle), yes), id), 1)
		},
		"pumps in pumps": func(idle, busy seq) seq {
			return streams.Merge(streams.Debounce(streams.Merge(idle), time.Second), streams.Debounce(streams.Merge(streams.Debounce(busy, 1)), time.Second))
		},
		"buffer": func(idle, busy seq) seq {
			flat := func(s iter.Seq2[[]event, error]) seq {
				return func(yield func(event, error) bool) {
					for events, err := range s {
						for _, e := range events {
							if !yield(e, err) {
								return
							}
						}
					}
				}
			}
			return flat(streams.Buffer(streams.Merge(busy, idle), 1, time.Second))
		},
	}
	for name, pipeline := range pipelines {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				idle, busy := newToy(t, streams.LogConfig[int]{}), newToy(t, streams.LogConfig[int]{})
				si, sb := subscribe(t, idle), subscribe(t, busy)
				begin := time.Now()
				busy.set("k", 1)
				got, err := take(pipeline(si.Events(), sb.Events()), 1)
				require.NoError(t, err)
				require.Equal(t, []string{"k1"}, keysOf(got))
				synctest.Wait()
				require.Zero(t, busy.Stats().Subscriptions)
				require.Equal(t, 0, idle.Stats().Parked)
				require.Less(t, time.Since(begin), 3*time.Second, "nothing waited for a Bookmark to come by")
			})
		})
	}
}

func TestS10_APumpEndsWithItsSourcesContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newToy(t, streams.LogConfig[int]{})
		ctx, cancel := context.WithCancel(t.Context())
		s, err := c.Subscribe(ctx)
		require.NoError(t, err)
		time.AfterFunc(time.Minute, cancel)
		_, err = take(streams.Debounce(streams.Merge(s.Events()), time.Second), 1000)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorContains(t, err, "stream 0 (toy)")
	})
}
