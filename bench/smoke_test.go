package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

func TestMeasure_SaysAtOnceWhatItCannotDo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"-run", "no such workload"},
		{"-peers", "no such peer"},
		{"-quick", "-run", "hit/zipf-1M"}, // which a quick run leaves out
		{"-run", "hit", "-html", filepath.Join(file, "report.html")},
		{"-run", "hit", "-svg", filepath.Join(file, "plots")},
		{"-run", "hit", "-cpuprofile", filepath.Join(file, "profile")},
		{"-run", "hit", "-traces", t.TempDir()},
	} {
		began := time.Now()
		if err := run(args); err == nil || time.Since(began) > 10*time.Second {
			t.Errorf("%q: %v after %v", args, err, time.Since(began))
		}
	}
}

// TestWarmStart_AsksTheStoreAlone holds the warm starts to what they are there
// to show: every key from the file, none from the origin.
func TestWarmStart_AsksTheStoreAlone(t *testing.T) {
	all, err := work.All("")
	if err != nil {
		t.Fatal(err)
	}
	const keys = 200
	seen := 0
	for _, w := range all {
		for _, c := range w.Contenders {
			if !strings.HasPrefix(c.Name, "freshet warm") {
				continue
			}
			seen++
			run, err := c.Prepare()
			if err != nil {
				t.Fatal(err)
			}
			figures, err := run.Do(keys)
			run.Close()
			if err != nil {
				t.Fatal(err)
			}
			for i, column := range w.Columns {
				want := map[string]float64{"store hits": keys, "origin calls": 0, "lost": 0}
				if v, ok := want[column.Name]; ok && figures[i] != v {
					t.Errorf("%s: %s: %v, want %v", c.Name, column.Name, figures[i], v)
				}
			}
		}
	}
	if seen != 3 {
		t.Errorf("%d warm starts, want 3", seen)
	}
}
