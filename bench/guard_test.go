package main

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/freshet-go/freshet/bench/internal/harness"
	"github.com/freshet-go/freshet/bench/internal/peer"
	"github.com/freshet-go/freshet/bench/internal/work"
)

// guard is what must not get worse: a column of freshet's beside the best of
// the references, within one interleaved run. No time is absolute, so the
// guard holds on any machine.
type guard struct {
	workload   string
	column     string // processor time rather than time that passed: others may want the machine too
	references []string
	recorded   float64 // the ratio as the guard itself measured it last, with its smaller amount of work
	slowLines  float64 // the same where cache lines are slow; 0: it makes no difference
	freeOf     string  // a column that must be exactly 0
}

// tolerated is how many times worse than recorded fails.
const tolerated = 1.5

// slowLine is above what processors that share a cache take for a line, and
// below what others do.
const slowLine = 110 * time.Nanosecond

var guards = []guard{
	{workload: "hit/zipf-1k", column: "cpu/op", references: []string{"otter"}, recorded: 0.55, freeOf: "allocs/op"},
	{workload: "hit/zipf-32k", column: "cpu/op", references: []string{"otter"}, recorded: 0.55, freeOf: "allocs/op"},
	{workload: "mixed/75-25", column: "cpu/op", references: []string{"otter", "sturdyc", "theine"}, recorded: 2.1},
	{workload: "cold/instant", column: "cpu/op", references: []string{"otter", "sturdyc", "theine"}, recorded: 2.8},
	{workload: "resident/100k", column: "bytes/key", references: []string{"otter"}, recorded: 3.7},
	{workload: "append/0-readers", column: "time/append", references: []string{"ro"}, recorded: 1.0, freeOf: "allocs/op"},
	{workload: "append/1000-other-keys", column: "time/append", references: []string{"ro"}, recorded: 0.002},
	{workload: "append/1000-readers", column: "time/append", references: []string{"ro"}, recorded: 0.0015},
	{workload: "fanout/1", column: "deliveries", references: []string{"rxgo"}, recorded: 13, slowLines: 6},
	{workload: "fanout/10", column: "deliveries", references: []string{"rxgo"}, recorded: 13},
	{workload: "fanout/100", column: "deliveries", references: []string{"rxgo"}, recorded: 18},
}

// TestGuard fails when a ratio has got much worse, or when what was free of
// allocations no longer is.
func TestGuard(t *testing.T) {
	if testing.Short() {
		t.Skip("it measures for some seconds")
	}
	if raceEnabled {
		t.Skip("the race detector slows down some more than others")
	}
	all, err := work.All("")
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range guards {
		t.Run(g.workload, func(t *testing.T) {
			if runtime.GOOS == "windows" && g.column == work.CPU {
				t.Skip("processor time is read on Unix alone")
			}
			w, err := g.narrow(all)
			if err != nil {
				t.Fatal(err)
			}
			// A machine that others use too may spoil one run; not three.
			var failure error
			for range 3 {
				if failure = g.check(t, w); failure == nil {
					return
				}
			}
			t.Error(failure)
		})
	}
}

// narrow is the guard's workload with the contenders that it compares.
func (g guard) narrow(all []work.Workload) (work.Workload, error) {
	for _, w := range all {
		if w.Name != g.workload {
			continue
		}
		var contenders []work.Contender
		for _, c := range w.Contenders {
			if c.Name == peer.Ours || strings.Contains(" "+strings.Join(g.references, " ")+" ", " "+c.Name+" ") {
				contenders = append(contenders, c)
			}
		}
		if len(contenders) != 1+len(g.references) {
			return w, fmt.Errorf("%d contenders, want freshet and %v", len(contenders), g.references)
		}
		w.Contenders = contenders
		return w, nil
	}
	return work.Workload{}, fmt.Errorf("there is no workload %s", g.workload)
}

func (g guard) check(t *testing.T, w work.Workload) error {
	t.Helper()
	r := harness.Plan{Workloads: []work.Workload{w}, Rounds: 5, Quick: true}.Run(t.Context())[0]
	for _, s := range r.Series {
		if s.Err != nil {
			return fmt.Errorf("%s: %w", s.Name, s.Err)
		}
	}
	return g.judge(t.Logf, r)
}

