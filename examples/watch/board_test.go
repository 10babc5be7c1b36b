package main

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/examples/internal/show"
	"github.com/freshet-go/freshet/streams"
)

func TestBoardIsDrawnFromEvents(t *testing.T) {
	b := newBoard()
	for i, cents := range []int{1_000, 1_100, 1_050} {
		b.apply(streams.Event[Quote]{Revision: uint64(i + 1), Key: "tin", Kind: streams.Updated, After: &Quote{Name: "tin", Cents: cents, Move: i}})
	}
	lines := b.lines(show.New(io.Discard, show.Options{}))
	require.Len(t, lines, 1+len(opening))
	require.Equal(t, "   gold              -", lines[1])
	require.Equal(t, []string{"tin", "10.50", "-0.50", "▁█▄", "2"}, strings.Fields(lines[6]))
	b.apply(streams.Event[Quote]{Revision: 4, Key: "tin", Kind: streams.Evicted})
	require.Empty(t, b.quotes())
	require.EqualValues(t, 4, b.revision)
}

func TestNumbersForPeople(t *testing.T) {
	require.Equal(t, "-0.25", signed(-25))
	require.Equal(t, "+2.00", signed(200))
	require.Equal(t, "▅▅", spark([]int{5, 5}))
	require.Equal(t, "", spark(nil))
}
