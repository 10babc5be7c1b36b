package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
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

	var out bytes.Buffer
	require.NoError(t, run(context.Background(), &out))
	require.Equal(t, want, out.String())
	require.NotContains(t, out.String(), "sesame", "no secret is printed")
}

// Interrupted, it ends and says so.
func TestAnInterruptedRunEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, run(ctx, &bytes.Buffer{}), context.Canceled)
}
