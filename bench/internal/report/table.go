package report

import (
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/freshet-go/freshet/bench/internal/harness"
	"github.com/freshet-go/freshet/bench/internal/work"
)

// table is rows of cells; the first row is the head.
type table [][]string

// write aligns the columns, the first to the left, as Markdown.
func (t table) write(w io.Writer) {
	widths := make([]int, len(t[0]))
	for _, row := range t {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for n, row := range t {
		for i, cell := range row {
			gap := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				_, _ = fmt.Fprintf(w, "| %s%s ", cell, gap)
			} else {
				_, _ = fmt.Fprintf(w, "| %s%s ", gap, cell)
			}
		}
		_, _ = fmt.Fprintln(w, "|")
		if n == 0 {
			for i, width := range widths {
				if i == 0 {
					_, _ = fmt.Fprintf(w, "|%s", strings.Repeat("-", width+2))
				} else {
					_, _ = fmt.Fprintf(w, "|%s:", strings.Repeat("-", width+1))
				}
			}
			_, _ = fmt.Fprintln(w, "|")
		}
	}
}

// tableOf is a result as a table.
func tableOf(r harness.Result) table {
	head := []string{r.Workload.Name, r.Workload.Columns[0].Name + ", median (range)", "to best peer"}
	for _, c := range r.Workload.Columns[1:] {
		head = append(head, c.Name)
	}
	t := table{head}
	best := r.Best()
	for _, s := range r.Series {
		if s.Err != nil || len(s.Runs) == 0 {
			row := make([]string, len(head))
			row[0], row[1] = s.Name, "not measured" // the run was interrupted
			if s.Err != nil {
				row[1] = "failed: " + s.Err.Error()
			}
			t = append(t, row)
			continue
		}
		row := []string{s.Name, spread(s.Spread(0), r.Workload.Columns[0].Unit), ratio(s.Ratio(best, 0))}
		if r.Faulty(s) || s.Bare {
			row[2] = "(" + row[2] + ")"
		}
		for i, c := range r.Workload.Columns[1:] {
			cell := figure(s.Spread(i+1).Median, c.Unit)
			if beside := s.Ratio(best, i+1); c.Name == work.CPU && !math.IsNaN(beside) {
				cell += ", " + ratio(beside)
			}
			row = append(row, cell)
		}
		t = append(t, row)
	}
	return t
}
