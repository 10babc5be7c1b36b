package streams_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/freshet-go/freshet/streams"
)

func newLog(tb testing.TB, cfg streams.LogConfig[int]) *streams.Log[int] {
	tb.Helper()
	l, err := streams.NewLog(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

// parkAll starts n readers of l and returns when all sleep.
func parkAll(b *testing.B, l *streams.Log[int], n int, opts func(i int) []streams.Option) (stop func()) {
	b.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for i := range n {
		s, err := l.Subscribe(ctx, opts(i)...)
		if err != nil {
			b.Fatal(err)
		}
		wg.Go(func() {
			for range s.Events() {
			}
		})
	}
	for l.Stats().Parked < n {
		runtime.Gosched()
	}
	return func() { cancel(); wg.Wait() }
}

func everything(int) []streams.Option {
	return []streams.Option{streams.OnOverflow(streams.DropOldest)}
}

func quietKey(i int) []streams.Option { return []streams.Option{streams.Keys(fmt.Sprint("quiet", i))} }

func busyKey(int) []streams.Option {
	return []streams.Option{streams.Keys("busy"), streams.OnOverflow(streams.DropOldest)}
}

// BenchmarkAppend is what an append costs the writer. Readers are asleep when it begins; those who want what is
// appended wake, read on the other processor, and sleep again, as often as they catch up.
func BenchmarkAppend(b *testing.B) {
	for _, bench := range []struct {
		name string
		n    int
		opts func(int) []streams.Option
	}{
		{"alone", 0, nil},
		{"all/1", 1, everything},
		{"all/1000", 1000, everything},
		{"quiet-keys/1000", 1000, quietKey},
		{"same-key/1", 1, busyKey},
		{"same-key/1000", 1000, busyKey},
	} {
		b.Run(bench.name, func(b *testing.B) {
			l := newLog(b, streams.LogConfig[int]{Cache: "bench"})
			defer parkAll(b, l, bench.n, bench.opts)()
			v := 1
			e := streams.Event[int]{Key: "busy", Kind: streams.Updated, After: &v}
			b.ReportAllocs()
			for b.Loop() {
				l.Append(&e, 1, nil)
			}
		})
	}
}

// BenchmarkAppendParallel has many writers; what it takes is one lock's handing round.
func BenchmarkAppendParallel(b *testing.B) {
	for _, writers := range []int{1, 16} {
		b.Run(fmt.Sprint(writers), func(b *testing.B) {
			l := newLog(b, streams.LogConfig[int]{Cache: "bench"})
			b.SetParallelism(writers)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				e := streams.Event[int]{Key: "busy", Kind: streams.Updated}
				for pb.Next() {
					l.Append(&e, 1, nil)
				}
			})
		})
	}
}

// BenchmarkAppendToSleepers is the single append that finds n readers asleep, all of whom want it: one of them is woken
// by the writer, whoever they are. ns/append is the writer's time; the rest of ns/op is the waking and waiting.
func BenchmarkAppendToSleepers(b *testing.B) {
	for _, n := range []int{0, 1, 10, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			l := newLog(b, streams.LogConfig[int]{Cache: "bench"})
			defer parkAll(b, l, n, everything)()
			e := streams.Event[int]{Key: "busy", Kind: streams.Updated}
			var sum time.Duration
			for range b.N {
				for st := l.Stats(); st.Parked < n || st.Lag > 0; st = l.Stats() {
					runtime.Gosched()
				}
				begin := time.Now()
				l.Append(&e, 1, nil)
				sum += time.Since(begin)
			}
			b.ReportMetric(float64(sum.Nanoseconds())/float64(b.N), "ns/append")
		})
	}
}

// BenchmarkSubscribe reports the bytes of a subscription that nobody has read yet.
func BenchmarkSubscribe(b *testing.B) {
	for name, opts := range map[string]func(int) []streams.Option{"all": everything, "key": quietKey} {
		b.Run(name, func(b *testing.B) {
			l := newLog(b, streams.LogConfig[int]{Cache: "bench"})
			all := make([]*streams.Subscription[int], b.N)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			b.ResetTimer()
			for i := range all {
				all[i], _ = l.Subscribe(context.Background(), opts(i)...)
			}
			b.StopTimer()
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(b.N), "B/subscription")
			for _, s := range all {
				s.Close()
			}
		})
	}
}
