//go:build !race

package actors

import (
	"context"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// A cold load allocates its cell, a future with its version, and a flight; the
// index grows now and then. (The race detector drops what is
// pooled.)
func TestColdLoad_AllocatesWhatStays(t *testing.T) {
	table := testTable(t, Config[int]{}, func(context.Context, string) (int, error) { return 1, nil })
	keys := make([]string, 2002)
	for i := range keys {
		keys[i] = "key/" + strconv.Itoa(i)
	}
	next := 0
	require.LessOrEqual(t, testing.AllocsPerRun(2000, func() {
		_, _ = table.Get(t.Context(), keys[next])
		next++
	}), 3.9)
}
