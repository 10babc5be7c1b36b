// Package work holds the workloads: what every peer is made to do.
package work

import (
	"math"

	"github.com/freshet-go/freshet/bench/internal/peer"
)

// Workload is one piece of fixed work, the same for all its contenders.
type Workload struct {
	Name    string // group/case
	About   string // one sentence for the report
	Columns []Column
	// Contenders are made and warmed up one by one; runs of them interleave.
	Contenders []Contender
	// Ops is how much one run does; quick says how much in a quick one, 0 that
	// a quick report leaves the workload out.
	Ops, Quick int
	// Scales says that a run takes any number of operations.
	Scales bool
	// Seconds is about how long one run takes, for the estimate of time left.
	Seconds float64
	// Rounds bounds the repetitions where one is dear; 0: as many as asked for.
	Rounds int
	// Procs is GOMAXPROCS during the runs; 0: all.
	Procs int
	// Chart puts the workload's first column on a line chart, at X. A workload
	// without a chart is a bar chart of its own.
	Chart Chart
}

// Chart is a place on a line chart.
type Chart struct {
	Title string // "": none
	Axis  string // what X is
	X     float64
}

// Column is a figure of a run. The first of a workload is the one that ratios
// are made of.
type Column struct {
	Name   string
	Unit   string // ns, B, "": a count
	Better Better
	// Wrong says that anything but 0 is a fault, and that who has it is no
	// standard for others.
	Wrong bool
}

// CPU is the name of the column of processor time, whose ratio is worth stating
// beside that of the first.
const CPU = "cpu/op"

// Better says which of two figures is the better one.
type Better int8

// Neither is for figures that only explain.
const (
	Lower Better = iota
	Higher
	Neither
)

// Contender is one peer in one workload.
type Contender struct {
	Name, Module string
	Bare         bool // it shows what the least costs, and is no peer to compare with
	// Prepare makes and warms up what is measured.
	Prepare func() (Run, error)
}

// Run is a prepared contender.
type Run struct {
	// Do does ops operations and returns the figures, one per column; NaN where
	// a contender has none.
	Do    func(ops int) ([]float64, error)
	Close func()
}

// None is the figure of a contender that has none.
var None = math.NaN()

// of makes contenders of peers.
func of(peers []peer.Peer, prepare func(peer.Peer) (Run, error)) []Contender {
	all := make([]Contender, 0, len(peers))
	for _, p := range peers {
		all = append(all, Contender{
			Name: p.Name, Module: p.Module, Bare: p.Bare(),
			Prepare: func() (Run, error) { return prepare(p) },
		})
	}
	return all
}

// All are the workloads in the order of the report. traces is the folder of
// recorded accesses, "" where there is none.
func All(traces string) ([]Workload, error) {
	ratios, err := hitRatios(traces)
	if err != nil {
		return nil, err
	}

	var all []Workload
	for _, some := range [][]Workload{
		hits(), mixes(), colds(), stampedes(), churns(), storms(), voideds(), residents(), appends(), fanouts(), webs(), warms(), rests(), batches(), writes(), ratios, sweeps(),
	} {
		all = append(all, some...)
	}
	return all, nil
}
