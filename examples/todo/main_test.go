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

func ran(ctx context.Context, args ...string) (r result) {
	var out, errs bytes.Buffer
	r.code = run(ctx, args, &out, &errs)
	r.out, r.errs = out.String(), errs.String()
	return r
}

// shown is one whole run; several tests look at it.
var shown = sync.OnceValue(func() result { return ran(context.Background()) })

var took = regexp.MustCompile(`in \d+\.\d s\.`)

// The README shows this very output, but for how long it took.
func TestTheOutputIsWhatTheREADMEPromises(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, after, found := strings.Cut(string(readme), "```text\n")
	require.True(t, found)
	want, _, found := strings.Cut(after, "```")
	require.True(t, found)
	r := shown()
	require.Equal(t, show.ExitTrue, r.code, "%s\n%s", r.out, r.errs)
	require.Empty(t, r.errs)
	require.Equal(t, took.ReplaceAllString(want, ""), took.ReplaceAllString(r.out, ""))
}

// What goes to a file or a pipe is plain text that fits every terminal.
func TestOutputIsPlainWhereItIsNoTerminal(t *testing.T) {
	out := shown().out
	require.NotContains(t, out, "\x1b")
	require.NotContains(t, out, "\r")
	for line := range strings.Lines(out) {
		require.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), show.Columns, line)
		require.Equal(t, strings.TrimRight(line, " \n"), strings.TrimSuffix(line, "\n"), "spaces at the end")
	}
}

func TestQuietRunPrintsTheVerdictsAlone(t *testing.T) {
	r := ran(t.Context(), "-quiet")
	require.Equal(t, show.ExitTrue, r.code, r.errs)
	lines := strings.Split(strings.TrimSuffix(r.out, "\n"), "\n")
	for _, line := range lines[:len(lines)-1] {
		require.Regexp(t, `^   (ok|  ) \S`, line)
	}
	require.Regexp(t, `^All \d+ claims held`, lines[len(lines)-1])
}

// A claim that does not hold ends the run, and says what was found instead.
func TestRunFailsWhereAClaimDoesNotHold(t *testing.T) {
	var out bytes.Buffer
	err := play(t.Context(), show.New(&out, show.Options{Margin: "   "}), 0, []scene{&loading{}, lie{}, &adding{}})
	require.EqualError(t, err, "scene 2: not true: the earth is flat (it is not)")
	require.Contains(t, out.String(), "   NO the earth is flat (it is not)\n")
	require.NotContains(t, out.String(), "Add", "the show went on")
}

type lie struct{}

func (lie) title() string                      { return "A lie" }
func (lie) play(context.Context, *stage) error { return nil }
func (lie) claims() []show.Claim {
	return []show.Claim{show.Claimed(false, "the earth is flat", "it is not")}
}

// Interrupted wherever it is, also while the origin holds an answer back, it
// ends, and says so.
func TestInterruptedRunEnds(t *testing.T) {
	for _, on := range []string{"1  ", "the origin has not answered", "the second waits", "the answer is lost;", "list and edit"} {
		ctx, cancel := context.WithCancel(t.Context())
		var errs bytes.Buffer
		begun := time.Now()
		require.Equal(t, show.ExitInterrupted, run(ctx, nil, &trigger{on: on, do: cancel}, &errs), on)
		require.Equal(t, "todo: interrupted\n", errs.String(), on)
		require.Less(t, time.Since(begun), patience/4, on)
	}
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
		{[]string{"-h"}, show.ExitTrue, "-pace", ""},
		{[]string{"--help"}, show.ExitTrue, "Usage: go run ./examples/todo", ""},
		{[]string{"-pace", "-1s"}, show.ExitUsage, "", "-pace is 0 to 10s, not -1s"},
		{[]string{"-pace", "1h"}, show.ExitUsage, "", "-pace is 0 to 10s, not 1h0m0s"},
		{[]string{"-pace", "slow"}, show.ExitUsage, "", "invalid value"},
		{[]string{"-colour"}, show.ExitUsage, "", "not defined: -colour"},
		{[]string{"now"}, show.ExitUsage, "", `"now"`},
	} {
		r := ran(t.Context(), c.args...)
		require.Equal(t, c.code, r.code, c.args)
		require.Contains(t, r.out, c.out)
		require.Contains(t, r.errs, c.errs)
		require.Equal(t, c.out == "", r.out == "")
		require.Equal(t, c.errs == "", r.errs == "")
	}
}
