package main

import (
	"bytes"
	"context"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/freshet-go/freshet/examples/internal/show"
)

// The process that the show starts is this test then.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Getenv(childEnv) != "" {
		os.Exit(child(os.Args[1], os.Args[2], os.Args[3], os.Stdin, os.Stdout, os.Stderr))
	}
	goleak.VerifyTestMain(m)
}

// shown is one whole run, which several tests look at.
var shown = sync.OnceValue(func() (r struct {
	code      int
	out, errs string
	took      time.Duration
}) {
	var out, errs bytes.Buffer
	begun := time.Now()
	r.code = run(context.Background(), nil, &out, &errs)
	r.out, r.errs, r.took = out.String(), errs.String(), time.Since(begun)
	return r
})

func TestItComesBackWarm(t *testing.T) {
	r := shown()
	require.Equal(t, show.ExitTrue, r.code, "%s\n%s", r.out, r.errs)
	require.Empty(t, r.errs)
	for _, line := range []string{
		`(?m)^ +steady +0 +0 +0 +0$`,
		`(?m)^ +brief +120 +12 +108 +\d+$`,
		`\d+ answers in \d+ ms: signal: killed`,
		`All 8 claims held, in \d+\.\d s\.`,
	} {
		require.Regexp(t, line, r.out)
	}
	require.Less(t, r.took, patience/2)
	for line := range strings.Lines(r.out) {
		require.LessOrEqual(t, len(line), 80, line)
	}
	require.NotContains(t, r.out, "\x1b", "it is no terminal")
}

// The run that the README shows has the lines of a real one; only what is
// measured differs.
func TestReadmeShowsARealRun(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(readme), "```text\n")
	require.True(t, ok, "the README shows no run")
	sample, _, ok := strings.Cut(rest, "```")
	require.True(t, ok, "the README's run does not end")
	require.Equal(t, shape(shown().out), shape(sample))
}

var (
	times    = regexp.MustCompile(`\d+(\.\d)? (ms|s|kB)\b`)
	measured = regexp.MustCompile(`127\.0\.0\.1:\d+|process \d+|\d+ answers|(busy +24) +\d+ +\d+ +\d+`)
	spaces   = regexp.MustCompile(`\s+`)
)

// shape is text without its measures, and however it was wrapped. What the origin
// counts is not a measure: it is the same in every run.
func shape(text string) string {
	text = measured.ReplaceAllString(text, "# $1")
	text = times.ReplaceAllString(text, "# $2")
	return strings.ReplaceAll(spaces.ReplaceAllString(text, " "), "# ms to # ms", "#")
}

// Each claim is one that can fail.
func TestWhatIsNotTrueIsSaid(t *testing.T) {
	at := time.Now()
	good := func() *seen {
		s := &seen{
			started: at, killed: at.Add(time.Second), back: at.Add(2 * time.Second), how: "signal: killed", worked: 100,
			learned: map[string]counts{}, returned: map[string]counts{}, now: map[string]int{}, edited: keysOf(brief)[:12],
		}
		for kind, n := range howMany {
			s.learned[kind] = counts{requests: n, full: n, bytes: 1000 * n}
			for _, key := range keysOf(kind) {
				l := look{Key: key, Edition: 1, State: "Fresh", At: at.Add(time.Millisecond)}
				if kind != steady {
					l.At = s.back.Add(time.Millisecond)
				}
				s.now[key] = 1
				s.second.Looks = append(s.second.Looks, l)
			}
		}
		s.second.StoreHits = allRecords
		s.returned[brief] = counts{requests: 120, conditional: 120, unchanged: 108, full: 12}
		s.returned[busy] = counts{requests: 24, conditional: 24}
		return s
	}
	require.NoError(t, show.Verify(good().claims()))
	for name, spoil := range map[string]func(*seen){
		"learned twice":       func(s *seen) { s.learned[busy] = counts{requests: 25, full: 25} },
		"it ended by itself":  func(s *seen) { s.how = "exit status 0" },
		"it was idle":         func(s *seen) { s.worked = 0 },
		"a record is lost":    func(s *seen) { s.second.StoreHits-- },
		"a record is torn":    func(s *seen) { s.second.Corrupt++ },
		"the store failed":    func(s *seen) { s.second.StoreErrors++ },
		"a fresh one asks":    func(s *seen) { s.returned[steady] = counts{requests: 1, conditional: 1, unchanged: 1} },
		"a fresh one is new":  func(s *seen) { s.second.Looks[indexOf(s, steady)].At = s.back },
		"one failed":          func(s *seen) { s.second.Looks[indexOf(s, steady)].Err = "no" },
		"one was not read":    func(s *seen) { s.second.Looks = s.second.Looks[1:] },
		"an old edition":      func(s *seen) { s.now["brief-000"] = 2 },
		"without its ETag":    func(s *seen) { s.returned[brief] = counts{requests: 120, conditional: 119, unchanged: 108, full: 12} },
		"it was not asked":    func(s *seen) { s.returned[busy] = counts{requests: 23, conditional: 23} },
		"everything is heavy": func(s *seen) { s.returned[busy] = counts{requests: 24, conditional: 24, bytes: 1 << 20} },
	} {
		s := good()
		spoil(s)
		require.ErrorContains(t, show.Verify(s.claims()), "not true", name)
	}
}

func indexOf(s *seen, kind string) int {
	for i, l := range s.second.Looks {
		if strings.HasPrefix(l.Key, kind) {
			return i
		}
	}
	return -1
}

func TestFlags(t *testing.T) {
	for _, c := range []struct {
		args      []string
		code      int
		out, errs string
	}{
		{[]string{"-h"}, show.ExitTrue, "Usage: go run ./examples/restart", ""},
		{[]string{"-fast"}, show.ExitUsage, "", "-fast"},
		{[]string{"twice"}, show.ExitUsage, "", `"twice"`},
		{[]string{"-dir", "/dev/null/x"}, show.ExitFalse, "", "restart: "},
	} {
		var out, errs bytes.Buffer
		require.Equal(t, c.code, run(t.Context(), c.args, &out, &errs), c.args)
		require.Contains(t, out.String(), c.out)
		require.Contains(t, errs.String(), c.errs)
	}
}

func TestInterruptedRunEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(200*time.Millisecond, cancel)
	var out, errs bytes.Buffer
	require.Equal(t, show.ExitInterrupted, run(ctx, nil, &out, &errs))
	require.Contains(t, errs.String(), "interrupted")
}
