package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/examples/internal/show"
)

// What the README promises is what the program prints, to the letter.
func TestOutputIsThatOfTheReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(readme), "```text\n")
	require.True(t, ok, "the README shows no output")
	promised, _, ok := strings.Cut(rest, "```")
	require.True(t, ok, "the README's output does not end")

	var out, errs bytes.Buffer
	require.Equal(t, 0, run(t.Context(), nil, &out, &errs), errs.String())
	require.Empty(t, errs.String())
	require.Equal(t, promised, out.String())
}

func TestArgumentsAreRefused(t *testing.T) {
	var out, errs bytes.Buffer
	require.Equal(t, 2, run(t.Context(), []string{"fast"}, &out, &errs))
	require.Contains(t, errs.String(), `"fast"`)
	require.Empty(t, out.String())
}

func TestHelpIsPrinted(t *testing.T) {
	var out, errs bytes.Buffer
	require.Equal(t, show.ExitTrue, run(t.Context(), []string{"-h"}, &out, &errs))
	require.Contains(t, out.String(), "Usage: go run ./examples/actor")
	require.Empty(t, errs.String())
}

func TestInterruptedRunEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	require.Equal(t, show.ExitInterrupted, run(ctx, nil, &out, &errs))
	require.Equal(t, "actor: interrupted\n", errs.String())
}
