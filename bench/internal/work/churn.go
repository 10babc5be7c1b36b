package work

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/freshet-go/freshet/bench/internal/pattern"
	"github.com/freshet-go/freshet/bench/internal/peer"
)

// churns are values that expire all the time.
func churns() []Workload {
	return []Workload{{
		Name: "churn/swr",
		About: "16 callers read 64 keys (Zipf) with a TTL of 20 ms and, where a cache can, 200 ms of stale-while-revalidate; " +
			"the source takes 2 ms. A caller sleeps 50 µs between reads.",
		Columns: []Column{
			{Name: "p99", Unit: "ns"}, {Name: "p50", Unit: "ns"}, {Name: "p99.9", Unit: "ns"},
			{Name: "origin calls"}, {Name: "over 1 ms", Unit: "%"},
		},
		Ops: 32_000, Quick: 2_000, Seconds: 0.5,
		Contenders: of(peer.With(peer.CanExpire), func(p peer.Peer) (Run, error) {
			return Run{
				Do:    func(ops int) ([]float64, error) { return churn(p, ops) },
				Close: func() {},
			}, nil
		}),
	}}
}

func churn(p peer.Peer, ops int) ([]float64, error) {
	const callers, keyCount = 16, 64
	source := &origin{delay: 2 * time.Millisecond}
	cache, err := p.New(peer.Options{
		Source: source.fetch, Capacity: 4096, TTL: 20 * time.Millisecond, Stale: 200 * time.Millisecond,
	})
	if err != nil {
		return nil, err
	}
	defer cache.Close()
	keys, order := pattern.Keys(keyCount), pattern.ZipfOrder(keyCount, skew)
	if err := warmUp(cache, keys); err != nil {
		return nil, err
	}
	calls := source.calls.Load()
	var mu sync.Mutex
	var failed failure
	latencies := make([]time.Duration, 0, ops)
	crowd(callers, ops, func(from, to int) {
		mine := make([]time.Duration, 0, to-from)
		for i := from; i < to; i++ {
			began := time.Now()
			_, err := cache.Get(context.Background(), keys[order.At(i)])
			mine = append(mine, time.Since(began))
			if err != nil {
				failed.note(err)
			}
			time.Sleep(50 * time.Microsecond)
		}
		mu.Lock()
		latencies = append(latencies, mine...)
		mu.Unlock()
	})
	slices.Sort(latencies)
	over, _ := slices.BinarySearch(latencies, time.Millisecond)
	return []float64{
		quantile(latencies, 0.99), quantile(latencies, 0.5), quantile(latencies, 0.999),
		float64(source.calls.Load() - calls), 100 * float64(len(latencies)-over) / float64(len(latencies)),
	}, failed.err()
}

// quantile of what is sorted, in nanoseconds.
func quantile(sorted []time.Duration, q float64) float64 {
	return float64(sorted[min(len(sorted)-1, int(q*float64(len(sorted))))].Nanoseconds())
}
