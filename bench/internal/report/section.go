package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/freshet-go/freshet/bench/internal/harness"
	"github.com/freshet-go/freshet/bench/internal/peer"
)

// section is a table with its plots: a workload, or all those that stand on
// line charts.
type section struct {
	name, about string
	table       table
	plots       []string
}

func (r Report) sections() []section {
	var all []section
	for i := 0; i < len(r.Results); i++ {
		first := r.Results[i].Workload
		if first.Chart.Title == "" {
			all = append(all, section{
				name: first.Name, about: first.About + lines(r.Results[i]), table: tableOf(r.Results[i]), plots: []string{fileName(first.Name)},
			})
			continue
		}
		from := i
		for i+1 < len(r.Results) && r.Results[i+1].Workload.Chart.Title != "" {
			i++
		}
		all = append(all, chartSection(r.Results[from:i+1]))
	}
	return all
}

// lines says what cache lines took meanwhile.
func lines(r harness.Result) string {
	if len(r.Lines) == 0 {
		return ""
	}
	least, most := slices.Min(r.Lines), slices.Max(r.Lines)
	return fmt.Sprintf(" Cache lines took %d to %d ns between processors.", least.Nanoseconds(), most.Nanoseconds())
}

// chartSection has a row a workload and a column a contender.
func chartSection(results []harness.Result) section {
	column := results[0].Workload.Columns[0]
	group, _, _ := strings.Cut(results[0].Workload.Name, "/")
	s := section{
		name: group,
		about: fmt.Sprintf("%s in per cent at a number of entries; the last columns are the distances to otter and to the best peer, in points.",
			strings.ToUpper(column.Name[:1])+column.Name[1:]),
	}
	var names []string
	for _, r := range results {
		for _, c := range r.Series {
			if !slices.Contains(names, c.Name) {
				names = append(names, c.Name)
			}
		}
		plot, _, _ := strings.Cut(r.Workload.Name, "@")
		if name := fileName(plot); !slices.Contains(s.plots, name) {
			s.plots = append(s.plots, name)
		}
	}
	s.table = table{append(append([]string{group}, names...), "to otter", "to best")}
	for _, r := range results {
		row := []string{strings.TrimPrefix(r.Workload.Name, group+"/")}
		for _, name := range names {
			row = append(row, medianOf(r.Find(name)))
		}
		s.table = append(s.table, append(row, points(r, r.Find("otter")), points(r, r.Best())))
	}
	return s
}

func medianOf(s *harness.Series) string {
	if s == nil || len(s.Runs) == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f", s.Spread(0).Median)
}

// points is how far ours is from a peer.
func points(r harness.Result, from *harness.Series) string {
	ours := r.Find(peer.Ours)
	if ours == nil || from == nil {
		return "–"
	}
	d := ours.Spread(0).Median - from.Spread(0).Median
	if math.IsNaN(d) {
		return "–"
	}
	return fmt.Sprintf("%+.1f", d)
}
