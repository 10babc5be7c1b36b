package work

import (
	"context"
	"runtime"
	"runtime/metrics"
	"sync/atomic"
	"time"

	"github.com/freshet-go/freshet/bench/internal/pattern"
	"github.com/freshet-go/freshet/bench/internal/peer"
)

// residents are caches that hold much: what a key costs, and what it costs the
// garbage collector.
func residents() []Workload {
	small := resident("resident/100k", "A hundred thousand resident keys.", 100_000, 100_000)
	large := resident("resident/1M", "A million resident keys.", 1_000_000, 0)
	large.Rounds, large.Seconds = 3, 3
	return []Workload{small, large}
}

func resident(name, about string, n, quick int) Workload {
	return Workload{
		Name: name,
		About: about + " Bytes are of the live heap, a key's own 13 among them. GC is a forced full collection, " +
			"and its share of processor time and of pauses while hits go on beside 256 B of garbage each. " +
			"Absent are keys that the cache did not hold after all.",
		Ops: n, Quick: quick, Seconds: 0.5, Rounds: 3,
		Columns: []Column{
			{Name: "bytes/key", Unit: "B"}, {Name: "objects/key"}, {Name: "goroutines", Better: Lower},
			{Name: "full GC", Unit: "ns"}, {Name: "GC cpu", Unit: "%"}, {Name: "GC pauses", Unit: "%"},
			{Name: "absent", Unit: "%"},
		},
		Contenders: of(peer.All(), func(p peer.Peer) (Run, error) {
			return Run{
				Do:    func(ops int) ([]float64, error) { return reside(p, ops) },
				Close: func() {},
			}, nil
		}),
	}
}

func reside(p peer.Peer, n int) ([]float64, error) {
	source := &origin{}
	settleGoroutines()
	before, routines := heapNow(), runtime.NumGoroutine()
	// A little room above n, for caches that split it among shards.
	cache, err := p.New(peer.Options{Source: source.fetch, Capacity: n + n/8})
	if err != nil {
		return nil, err
	}
	defer cache.Close()
	for i := range n {
		if _, err := cache.Get(context.Background(), pattern.Key(i)); err != nil {
			return nil, err
		}
		if i%1024 == 0 {
			settle(cache)
		}
	}
	settle(cache)
	settleGoroutines()
	after := heapNow()
	per := func(a, b uint64) float64 { return (float64(b) - float64(a)) / float64(n) }
	figures := []float64{
		per(before.bytes, after.bytes), per(before.objects, after.objects),
		float64(runtime.NumGoroutine() - routines), fullCollection(),
	}
	cpu, pauses := collectorShare(cache, n)
	// A figure per key is one only if all are there.
	calls := source.calls.Load()
	for i := range n {
		if _, err := cache.Get(context.Background(), pattern.Key(i)); err != nil {
			return nil, err
		}
	}
	return append(figures, cpu, pauses, 100*float64(source.calls.Load()-calls)/float64(n)), nil
}

type heap struct{ bytes, objects uint64 }

// heapNow is what is alive.
func heapNow() heap {
	collect()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return heap{bytes: m.HeapAlloc, objects: m.HeapObjects}
}

// settleGoroutines waits until those of earlier runs have ended.
func settleGoroutines() {
	for last, same := -1, 0; same < 5; time.Sleep(2 * time.Millisecond) {
		if now := runtime.NumGoroutine(); now == last {
			same++
		} else {
			last, same = now, 0
		}
	}
}

// fullCollection is the best of a few, in nanoseconds: others only disturb it.
func fullCollection() float64 {
	best := time.Duration(1<<63 - 1)
	for range 3 {
		began := time.Now()
		runtime.GC()
		best = min(best, time.Since(began))
	}
	return float64(best.Nanoseconds())
}

// garbage is where the last of it went.
var garbage atomic.Pointer[[256]byte]

// collectorShare is the collector's share of processor time, and the share of
// time during which it had stopped the world, in per cent.
func collectorShare(cache peer.Cache, n int) (cpu, pauses float64) {
	hits := max(200_000, min(n, 1_000_000))
	keys := pattern.Keys(min(n, fewKeys))
	collect()
	before := readCollector()
	began := time.Now()
	for i := range hits {
		_, _ = cache.Get(context.Background(), keys[i%len(keys)])
		garbage.Store(new([256]byte))
	}
	took := time.Since(began)
	runtime.GC() // the figures are up to date after a collection
	after := readCollector()
	return 100 * (after.gc - before.gc) / (after.total - before.total),
		100 * (after.paused - before.paused) / took.Seconds()
}

type collector struct{ gc, total, paused float64 } // seconds

func readCollector() collector {
	samples := []metrics.Sample{
		{Name: "/cpu/classes/gc/total:cpu-seconds"}, {Name: "/cpu/classes/total:cpu-seconds"},
		{Name: "/sched/pauses/total/gc:seconds"},
	}
	metrics.Read(samples)
	h := samples[2].Value.Float64Histogram()
	paused := 0.0
	for i, count := range h.Counts {
		paused += float64(count) * middle(h.Buckets[i], h.Buckets[i+1])
	}
	return collector{gc: samples[0].Value.Float64(), total: samples[1].Value.Float64(), paused: paused}
}

// middle of a bucket, whose outermost ones are infinite.
func middle(a, b float64) float64 {
	switch {
	case a < 0 || a != a || a < -1e300:
		return b
	case b > 1e300:
		return a
	}
	return (a + b) / 2
}
