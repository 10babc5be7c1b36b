package actors

import (
	"context"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// M4: whatever a test does, no goroutine of a table outlives it.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newTable makes a table that is closed at the test's end. Its values are what
// source returns.
func testTable(t testing.TB, c Config[int], source func(ctx context.Context, key string) (int, error)) *Table[int] {
	t.Helper()
	if source == nil {
		source = func(context.Context, string) (int, error) { return 1, nil }
	}
	rt, err := NewRuntime(RuntimeConfig{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	c.Name, c.Source, c.Runtime = "test", Func(source), rt
	table, err := NewTable(c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, rt.Close(context.Background())) })
	return table
}

// cellOf is the cell of key.
func cellOf(t testing.TB, table *Table[int], key string) *cell[int] {
	t.Helper()
	c, _, err := table.enter(key)
	require.NoError(t, err)
	return c
}
