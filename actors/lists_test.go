package actors

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// overdue is a flight's context in the moment in which those who wait have been told of
// its timeout, and it has not.
type overdue struct {
	context.Context
	since time.Time
}

func (c overdue) Deadline() (time.Time, bool) { return c.since, true }

type listerFunc func(context.Context, string) ([]Item[int], error)

func (f listerFunc) List(ctx context.Context, query string) ([]Item[int], error) {
	return f(ctx, query)
}

// W8, C2: a list that comes when its timeout is over seeds nothing.
func TestW8_C2_AListIsLateBeforeItsContextSaysSo(t *testing.T) {
	table := testTable(t, Config[int]{Lister: listerFunc(func(context.Context, string) ([]Item[int], error) {
		return []Item[int]{{Key: "k", Value: 1}}, nil
	})}, nil)
	for late, ctx := range map[bool]context.Context{true: overdue{t.Context(), time.Now()}, false: t.Context()} {
		list, err := table.lists.Fetch(ctx, Request[[]string]{Key: ListKey(""), Seq: table.numbers.Add(2)})
		require.NoError(t, err)
		require.Equal(t, []string{"k"}, list.Value)
		_, known := table.Peek("k")
		require.Equal(t, !late, known)
		require.NoError(t, table.Remove(t.Context(), "k"))
	}
}
