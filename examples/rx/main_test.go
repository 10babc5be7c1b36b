package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/freshet-go/freshet/examples/internal/show"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What the README promises is what the program prints, to the letter.
func TestOutputIsThatOfTheReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(readme), "```text\n")
	require.True(t, ok, "the README shows no output")
	promised, _, ok := strings.Cut(rest, "```")
	require.True(t, ok, "the README's output does not end")

	var out, errs bytes.Buffer
	require.Equal(t, 0, run(t.Context(), nil, &out, &errs), "%s\n%s", errs.String(), out.String())
	require.Empty(t, errs.String())
	require.Equal(t, promised, out.String())
	for line := range strings.Lines(out.String()) {
		require.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), columns, line)
	}
}

// An operator that says anything else than it should ends in an error.
func TestWhatIsNotTrueIsFound(t *testing.T) {
	var out bytes.Buffer
	p := &page{w: &out}
	st, err := newStage(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, st.prices.Close(context.Background())) }()
	claims, err := observers(t.Context(), st, p)
	require.NoError(t, err)
	require.NoError(t, show.Verify(claims))
	st.sides[2].want[1] = "gold, tin, rye, gold"
	st.seen["gold"][0]++
	for _, s := range []scene{sideBySide, group} {
		claims, err := s(t.Context(), st, p)
		require.NoError(t, err)
		require.ErrorContains(t, show.Verify(claims), "not true: ")
		p.verdict(claims[0])
	}
	require.Contains(t, out.String(), "\nNO rxgo's safe operators and the typed ones say the same (BufferWithCount(4)")
}

func TestAnObserverThatIsNotToldTheBellSaysSo(t *testing.T) {
	st, err := newStage(t.Context())
	require.NoError(t, err)
	v := observe(t.Context(), st.sides[0].observable)
	for _, s := range st.sides {
		s.sub.Close()
	}
	require.NoError(t, st.prices.Close(context.Background()))
	_, err = v.read(t.Context())
	require.Error(t, err)
}

func TestArguments(t *testing.T) {
	for _, c := range []struct {
		args      []string
		code      int
		out, errs string
	}{
		{[]string{"-h"}, 0, usage, ""},
		{[]string{"fast"}, 2, "", `"fast"`},
		{[]string{"-fast"}, 2, "", "not defined: -fast"},
	} {
		var out, errs bytes.Buffer
		require.Equal(t, c.code, run(t.Context(), c.args, &out, &errs))
		require.Equal(t, c.out, out.String())
		require.Contains(t, errs.String(), c.errs)
		require.Equal(t, c.errs == "", errs.Len() == 0)
	}
}

func TestInterruptedRunEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	require.Equal(t, 130, run(ctx, nil, &out, &errs))
	require.Equal(t, "rx: interrupted\n", errs.String())
}
