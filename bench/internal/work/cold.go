package work

import (
	"context"
	"fmt"
	"time"

	"github.com/freshet-go/freshet/bench/internal/pattern"
	"github.com/freshet-go/freshet/bench/internal/peer"
)

// colds are first reads of distinct keys.
func colds() []Workload {
	return []Workload{
		cold("instant", "Parallel first reads of distinct keys from a source that answers at once.", 0, 100_000, 20_000),
		cold("100us", "The same where the source takes 100 µs, 64 callers at a time.", 100*time.Microsecond, 20_000, 2_000),
		cold("10ms", "The same where the source takes 10 ms, 1,000 callers at a time.", 10*time.Millisecond, 10_000, 1_000),
	}
}

func cold(name, about string, delay time.Duration, ops, quick int) Workload {
	return Workload{
		Name: "cold/" + name, About: about, Scales: true, Ops: ops, Quick: quick, Seconds: 0.3,
		Columns: []Column{
			{Name: "time/op", Unit: "ns"}, {Name: CPU, Unit: "ns"}, {Name: "allocs/op"}, {Name: "bytes/op", Unit: "B"}, {Name: "origin calls/op"},
		},
		Contenders: of(append(peer.All(), peer.DoChan), func(p peer.Peer) (Run, error) {
			return Run{
				Do:    func(ops int) ([]float64, error) { return loadAll(p, delay, ops) },
				Close: func() {},
			}, nil
		}),
	}
}

// loadAll reads ops new keys from a new cache.
func loadAll(p peer.Peer, delay time.Duration, ops int) ([]float64, error) {
	source := &origin{delay: delay}
	cache, err := p.New(peer.Options{Source: source.fetch, Capacity: 2 * ops})
	if err != nil {
		return nil, err
	}
	defer cache.Close()
	keys := pattern.Keys(ops)
	failed := make(chan error, 1)
	load := func(from, to int) {
		for i := from; i < to; i++ {
			if _, err := cache.Get(context.Background(), keys[i]); err != nil {
				select {
				case failed <- err:
				default:
				}
			}
		}
	}
	collect()
	spent := countExpense()
	var took time.Duration
	switch {
	case delay == 0:
		took = parallel(ops, load)
	case delay < time.Millisecond:
		took = crowd(64, ops, load)
	default:
		took = crowd(1000, ops, load)
	}
	cpu, allocs, bytes := spent.perOp(ops)
	select {
	case err := <-failed:
		return nil, fmt.Errorf("%s: %w", p.Name, err)
	default:
	}
	return []float64{perOp(took, ops), cpu, allocs, bytes, float64(source.calls.Load()) / float64(ops)}, nil
}
