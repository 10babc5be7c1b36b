// Package harness runs workloads: contenders take turns (A B C A B C), so that
// whatever else the machine does falls on all of them alike.
package harness

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/freshet-go/freshet/bench/internal/work"
)

// Plan says how much to measure.
type Plan struct {
	Workloads []work.Workload
	Rounds    int
	Quick     bool
	Tell      func(Progress) // nil: nobody watches
}

// Progress is where a run stands.
type Progress struct {
	Workload string
	Number   int // of the workload, from 1
	Of       int
	Round    int // from 1; 0: warming up
	Rounds   int
	Who      string
	Left     time.Duration // estimated
}

// Result is what a workload came to.
type Result struct {
	Workload work.Workload
	Ops      int
	Series   []Series
	Lines    []time.Duration // by round: what a cache line took from one processor to another
}

// Series is what a contender came to.
type Series struct {
	Name, Module string
	Bare         bool
	Runs         [][]float64 // by round, by column
	Err          error       // it failed, and was left out from then on
}

// Run does the plan and returns the results: when ctx ends, those so far.
func (p Plan) Run(ctx context.Context) []Result {
	work := p.chosen()
	eta := p.newEstimate(work)
	results := make([]Result, 0, len(work))
	for i, w := range work {
		if ctx.Err() != nil {
			break
		}
		tell := func(round, rounds int, who string) {
			if p.Tell != nil {
				p.Tell(Progress{
					Workload: w.Name, Number: i + 1, Of: len(work),
					Round: round, Rounds: rounds, Who: who, Left: eta.left(),
				})
			}
		}
		results = append(results, p.measure(ctx, w, tell, eta))
		eta.done(w)
	}
	return results
}

// chosen are the workloads that the plan has time for.
func (p Plan) chosen() []work.Workload {
	if !p.Quick {
		return p.Workloads
	}
	var quick []work.Workload
	for _, w := range p.Workloads {
		if w.Quick > 0 {
			// Fewer operations; what does not scale with them is not much.
			w.Seconds *= max(0.1, float64(w.Quick)/float64(w.Ops))
			w.Ops = w.Quick
			quick = append(quick, w)
		}
	}
	return quick
}

// rounds is how often a workload is repeated: the dear ones once if it is to be
// quick.
func (p Plan) rounds(w work.Workload) int {
	switch {
	case w.Rounds == 0:
		return p.Rounds
	case p.Quick:
		return 1
	}
	return min(w.Rounds, p.Rounds)
}

func (p Plan) measure(ctx context.Context, w work.Workload, tell func(round, rounds int, who string), eta *estimate) Result {
	if w.Procs > 0 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(w.Procs))
	}
	r := Result{Workload: w, Ops: w.Ops}
	runs := make([]work.Run, len(w.Contenders))
	for i, c := range w.Contenders {
		if ctx.Err() != nil {
			break
		}
		tell(0, p.rounds(w), c.Name)
		run, err := c.Prepare()
		runs[i] = run
		eta.tick(w)
		r.Series = append(r.Series, Series{Name: c.Name, Module: c.Module, Bare: c.Bare, Err: err})
	}
	for round := range p.rounds(w) {
		if took := lineTime(); took > 0 {
			r.Lines = append(r.Lines, took)
		}
		for i := range r.Series {
			s := &r.Series[i]
			if s.Err != nil || ctx.Err() != nil {
				continue
			}
			tell(round+1, p.rounds(w), s.Name)
			figures, err := runs[i].Do(w.Ops)
			if err == nil && len(figures) != len(w.Columns) {
				err = fmt.Errorf("%d figures for %d columns", len(figures), len(w.Columns))
			}
			if err != nil {
				s.Err = err
				continue
			}
			s.Runs = append(s.Runs, figures)
			eta.tick(w)
		}
	}
	for i, run := range runs {
		if run.Close != nil {
			run.Close()
		}
		runs[i] = work.Run{}
	}
	runtime.GC()
	return r
}
