package actors

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// O6, C5: an invalidation that Close overtakes holds all the same, though Close has yet
// to come to its cell: a hit, which does not ask whether the cache is closed, finds
// nothing.
func TestO6_AnInvalidationHoldsWhileTheCacheIsClosed(t *testing.T) {
	table := testTable(t, Config[int]{}, nil)
	require.NoError(t, table.Put(t.Context(), "k", Response[int]{Value: 1}))
	table.clock.wake()
	require.NotNil(t, table.hit("k"))
	c := cellOf(t, table, "k")
	turn := table.turns.Get().(*turn[int])
	turn.Now, turn.Number = table.clock.Now(), table.numbers.Add(2)-1
	m := &message[int]{op: opInvalidate}
	c.step(&turn.Turn, m)
	table.closed.Store(true) // Close, that far
	c.perform(&turn.Turn, m)
	_, err := table.Get(t.Context(), "k")
	require.ErrorIs(t, err, ErrClosed)
	_, err = table.Fetch(t.Context(), "k").Result()
	require.ErrorIs(t, err, ErrClosed)
	table.closed.Store(false) // for the test's own Close
}
