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
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/examples/internal/show"
)

// shown is one whole run, played faster than for people. The tests of this
// file look at it from several sides.
var shown = sync.OnceValue(func() (r struct {
	code      int
	out, errs string
}) {
	var out, errs bytes.Buffer
	r.code = run(context.Background(), []string{"-pace", "0.5"}, &out, &errs)
	r.out, r.errs = out.String(), errs.String()
	return r
})

func TestRunShowsWhatItClaims(t *testing.T) {
	r := shown()
	require.Equal(t, show.ExitTrue, r.code, "%s\n%s", r.out, r.errs)
	require.Empty(t, r.errs)
	for _, line := range []string{
		`1,000 answers in \d+ ms from 1 shared future and 1 request`,
		`then 100,000 reads from memory, \d+ ns each: 0 requests`,
		`10 reloads, 10 requests, 9 dropped answers`,
		`flight \d+ answered reloads 1 to 10 with edition 11`,
		`whoever keeps what comes last has edition \d+ now; the cache has 11`,
		`the guard spared the origin \d of 10 requests`,
		`caller 1 left after \d+ ms: context canceled`,
		`1 request at the origin, 0 cut short`,
		`down   LPB  edition 1  Stale  La Paz \(refresh failed: connection refused\)`,
		`up     LPB  edition 2  Fresh  La Paz`,
		`dropped +0 +9 +\d `,
		`\d+ flights = \d+ requests at the origin \+ 5 that could not reach it`,
		`All 16 claims held, in \d+\.\d s\.`,
	} {
		require.Regexp(t, line, r.out)
	}
	require.NotContains(t, r.out, "   NO ")
}

// What goes to a file or a pipe is plain text that fits 80 show.Columns.
func TestOutputIsPlainWhereItIsNoTerminal(t *testing.T) {
	out := shown().out
	require.NotContains(t, out, "\x1b")
	require.NotContains(t, out, "\r")
	for line := range strings.Lines(out) {
		require.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), show.Columns, line)
		require.Equal(t, strings.TrimRight(line, " \n"), strings.TrimSuffix(line, "\n"), "spaces at the end")
	}
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
	numbers = regexp.MustCompile(`-?\d[\d,.]*\d|\d`)
	lists   = regexp.MustCompile(`#(, #)+`)
	bars    = regexp.MustCompile(`─+`)
	spaces  = regexp.MustCompile(` +`)
	reloadN = regexp.MustCompile(`reloads? #( to #)?`)
)

// shape is text without its measures: every number is #, every bar has one
// length, and lines of one shape that follow each other are one.
func shape(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		line = numbers.ReplaceAllString(line, "#")
		line = lists.ReplaceAllString(line, "#s")
		line = bars.ReplaceAllString(line, "─")
		line = reloadN.ReplaceAllString(line, "reloads #")
		line = strings.TrimSpace(spaces.ReplaceAllString(line, " "))
		if n := len(lines); n == 0 || lines[n-1] != line {
			lines = append(lines, line)
		}
	}
	return lines
}

func TestQuietRunPrintsTheVerdictsAlone(t *testing.T) {
	var out bytes.Buffer
	scr := show.New(&out, show.Options{Quiet: true, Margin: "   "})
	st := newTestStage(t, scr)
	held, err := playAll(t.Context(), st, []scene{&leaver{}})
	require.NoError(t, err)
	require.Equal(t, held, strings.Count(out.String(), "\n"))
	require.Equal(t, held, strings.Count(out.String(), "   ok "))
}

// A claim that does not hold ends the run, and says what was found instead.
func TestRunFailsWhereAClaimDoesNotHold(t *testing.T) {
	var out bytes.Buffer
	st := newTestStage(t, show.New(&out, show.Options{Margin: "   "}))
	_, err := playAll(t.Context(), st, []scene{lie{}, &leaver{}})
	require.EqualError(t, err, "scene 1: not true: the earth is flat (it is not)")
	require.Contains(t, out.String(), "   NO the earth is flat (it is not)\n")
	require.NotContains(t, out.String(), "leaves early", "the show went on")
}

type lie struct{}

func (lie) title() string                      { return "A lie" }
func (lie) play(context.Context, *stage) error { return nil }
func (lie) claims() []show.Claim {
	return []show.Claim{show.Claimed(false, "the earth is flat", "it is not")}
}

func newTestStage(t *testing.T, scr *show.Screen) *stage {
	t.Helper()
	st, err := newStage(options{callers: 100, seed: 1, pace: 0.3}, scr)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.close()) })
	return st
}

func TestInterruptedRunSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out := &trigger{on: "Ten reloads", do: cancel}
	var errs bytes.Buffer
	begun := time.Now()
	require.Equal(t, show.ExitInterrupted, run(ctx, nil, out, &errs))
	require.Equal(t, "quickstart: interrupted\n", errs.String())
	require.Less(t, time.Since(begun), patience/2)
}

// trigger is a writer that does something when it reads a word.
type trigger struct {
	on string
	do func()
}

func (w *trigger) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(w.on)) {
		w.do()
	}
	return len(p), nil
}

func TestFlags(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		out  string
		errs string
	}{
		{[]string{"-h"}, show.ExitTrue, "-callers", ""},
		{[]string{"--help"}, show.ExitTrue, "Usage: go run ./examples/quickstart", ""},
		{[]string{"-callers", "1"}, show.ExitUsage, "", "-callers is 2 to 100000, not 1"},
		{[]string{"-callers", "lots"}, show.ExitUsage, "", "invalid value"},
		{[]string{"-pace", "NaN"}, show.ExitUsage, "", "-pace is 0.2 to 10, not NaN"},
		{[]string{"-pace", "0"}, show.ExitUsage, "", "-pace is 0.2 to 10, not 0"},
		{[]string{"-colour"}, show.ExitUsage, "", "not defined: -colour"},
		{[]string{"now"}, show.ExitUsage, "", `"now"`},
	} {
		var out, errs bytes.Buffer
		require.Equal(t, c.code, run(t.Context(), c.args, &out, &errs), c.args)
		require.Contains(t, out.String(), c.out)
		require.Contains(t, errs.String(), c.errs)
		require.Equal(t, c.out == "", out.Len() == 0)
		require.Equal(t, c.errs == "", errs.Len() == 0)
	}
}
