package work

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/bench/internal/pattern"
)

// writes are mutations through the cache.
func writes() []Workload {
	all := []Workload{
		committed("one-key", "Committed mutations of one key, 8 callers, an origin that stores at once. "+
			"Beside it a map under a mutex that writes through: no event, no rollback, no order to keep.", 1),
		committed("10k-keys", "The same over 10,000 keys.", 10_000),
		besideWrites(),
	}
	for _, n := range []int{10, 100, 1000} {
		all = append(all, queued(n))
	}
	return all
}

var perWrite = []Column{
	{Name: "time/write", Unit: "ns"}, {Name: CPU, Unit: "ns"}, {Name: "allocs/op"}, {Name: "bytes/op", Unit: "B"},
}

// shop is an origin that stores what it is given, at once.
type shop struct{ sold atomic.Uint64 }

func (s *shop) Fetch(context.Context, freshet.Request[uint64]) (freshet.Response[uint64], error) {
	return freshet.Response[uint64]{Value: 1}, nil
}

func (s *shop) Create(_ context.Context, v uint64) (string, uint64, error) {
	return fmt.Sprint(s.sold.Add(1)), v, nil
}

func (s *shop) Update(_ context.Context, _ string, v uint64) (uint64, error) {
	s.sold.Add(1)
	return v, nil
}

func (s *shop) Delete(context.Context, string) error { return nil }

// open makes a cache of the shop.
func (s *shop) open() (*freshet.Cache[uint64], error) {
	return freshet.New(freshet.Config[uint64]{Name: "bench", Source: s, Writer: s})
}

const writers = 8

func committed(name, about string, keys int) Workload {
	names := lazily(func() []string { return pattern.Keys(keys) })
	increment := freshet.Mutation[uint64]{Apply: func(v uint64) (uint64, error) { return v + 1, nil }}
	ours := func(write func(c *freshet.Cache[uint64], key string, v uint64) error) func() (Run, error) {
		return func() (Run, error) {
			s := &shop{}
			cache, err := s.open()
			if err != nil {
				return Run{}, err
			}
			return Run{
				Do: func(ops int) ([]float64, error) {
					before := s.sold.Load()
					figures, err := writeAll(ops, names(), func(key string, v uint64) error { return write(cache, key, v) })
					if sold := s.sold.Load() - before; err == nil && sold != uint64(ops) {
						err = fmt.Errorf("%d writes came to the origin, not %d", sold, ops)
					}
					return figures, err
				},
				Close: func() { _ = cache.Close(context.Background()) },
			}, nil
		}
	}
	return Workload{
		Name: "write/" + name, About: about, Columns: perWrite, Scales: true, Ops: 100_000, Quick: 10_000, Seconds: 1,
		Contenders: []Contender{
			{Name: "freshet Update", Module: freshetModule, Prepare: ours(func(c *freshet.Cache[uint64], key string, v uint64) error {
				_, err := c.Update(context.Background(), key, v)
				return err
			})},
			{Name: "freshet Mutate", Module: freshetModule, Prepare: ours(func(c *freshet.Cache[uint64], key string, _ uint64) error {
				_, err := c.Mutate(context.Background(), key, increment)
				return err
			})},
			{Name: "mutex+map", Bare: true, Prepare: func() (Run, error) { return throughMap(names()), nil }},
		},
	}
}

// writeAll has writers write ops values to keys in turn.
func writeAll(ops int, keys []string, write func(key string, v uint64) error) ([]float64, error) {
	var failed atomic.Pointer[error]
	collect()
	spent := countExpense()
	took := crowd(writers, ops, func(from, to int) {
		for i := from; i < to; i++ {
			if err := write(keys[i%len(keys)], uint64(i)); err != nil {
				failed.Store(&err)
			}
		}
	})
	cpu, allocs, bytes := spent.perOp(ops)
	if err := failed.Load(); err != nil {
		return nil, *err
	}
	return []float64{perOp(took, ops), cpu, allocs, bytes}, nil
}

// throughMap writes through a map: what the least costs.
func throughMap(keys []string) Run {
	s := &shop{}
	var mu sync.Mutex
	held := make(map[string]uint64)
	return Run{
		Do: func(ops int) ([]float64, error) {
			return writeAll(ops, keys, func(key string, v uint64) error {
				mu.Lock()
				defer mu.Unlock()
				stored, err := s.Update(context.Background(), key, v)
				held[key] = stored
				return err
			})
		},
		Close: func() {},
	}
}

