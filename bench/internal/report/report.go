package report

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/freshet-go/freshet/bench/internal/harness"
)

// Report is what a run came to.
type Report struct {
	Machine harness.Machine
	Results []harness.Result
	Note    string
}

// Text writes the report for a terminal and for Markdown alike.
func (r Report) Text(w io.Writer) {
	_, _ = fmt.Fprintf(w, "%s\n%s\n", r.machine(), r.versions())
	if r.Note != "" {
		_, _ = fmt.Fprintf(w, "%s\n", r.Note)
	}
	for _, s := range r.sections() {
		_, _ = fmt.Fprintf(w, "\n### %s\n%s\n\n", s.name, s.about)
		s.table.write(w)
	}
}

func (r Report) machine() string {
	m := r.Machine
	return fmt.Sprintf("%s, %d cores (GOMAXPROCS %d), %s, %s, %s, %s",
		m.CPU, m.Cores, m.Procs, m.Memory, m.System, m.Go, m.When.Format("2006-01-02 15:04 MST"))
}

// versions are those of the contenders.
func (r Report) versions() string {
	seen := map[string]bool{}
	var versions []string
	for _, result := range r.Results {
		for _, s := range result.Series {
			if s.Module != "" && !seen[s.Module] {
				seen[s.Module] = true
				versions = append(versions, s.Module+" "+r.Machine.Versions[s.Module])
			}
		}
	}
	return strings.Join(versions, ", ")
}

type jsonReport struct {
	Machine   harness.Machine `json:"machine"`
	Note      string          `json:"note,omitempty"`
	Workloads []jsonWorkload  `json:"workloads"`
}

type jsonWorkload struct {
	Name       string          `json:"name"`
	About      string          `json:"about"`
	Ops        int             `json:"ops"`
	Best       string          `json:"best_peer,omitempty"`
	Lines      []int64         `json:"cache_line_ns,omitempty"` // by round, from one processor to another
	Contenders []jsonContender `json:"contenders"`
}

type jsonContender struct {
	Name   string                `json:"name"`
	Ratio  *float64              `json:"ratio_to_best_peer"` // null: there is none
	Error  string                `json:"error,omitempty"`
	Faulty bool                  `json:"faulty,omitempty"`
	Unit   map[string]string     `json:"units"`
	Runs   map[string][]*float64 `json:"runs"` // by column, by round; null: no such figure
}

// JSON writes every figure of every round.
func (r Report) JSON(w io.Writer) error {
	out := jsonReport{Machine: r.Machine, Note: r.Note}
	for _, result := range r.Results {
		best := result.Best()
		jw := jsonWorkload{Name: result.Workload.Name, About: result.Workload.About, Ops: result.Ops}
		if best != nil {
			jw.Best = best.Name
		}
		for _, took := range result.Lines {
			jw.Lines = append(jw.Lines, took.Nanoseconds())
		}
		for _, s := range result.Series {
			jc := jsonContender{
				Name: s.Name, Ratio: number(s.Ratio(best, 0)), Faulty: result.Faulty(s),
				Unit: map[string]string{}, Runs: map[string][]*float64{},
			}
			if s.Err != nil {
				jc.Error = s.Err.Error()
			}
			for i, c := range result.Workload.Columns {
				jc.Unit[c.Name] = c.Unit
				for _, run := range s.Runs {
					jc.Runs[c.Name] = append(jc.Runs[c.Name], number(run[i]))
				}
			}
			jw.Contenders = append(jw.Contenders, jc)
		}
		out.Workloads = append(out.Workloads, jw)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

// number is v, nil where JSON has no word for it.
func number(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