// judge is the guard's verdict on a result: nil, or what is wrong.
func (g guard) judge(logf func(format string, args ...any), r harness.Result) error {
	columns := r.Workload.Columns
	column := slices.IndexFunc(columns, func(c work.Column) bool { return c.Name == g.column })
	if column < 0 {
		return fmt.Errorf("there is no column %s", g.column)
	}
	ours := r.Find(peer.Ours)
	if g.freeOf != "" {
		free := slices.IndexFunc(columns, func(c work.Column) bool { return c.Name == g.freeOf })
		if free < 0 {
			return fmt.Errorf("there is no column %s", g.freeOf)
		}
		// What others allocate meanwhile is in the figure; it is not in every round.
		if least := ours.Spread(free).Min; !(least == 0) {
			return fmt.Errorf("%s is %v, not 0", g.freeOf, least)
		}
	}
	higher := columns[column].Better == work.Higher
	ratio := math.NaN()
	for _, name := range g.references {
		// The best of them is the one beside which ours looks worst.
		beside := ours.Ratio(r.Find(name), column)
		switch {
		case math.IsNaN(beside):
			return fmt.Errorf("%s has no ratio to %s", g.column, name)
		case math.IsNaN(ratio), higher == (beside < ratio):
			ratio = beside
		}
	}
	recorded := g.recorded
	if took := slices.Sorted(slices.Values(r.Lines)); g.slowLines > 0 && len(took) > 0 && took[len(took)/2] > slowLine {
		recorded = g.slowLines
	}
	limit := recorded * tolerated
	worse := ratio > limit
	if higher {
		limit = recorded / tolerated
		worse = ratio < limit
	}
	verdict := fmt.Sprintf("%s is %.3g of the best of %s; recorded %.3g, limit %.3g",
		g.column, ratio, strings.Join(g.references, ", "), recorded, limit)
	logf("%s", verdict)
	if worse {
		return errors.New(verdict)
	}
	return nil
}

// TestGuard_Judges holds the guard itself to what it promises, without a
// measurement.
func TestGuard_Judges(t *testing.T) {
	lower := guard{column: "cpu", references: []string{"slow", "fast"}, recorded: 2, freeOf: "allocs"}
	higher := guard{column: "rate", references: []string{"slow", "fast"}, recorded: 6}
	nan := math.NaN()
	for _, c := range []struct {
		name             string
		guard            guard
		ours, slow, fast [3]float64 // cpu, allocs, rate
		fails            bool
	}{
		{"as recorded", lower, [3]float64{20, 0, 1}, [3]float64{40, 9, 1}, [3]float64{10, 9, 1}, false},
		{"a little worse", lower, [3]float64{29, 0, 1}, [3]float64{40, 9, 1}, [3]float64{10, 9, 1}, false},
		{"1.5 times worse than the best allows", lower, [3]float64{31, 0, 1}, [3]float64{40, 9, 1}, [3]float64{10, 9, 1}, true},
		{"allocates", lower, [3]float64{20, 0.01, 1}, [3]float64{40, 9, 1}, [3]float64{10, 9, 1}, true},
		{"has no figure", lower, [3]float64{nan, 0, 1}, [3]float64{40, 9, 1}, [3]float64{10, 9, 1}, true},
		{"a reference has no figure", lower, [3]float64{20, 0, 1}, [3]float64{40, 9, 1}, [3]float64{nan, 9, 1}, true},
		{"allocations are unknown", lower, [3]float64{20, nan, 1}, [3]float64{40, 9, 1}, [3]float64{10, 9, 1}, true},
		{"a rate as recorded", higher, [3]float64{1, 1, 60}, [3]float64{1, 1, 5}, [3]float64{1, 1, 10}, false},
		{"a rate 1.5 times worse", higher, [3]float64{1, 1, 39}, [3]float64{1, 1, 5}, [3]float64{1, 1, 10}, true},
		{"no such column", guard{column: "none"}, [3]float64{}, [3]float64{}, [3]float64{}, true},
		{"nothing to be free of", guard{column: "cpu", freeOf: "none"}, [3]float64{}, [3]float64{}, [3]float64{}, true},
	} {
		r := harness.Result{Workload: work.Workload{
			Columns: []work.Column{{Name: "cpu"}, {Name: "allocs"}, {Name: "rate", Better: work.Higher}},
		}}
		for _, s := range []struct {
			name    string
			figures [3]float64
		}{{peer.Ours, c.ours}, {"slow", c.slow}, {"fast", c.fast}} {
			r.Series = append(r.Series, harness.Series{Name: s.name, Runs: [][]float64{s.figures[:]}})
		}
		if err := c.guard.judge(t.Logf, r); (err != nil) != c.fails {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Where lines are slow it is held to what was recorded there.
func TestGuard_KnowsSlowLines(t *testing.T) {
	g := guard{column: "rate", references: []string{"other"}, recorded: 6, slowLines: 3}
	for _, c := range []struct {
		lines []time.Duration
		rate  float64 // beside 10
		fails bool
	}{
		{nil, 39, true},
		{[]time.Duration{40, 45, 300}, 39, true},
		{[]time.Duration{250, 40, 220}, 39, false},
		{[]time.Duration{250, 40, 220}, 19, true},
	} {
		r := harness.Result{
			Workload: work.Workload{Columns: []work.Column{{Name: "rate", Better: work.Higher}}},
			Series:   []harness.Series{{Name: peer.Ours, Runs: [][]float64{{c.rate}}}, {Name: "other", Runs: [][]float64{{10}}}},
			Lines:    c.lines,
		}
		if err := g.judge(t.Logf, r); (err != nil) != c.fails {
			t.Errorf("%v, %v: %v", c.lines, c.rate, err)
		}
	}
}