// besideWrites are hits while mutations of other keys are pending.
func besideWrites() Workload {
	zipf := lazily(func() pattern.Order { return pattern.ZipfOrder(fewKeys, skew) })
	names := lazily(func() []string { return pattern.Keys(fewKeys) })
	hits := func(pending int, of func(i int) string) func() (Run, error) {
		return func() (Run, error) { return hitsBeside(names(), zipf(), pending, of) }
	}
	return Workload{
		Name: "write/hits-beside",
		About: "Parallel reads of 32k resident keys, Zipf 0.99, while mutations wait for their origin: none, a thousand of other keys, " +
			"and a thousand of the keys that are read most.",
		Columns: throughput, Scales: true, Ops: 2_000_000, Quick: 300_000, Seconds: 0.2,
		Contenders: []Contender{
			{Name: "freshet, 1000 pending elsewhere", Module: freshetModule, Prepare: hits(1000, func(i int) string { return fmt.Sprint("other", i) })},
			{Name: "freshet, 1000 pending on what is read", Module: freshetModule, Prepare: hits(1000, func(i int) string { return names()[i] })},
			{Name: "nothing pending", Module: freshetModule, Prepare: hits(0, nil)},
		},
	}
}

func hitsBeside(keys []string, order pattern.Order, pending int, of func(i int) string) (Run, error) {
	s := &shop{}
	cache, err := s.open()
	if err != nil {
		return Run{}, err
	}
	for _, key := range keys {
		if _, err := cache.Get(context.Background(), key); err != nil {
			return Run{}, err
		}
	}
	opened := make(chan struct{})
	waiting := freshet.Mutation[uint64]{
		Apply:  func(v uint64) (uint64, error) { return v + 1, nil },
		Commit: func(_ context.Context, v uint64) (uint64, error) { <-opened; return v, nil },
	}
	for i := range pending {
		// It has left before the origin answers, and that goes on (W6).
		ctx, leave := context.WithCancel(context.Background())
		go func() { _, _ = cache.Mutate(ctx, of(i), waiting) }()
		for cache.Stats().Pending <= i {
			runtime.Gosched()
		}
		leave()
	}
	return Run{
		Do: func(ops int) ([]float64, error) {
			spent := countExpense()
			took := parallel(ops, func(from, to int) {
				for i := from; i < to; i++ {
					_, _ = cache.Get(context.Background(), keys[order.At(i)])
				}
			})
			cpu, allocs, _ := spent.perOp(ops)
			return []float64{perOp(took, ops), cpu, allocs, 0}, nil
		},
		Close: func() {
			close(opened)
			_ = cache.Close(context.Background())
		},
	}, nil
}

// queued are mutations of one key of which many are pending at a time: what
// each adds is to be computed anew when one before it lands, so the cost of one
// grows with how many there are, and not faster.
func queued(n int) Workload {
	return Workload{
		Name: fmt.Sprintf("write/%d-pending", n),
		About: fmt.Sprintf("Increments of one key, %d at a time: all are made while the first one's commit flies, then all commit. "+
			"The time is that from then on.", n),
		Columns: perWrite, Ops: 10_000, Quick: 2_000, Seconds: 0.2,
		Contenders: []Contender{{Name: "freshet Mutate", Module: freshetModule, Prepare: func() (Run, error) {
			s := &shop{}
			cache, err := s.open()
			if err != nil {
				return Run{}, err
			}
			return Run{
				Do:    func(ops int) ([]float64, error) { return drain(cache, n, max(ops/n, 1)) },
				Close: func() { _ = cache.Close(context.Background()) },
			}, nil
		}}},
	}
}

// drain makes n mutations of one key and then lets them commit, times times.
func drain(cache *freshet.Cache[uint64], n, times int) ([]float64, error) {
	ctx := context.Background()
	var sum [4]float64
	for range times {
		if err := cache.Set(ctx, "key", 0); err != nil {
			return nil, err
		}
		opened := make(chan struct{})
		increment := freshet.Mutation[uint64]{
			Apply:  func(v uint64) (uint64, error) { return v + 1, nil },
			Commit: func(_ context.Context, v uint64) (uint64, error) { <-opened; return v, nil },
		}
		var all sync.WaitGroup
		for range n {
			all.Go(func() { _, _ = cache.Mutate(ctx, "key", increment) })
		}
		for s, _ := cache.Peek("key"); s.Pending < n; s, _ = cache.Peek("key") {
			runtime.Gosched()
		}
		spent := countExpense()
		took := alone(func() {
			close(opened)
			all.Wait()
		})
		cpu, allocs, bytes := spent.perOp(n)
		for i, figure := range []float64{perOp(took, n), cpu, allocs, bytes} {
			sum[i] += figure / float64(times)
		}
		if v, err := cache.Get(ctx, "key"); err != nil || v != uint64(n) {
			return nil, fmt.Errorf("%d increments came to %d: %w", n, v, err)
		}
	}
	return sum[:], nil
}
