package harness

import (
	"errors"
	"math"
	"testing"

	"github.com/freshet-go/freshet/bench/internal/work"
)

func result(better work.Better, series ...Series) Result {
	return Result{
		Workload: work.Workload{Columns: []work.Column{{Name: "time", Better: better}, {Name: "failed", Wrong: true}}},
		Series:   series,
	}
}

func of(name string, values ...float64) Series {
	s := Series{Name: name}
	for _, v := range values {
		s.Runs = append(s.Runs, []float64{v, 0})
	}
	return s
}

func TestBest_IsNeitherOursNorBareNorFaulty(t *testing.T) {
	bare, faulty := of("map", 1), of("fast but wrong", 2)
	bare.Bare = true
	faulty.Runs[0][1] = 3
	r := result(work.Lower, of("freshet", 1), bare, faulty, of("slow", 9), of("good", 4))
	if best := r.Best(); best == nil || best.Name != "good" {
		t.Errorf("best is %+v, want good", best)
	}
	broke := of("broke off", 3)
	broke.Err = errors.New("it broke")
	if r = result(work.Lower, broke, of("good", 4)); r.Best().Name != "good" {
		t.Errorf("best is %s, which failed after a round", r.Best().Name)
	}
	r = result(work.Higher, of("slow", 9), of("good", 4))
	if best := r.Best(); best.Name != "slow" {
		t.Errorf("best is %s, want the higher", best.Name)
	}
}

func TestRatio_IsMadeRoundByRound(t *testing.T) {
	// The machine was ten times slower in the second round, for both.
	a, b := of("freshet", 10, 100, 12), of("peer", 20, 200, 20)
	if got := a.Ratio(&b, 0); got != 0.5 {
		t.Errorf("ratio %v, want 0.5", got)
	}
	if !math.IsNaN(a.Ratio(nil, 0)) {
		t.Error("there is a ratio to nobody")
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{[]float64{3, 1, 2}, 2}, {[]float64{4, 1, 2, 3}, 2.5}, {[]float64{7}, 7}} {
		if got := Median(c.values); got != c.want {
			t.Errorf("median of %v is %v, want %v", c.values, got, c.want)
		}
	}
}
