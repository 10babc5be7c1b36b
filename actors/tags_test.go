package actors

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTags_MemoryIsBoundedAndBarriersAreNot(t *testing.T) {
	var x tagIndex[int]
	c := &cell[int]{}
	const many = 5 * idleTags
	for i := 1; i <= many; i++ {
		require.Empty(t, x.raise(fmt.Sprint("t", i), uint64(i)))
	}
	require.LessOrEqual(t, len(x.tags), idleTags)
	require.LessOrEqual(t, len(x.idle), idleTags)
	require.EqualValues(t, many, x.newest.Load())
	for i := 1; i <= many; i++ {
		name := fmt.Sprint("t", i)
		require.GreaterOrEqual(t, x.enter(c, []string{name}), uint64(i), "the barrier of %s was forgotten", name)
		x.leaveAll(c, []string{name}, nil)
	}
	require.LessOrEqual(t, len(x.tags), idleTags)
	require.LessOrEqual(t, x.enter(c, []string{"never raised"}), uint64(many))
}

func TestTags_WhatIsCarriedStays(t *testing.T) {
	var x tagIndex[int]
	a, b := &cell[int]{key: "a"}, &cell[int]{key: "b"}
	require.Zero(t, x.enter(a, []string{"red", "red", "blue"}))
	require.Zero(t, x.enter(b, []string{"red"}))
	for i := range 3 * idleTags {
		x.raise(fmt.Sprint("t", i), uint64(i+1))
	}
	require.ElementsMatch(t, []*cell[int]{a, b}, x.raise("red", 9_000))
	require.Equal(t, []*cell[int]{a}, x.raise("blue", 9_001))
	x.leaveAll(a, []string{"red", "blue"}, []string{"blue"})
	require.Equal(t, []*cell[int]{b}, x.raise("red", 9_002))
	x.leaveAll(b, []string{"red"}, nil)
	require.Empty(t, x.raise("red", 8_000), "nobody carries it")
	require.EqualValues(t, 9_002, x.enter(a, []string{"blue", "red"}), "a barrier does not fall")
	require.EqualValues(t, 9_002, x.newest.Load())
	require.Zero(t, x.enter(a, nil))
}

// A tag that comes back to life while it waits to be folded is not lost.
func TestTags_ComesBackToLife(t *testing.T) {
	var x tagIndex[int]
	c := &cell[int]{}
	x.raise("red", 5)
	require.EqualValues(t, 5, x.enter(c, []string{"red"}))
	for i := range 3 * idleTags {
		x.raise(fmt.Sprint("t", i), uint64(10+i))
	}
	require.Equal(t, []*cell[int]{c}, x.raise("red", 9_000), "found, though it stood among the idle")
	x.leaveAll(c, []string{"red"}, nil)
	for i := range 3 * idleTags {
		x.raise(fmt.Sprint("u", i), uint64(10_000+i))
	}
	require.GreaterOrEqual(t, x.enter(c, []string{"red"}), uint64(9_000), "and folded the next time")
}

// The tags of a resource leave the index with it.
func TestTags_LeaveWithTheirResource(t *testing.T) {
	table := newTable(t, Config[int]{MaxEntries: 4}, nil)
	ctx := context.Background()
	for i := range 3000 {
		r := Response[int]{Value: i, Tags: []string{fmt.Sprint("own", i), "all"}}
		require.NoError(t, table.Put(ctx, fmt.Sprint("k", i), r))
	}
	require.LessOrEqual(t, len(table.tags.tags), idleTags+5)
	require.Len(t, table.tags.tags["all"].cells, 4)
	n, err := table.InvalidateTag(ctx, "all", "own2999", "nobody's")
	require.NoError(t, err)
	require.Equal(t, 4, n, "each once")
}
