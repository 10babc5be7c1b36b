package work

import (
	"context"
	"fmt"
	"slices"

	"github.com/freshet-go/freshet/bench/internal/pattern"
	"github.com/freshet-go/freshet/bench/internal/peer"
)

// hitRatios are what the eviction policies are worth: one caller replays
// accesses, and what the origin is not asked for is a hit.
func hitRatios(traces string) ([]Workload, error) {
	var recorded []pattern.Accesses
	if traces != "" {
		var err error
		if recorded, err = pattern.Recorded(traces); err != nil {
			return nil, fmt.Errorf("traces: %w", err)
		}
	}
	var workloads []Workload
	for i, a := range slices.Concat(recorded, pattern.Synthetic(400_000)) {
		for _, capacity := range a.Capacities {
			workloads = append(workloads, replays(a, capacity, i < len(recorded)))
		}
	}
	return workloads, nil
}

func replays(a pattern.Accesses, capacity int, recorded bool) Workload {
	names := lazily(func() []string { return pattern.Keys(int(slices.Max(a.Keys)) + 1) })
	quick := 0
	if !recorded && capacity == a.Capacities[1] {
		quick = 50_000
	}
	w := Workload{
		Name:    fmt.Sprintf("ratio/%s@%d", a.Name, capacity),
		About:   fmt.Sprintf("Hit ratio at %d entries: %s.", capacity, a.About),
		Columns: []Column{{Name: "hit ratio", Unit: "%", Better: Higher}, {Name: "time/access", Unit: "ns"}},
		Ops:     len(a.Keys), Quick: quick, Rounds: 1, Seconds: float64(len(a.Keys)) * 0.7e-6,
		Chart: Chart{Title: "Hit ratio, " + a.About, Axis: "entries", X: float64(capacity)},
		Contenders: of(peer.Named(peer.Ours, "otter", "theine", "hot"), func(p peer.Peer) (Run, error) {
			return Run{
				Do:    func(ops int) ([]float64, error) { return replay(p, a.Keys[:ops], names(), capacity) },
				Close: func() {},
			}, nil
		}),
	}
	for i, c := range w.Contenders {
		if c.Name == "hot" {
			w.Contenders[i].Name = "LRU (hot)"
		}
	}
	w.Contenders = append(w.Contenders, Contender{Name: "optimal", Bare: true, Prepare: func() (Run, error) {
		return Run{
			Do: func(ops int) ([]float64, error) {
				return []float64{100 * pattern.Optimal(a.Keys[:ops], capacity), None}, nil
			},
			Close: func() {},
		}, nil
	}})
	return w
}

func replay(p peer.Peer, accesses []uint32, names []string, capacity int) ([]float64, error) {
	source := &origin{}
	cache, err := p.New(peer.Options{Source: source.fetch, Capacity: capacity, Exact: true})
	if err != nil {
		return nil, err
	}
	defer cache.Close()
	calls := int64(0)
	took := alone(func() {
		for _, key := range accesses {
			_, err = cache.Get(context.Background(), names[key])
			if now := source.calls.Load(); now != calls {
				// What a write sets off is to be over before the next read.
				calls = now
				settle(cache)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	n := len(accesses)
	return []float64{100 * (1 - float64(source.calls.Load())/float64(n)), perOp(took, n)}, nil
}
