package main

import (
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/freshet-go/freshet/bench/internal/work"
)

// BenchmarkWorkloads is every workload for benchstat, with synthetic accesses
// alone:
//
//	go test -run '^$' -bench 'Workloads/hit/zipf-32k/contender=(freshet|otter)$' -count 10 | tee new.txt
//	benchstat -col /contender new.txt
func BenchmarkWorkloads(b *testing.B) {
	all, err := work.All("")
	if err != nil {
		b.Fatal(err)
	}
	for _, w := range all {
		b.Run(w.Name, func(b *testing.B) {
			for _, c := range w.Contenders {
				b.Run("contender="+strings.ReplaceAll(c.Name, " ", "-"), func(b *testing.B) { benchmark(b, w, c) })
			}
		})
	}
}

// benchmark does b.N operations where a run scales with them, else b.N runs.
func benchmark(b *testing.B, w work.Workload, c work.Contender) {
	if w.Procs > 0 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(w.Procs))
	}
	b.ReportAllocs() // without it testing leaves out our allocs/op, too
	run, err := c.Prepare()
	if err != nil {
		b.Fatal(err)
	}
	defer run.Close()
	ops, times := w.Ops, b.N
	if w.Scales {
		ops, times = b.N, 1
	}
	sums := make([]float64, len(w.Columns))
	b.ResetTimer()
	for range times {
		figures, err := run.Do(ops)
		if err != nil {
			b.Fatal(err)
		}
		for i, f := range figures {
			sums[i] += f / float64(times)
		}
	}
	b.StopTimer()
	for i, column := range w.Columns {
		if !math.IsNaN(sums[i]) {
			b.ReportMetric(sums[i], metric(column))
		}
	}
}

// metric is a column's name as benchstat wants it: without blanks, and ns/op
// where that is what it is.
func metric(c work.Column) string {
	switch c.Name {
	case "time/op", "time/append":
		return "ns/op"
	}
	name := strings.ReplaceAll(c.Name, " ", "-")
	if c.Unit != "" {
		name = strings.ReplaceAll(c.Unit, "/", "per-") + "-" + name
	}
	return name
}
