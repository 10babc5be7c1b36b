package streams_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/freshet-go/freshet/streams"
)

func newLog(t testing.TB, cfg streams.LogConfig[int]) *streams.Log[int] {
	t.Helper()
	l, err := streams.NewLog(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// parkAll starts n readers of l and returns when all sleep.
func parkAll(tb testing.TB, l *streams.Log[int], n int, opts func(i int) []streams.Option) (stop func()) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for i := range n {
		s, err := l.Subscribe(ctx, opts(i)...)
		if err != nil {
			tb.Fatal(err)
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range s.Events() {
			}
		}()
	}
	for l.Stats().Parked < n {
		time.Sleep(time.Millisecond)
	}
	return func() { cancel(); wg.Wait() }
}

func BenchmarkAppend(b *testing.B) {
	bench := func(b *testing.B, n int, opts func(int) []streams.Option) {
		l := newLog(b, streams.LogConfig[int]{Cache: "bench"})
		defer parkAll(b, l, n, opts)()
		v := 1
		e := streams.Event[int]{Key: "busy", Kind: streams.Updated, After: &v}
		b.ReportAllocs()
		b.ResetTimer()
		for range b.N {
			l.Append(&e, 1, nil)
		}
		b.StopTimer()
	}
	for _, n := range []int{0, 1, 1000} {
		b.Run(fmt.Sprintf("all/%d", n), func(b *testing.B) {
			bench(b, n, func(int) []streams.Option {
				return []streams.Option{streams.OnOverflow(streams.DropOldest)}
			})
		})
	}
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprintf("keys/%d", n), func(b *testing.B) {
			bench(b, n, func(i int) []streams.Option {
				return []streams.Option{streams.Keys(fmt.Sprint("quiet", i))}
			})
		})
		b.Run(fmt.Sprintf("samekey/%d", n), func(b *testing.B) {
			bench(b, n, func(i int) []streams.Option {
				return []streams.Option{streams.Keys("busy"), streams.OnOverflow(streams.DropOldest)}
			})
		})
	}
	for _, n := range []int{1, 10, 1000} {
		b.Run(fmt.Sprintf("one-wake/%d", n), func(b *testing.B) {
			l := newLog(b, streams.LogConfig[int]{Cache: "bench"})
			defer parkAll(b, l, n, func(int) []streams.Option {
				return []streams.Option{streams.OnOverflow(streams.DropOldest)}
			})()
			e := streams.Event[int]{Key: "busy", Kind: streams.Updated}
			var sum time.Duration
			b.ReportAllocs()
			for range b.N {
				for {
					st := l.Stats()
					if st.Parked == n && st.Lag == 0 {
						break
					}
					time.Sleep(20 * time.Microsecond)
				}
				t0 := time.Now()
				l.Append(&e, 1, nil)
				sum += time.Since(t0)
			}
			b.ReportMetric(float64(sum.Nanoseconds())/float64(b.N), "ns/append")
		})
	}
}
