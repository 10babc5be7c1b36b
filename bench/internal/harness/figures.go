package harness

import (
	"math"
	"slices"
	"strings"

	"github.com/freshet-go/freshet/bench/internal/peer"
	"github.com/freshet-go/freshet/bench/internal/work"
)

// Spread is a figure over the rounds.
type Spread struct{ Median, Min, Max float64 }

// Spread of a column; not a number where the contender has no such figure.
func (s Series) Spread(column int) Spread {
	var values []float64
	for _, run := range s.Runs {
		if v := run[column]; !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return Spread{math.NaN(), math.NaN(), math.NaN()}
	}
	return Spread{Median: Median(values), Min: slices.Min(values), Max: slices.Max(values)}
}

// Median of values, which it leaves as they are.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	if n := len(sorted); n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[len(sorted)/2]
}

// Best is the peer, neither ours nor bare nor faulty, whose first column is the
// best; nil where there is none.
func (r Result) Best() *Series {
	var best *Series
	var figure float64
	for i := range r.Series {
		s := &r.Series[i]
		if strings.HasPrefix(s.Name, peer.Ours) || s.Bare || len(s.Runs) == 0 {
			continue
		}
		v := s.Spread(0).Median
		if math.IsNaN(v) || r.Faulty(*s) {
			continue
		}
		if best == nil || (r.Workload.Columns[0].Better == work.Higher) == (v > figure) {
			best, figure = s, v
		}
	}
	return best
}

// Faulty says that a contender did not do the work right, or not to the end.
func (r Result) Faulty(s Series) bool {
	if s.Err != nil {
		return true
	}
	for i, c := range r.Workload.Columns {
		if c.Wrong && s.Spread(i).Max > 0 {
			return true
		}
	}
	return false
}

// Ratio of s to another in a column: the median of the ratios of each round, in
// which the machine was the same to both.
func (s Series) Ratio(to *Series, column int) float64 {
	if to == nil {
		return math.NaN()
	}
	var ratios []float64
	for i := range min(len(s.Runs), len(to.Runs)) {
		if r := s.Runs[i][column] / to.Runs[i][column]; !math.IsNaN(r) && !math.IsInf(r, 0) {
			ratios = append(ratios, r)
		}
	}
	return Median(ratios)
}

// Find is the series of a contender, nil if there is none.
func (r Result) Find(name string) *Series {
	for i := range r.Series {
		if r.Series[i].Name == name {
			return &r.Series[i]
		}
	}
	return nil
}
