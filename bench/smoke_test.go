package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/freshet-go/freshet/bench/internal/harness"
	"github.com/freshet-go/freshet/bench/internal/report"
	"github.com/freshet-go/freshet/bench/internal/work"
)

// TestEveryWorkloadRuns does next to nothing of everything, so that a workload
// or an adapter that no longer works is noticed before a report is due.
func TestEveryWorkloadRuns(t *testing.T) {
	if raceEnabled {
		t.Skip("some of the peers have races of their own")
	}
	all, err := work.All("")
	if err != nil {
		t.Fatal(err)
	}
	var quick []work.Workload
	for _, w := range all {
		if w.Quick > 0 {
			w.Quick = max(1, w.Quick/200)
			quick = append(quick, w)
		}
	}
	r := report.Report{
		Machine: harness.ThisMachine(),
		Results: harness.Plan{Workloads: quick, Rounds: 1, Quick: true}.Run(t.Context()),
	}
	for _, result := range r.Results {
		for _, s := range result.Series {
			if s.Err != nil {
				t.Errorf("%s: %s: %v", result.Workload.Name, s.Name, s.Err)
			}
		}
	}
	var text, raw bytes.Buffer
	r.Text(&text)
	if err := r.JSON(&raw); err != nil || !json.Valid(raw.Bytes()) {
		t.Errorf("JSON: %v", err)
	}
	file := filepath.Join(t.TempDir(), "report.html")
	if err := r.HTML(file); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range quick {
		if w.Chart.Title == "" && !strings.Contains(text.String(), w.Name) {
			t.Errorf("the text lacks %s", w.Name)
		}
	}
	if !strings.Contains(string(page), "<svg") || strings.Contains(string(page), "src=\"http") {
		t.Error("the page has no plots, or needs the network")
	}
}

func TestParse_RefusesWhatItDoesNotKnow(t *testing.T) {
	for _, args := range [][]string{{"-run", "("}, {"-peers", "["}, {"-rounds", "-1"}, {"more"}} {
		if _, err := parse(args); err == nil {
			t.Errorf("%q was taken", args)
		}
	}
}
