package work

import (
	"fmt"
	"runtime"
	"slices"

	"github.com/freshet-go/freshet/bench/internal/pattern"
	"github.com/freshet-go/freshet/bench/internal/peer"
)

// sweeps repeat some workloads with other numbers of processors.
func sweeps() []Workload {
	zipf := lazily(func() pattern.Order { return pattern.ZipfOrder(fewKeys, skew) })
	var all []Workload
	for _, procs := range processors() {
		for _, c := range []struct {
			name   string
			writes int
		}{{"hit", 0}, {"mixed-75-25", 25}} {
			all = append(all, Workload{
				Name:    fmt.Sprintf("procs/%s-%d", c.name, procs),
				About:   fmt.Sprintf("As hit/zipf-32k or mixed/75-25, with GOMAXPROCS %d of %d cores.", procs, runtime.NumCPU()),
				Columns: throughput, Scales: true, Ops: 1_000_000, Quick: 0, Seconds: 0.2, Rounds: 5, Procs: procs,
				Contenders: of(peer.Named(peer.Ours, "otter", "theine", "ristretto+singleflight", "singleflight+map"),
					func(p peer.Peer) (Run, error) { return prepareMix(p, fewKeys, zipf(), 0, c.writes) }),
			})
		}
	}
	return all
}

// processors are the powers of two up to twice the cores, and the cores.
func processors() []int {
	cores := runtime.NumCPU()
	all := []int{cores}
	for n := 1; n <= 2*cores; n *= 2 {
		all = append(all, n)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
