package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/freshet-go/freshet/examples/internal/show"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The README promises this very output.
func TestTheOutputIsWhatTheREADMEPromises(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, after, found := strings.Cut(string(readme), "```text\n")
	require.True(t, found)
	want, _, found := strings.Cut(after, "```")
	require.True(t, found)

	var out, errs bytes.Buffer
	require.Equal(t, show.ExitTrue, run(context.Background(), nil, &out, &errs), errs.String())
	require.Equal(t, want, out.String())
	require.NotContains(t, out.String(), "sesame", "no secret is printed")
}

// Interrupted, it ends and says so.
func TestAnInterruptedRunEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, errs bytes.Buffer
	require.Equal(t, show.ExitInterrupted, run(ctx, nil, &out, &errs))
	require.Equal(t, "rest: interrupted\n", errs.String())
}

func TestArguments(t *testing.T) {
	for _, c := range []struct {
		args     []string
		code     int
		out, err string
	}{
		{[]string{"-h"}, show.ExitTrue, "Usage: go run ./examples/rest", ""},
		{[]string{"-fast"}, show.ExitUsage, "", "-fast"},
		{[]string{"fast"}, show.ExitUsage, "", `"fast"`},
	} {
		var out, errs bytes.Buffer
		require.Equal(t, c.code, run(t.Context(), c.args, &out, &errs), c.args)
		require.Contains(t, out.String(), c.out)
		require.Contains(t, errs.String(), c.err)
		require.NotContains(t, out.String(), "/tides/", "nothing was played")
	}
}
