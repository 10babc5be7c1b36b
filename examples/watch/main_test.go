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
	"go.uber.org/goleak"

	"github.com/freshet-go/freshet/examples/internal/show"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type result struct {
	code      int
	out, errs string
}

// shown is one whole run; the tests of this file look at it from several
// sides. Where a machine is so busy that the desk comes too late for the place
// behind the loss the story takes a turn, which is true and has a test of its
// own: then it is told again.
var shown = sync.OnceValue(func() (r result) {
	for range 4 {
		var out, errs bytes.Buffer
		r.code = run(context.Background(), nil, &out, &errs)
		r.out, r.errs = out.String(), errs.String()
		if r.code != show.ExitTrue || !strings.Contains(r.out, "too late again") {
			break
		}
	}
	return r
})

func TestRunShowsWhatItClaims(t *testing.T) {
	r := shown()
	require.Equal(t, show.ExitTrue, r.code, "%s\n%s", r.out, r.errs)
	require.Empty(t, r.errs)
	for _, line := range []string{
		`left at revision \d+, came back \d+ events behind, caught up on:`,
		`fell behind the history: revisions\s+[\d]+\s+to\s+\d+\s+are\s+lost,\s+\d+\s+events`,
		`Since\(its token\), \d+: .*\s+.*older\s+than\s+the\s+history`,
		`begins with a snapshot: 12 values, synced at\s+revision \d+`,
		`ok a token brought the desk all \d+ events that it had missed`,
		`ok the slow desk was disconnected and told of all \d+ events it lost`,
		`ok board, desk, cache and market have the same 12 prices`,
		`All 9 claims held, in \d+\.\d s\.`,
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
	news    = regexp.MustCompile(`(?m)^ +\w+ +[\d,.]+ → .*$`)
	numbers = regexp.MustCompile(`[-+]?\d[\d,.]*\d|\d`)
	bars    = regexp.MustCompile(`[▁▂▃▄▅▆▇█]+`)
)

// shape is text without its measures: every number is #, words flow, lines of
// the news and of the board are alike.
func shape(text string) string {
	text = news.ReplaceAllString(text, "NEWS")
	text = bars.ReplaceAllString(text, "COURSE")
	return strings.Join(strings.Fields(numbers.ReplaceAllString(text, "#")), " ")
}

func TestInterruptedRunSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out := &trigger{on: "Away for a moment", do: cancel}
	var errs bytes.Buffer
	begun := time.Now()
	require.Equal(t, show.ExitInterrupted, run(ctx, nil, out, &errs))
	require.Equal(t, "watch: interrupted\n", errs.String())
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
		{[]string{"-h"}, show.ExitTrue, "-seed", ""},
		{[]string{"--help"}, show.ExitTrue, "Usage: go run ./examples/watch", ""},
		{[]string{"-seed", "-1"}, show.ExitUsage, "", "invalid value"},
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
