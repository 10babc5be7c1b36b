package work

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/freshet-go/freshet/bench/internal/pattern"
	"github.com/freshet-go/freshet/bench/internal/peer"
)

const (
	fewKeys  = 32 << 10
	manyKeys = 1 << 20
	skew     = 0.99 // as YCSB has it
)

var throughput = []Column{
	{Name: "time/op", Unit: "ns"},
	{Name: CPU, Unit: "ns"},
	{Name: "allocs/op"},
	{Name: "origin calls", Better: Neither},
}

// hits are pure reads of what is resident.
func hits() []Workload {
	zipf, uniform := lazily(func() pattern.Order { return pattern.ZipfOrder(fewKeys, skew) }),
		lazily(func() pattern.Order { return pattern.UniformOrder(fewKeys) })
	zipf1M, uniform1M := lazily(func() pattern.Order { return pattern.ZipfOrder(manyKeys, skew) }),
		lazily(func() pattern.Order { return pattern.UniformOrder(manyKeys) })
	zipf1k := lazily(func() pattern.Order { return pattern.ZipfOrder(1<<10, skew) })
	all := []Workload{
		hit("hit/zipf-1k", "Zipf over a thousand keys: what a read computes, with next to no waiting for memory.", 1<<10, zipf1k, 0),
		hit("hit/zipf-32k", "Parallel reads of 32k resident string keys, Zipf 0.99, no TTL.", fewKeys, zipf, 0),
		hit("hit/uniform-32k", "The same without a preference for any key.", fewKeys, uniform, 0),
		hit("hit/zipf-32k-ttl", "Zipf over 32k with a TTL of an hour: reading now has to know the time.", fewKeys, zipf, time.Hour),
		hit("hit/zipf-1M", "Zipf over a million keys.", manyKeys, zipf1M, 0),
		hit("hit/uniform-1M", "A million keys without a preference: every read misses the processor's caches.", manyKeys, uniform1M, 0),
	}
	for i := range all {
		if strings.HasSuffix(all[i].Name, "-1M") {
			all[i].Quick, all[i].Rounds = 0, 5
		}
	}
	return all
}

func hit(name, about string, n int, order func() pattern.Order, ttl time.Duration) Workload {
	peers := peer.All()
	if ttl > 0 {
		peers = peer.With(peer.CanExpire)
	}
	return Workload{
		Name: name, About: about, Columns: throughput, Scales: true, Ops: 2_000_000, Quick: 300_000, Seconds: 0.2,
		Contenders: of(peers, func(p peer.Peer) (Run, error) {
			return prepareMix(p, n, order(), ttl, 0)
		}),
	}
}

// mixes are reads with a share of writes.
func mixes() []Workload {
	zipf := lazily(func() pattern.Order { return pattern.ZipfOrder(fewKeys, skew) })
	mix := func(writes int) Workload {
		return Workload{
			Name:    fmt.Sprintf("mixed/%d-%d", 100-writes, writes),
			About:   fmt.Sprintf("Zipf over 32k resident keys, %d%% of the operations are a Set of a new value.", writes),
			Columns: throughput, Scales: true, Ops: 1_000_000, Quick: 150_000, Seconds: 0.3,
			Contenders: of(peer.With(peer.CanSet), func(p peer.Peer) (Run, error) {
				return prepareMix(p, fewKeys, zipf(), 0, writes)
			}),
		}
	}
	return []Workload{mix(25), mix(50)}
}

// prepareMix makes a cache with n resident keys, of whose accesses writes per
// cent are writes.
func prepareMix(p peer.Peer, n int, order pattern.Order, ttl time.Duration, writes int) (Run, error) {
	source := &origin{}
	cache, err := p.New(peer.Options{Source: source.fetch, Capacity: 2 * n, TTL: ttl})
	if err != nil {
		return Run{}, err
	}
	keys := pattern.Keys(n)
	if err := warmUp(cache, keys); err != nil {
		cache.Close()
		return Run{}, err
	}
	ctx := context.Background()
	setter, _ := cache.(peer.Setter)
	round := uint64(0)
	return Run{
		Do: func(ops int) ([]float64, error) {
			round++
			values := round << 32 // no round sets what another one did
			var failed failure
			// Whoever allocates is not to be paid for by the next one.
			runtime.GC()
			calls := source.calls.Load()
			spent := countExpense()
			took := parallel(ops, func(from, to int) {
				if writes == 0 {
					for i := from; i < to; i++ {
						if _, err := cache.Get(ctx, keys[order.At(i)]); err != nil {
							failed.note(err)
						}
					}
					return
				}
				write := writeEvery(writes)
				for i := from; i < to; i++ {
					key := keys[order.At(i)]
					if write(i) {
						setter.Set(key, values+uint64(i))
					} else if _, err := cache.Get(ctx, key); err != nil {
						failed.note(err)
					}
				}
			})
			cpu, allocs, _ := spent.perOp(ops)
			return []float64{perOp(took, ops), cpu, allocs, float64(source.calls.Load() - calls)}, failed.err()
		},
		Close: cache.Close,
	}, nil
}

// writeEvery says which operations are writes: percent of them, evenly.
func writeEvery(percent int) func(i int) bool {
	return func(i int) bool { return i*percent%100 < percent }
}

// warmUp loads keys, twice, so that whatever is applied late has been.
func warmUp(cache peer.Cache, keys []string) error {
	for range 2 {
		for i, key := range keys {
			if _, err := cache.Get(context.Background(), key); err != nil {
				return fmt.Errorf("warming up: %w", err)
			}
			if i%1024 == 0 {
				settle(cache)
			}
		}
		settle(cache)
	}
	return nil
}

func settle(cache peer.Cache) {
	if s, ok := cache.(peer.Settler); ok {
		s.Settle()
	}
}
