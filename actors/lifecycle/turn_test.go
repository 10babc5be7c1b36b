package lifecycle_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// O0: a turn takes its numbers when something has to be ordered, and once.
func TestO0_ATurnTakesItsNumbersOnceAndWhenItNeedsThem(t *testing.T) {
	taken, futures := uint64(100), 0
	turn := &lifecycle.Turn[int, int]{
		Rules: &lifecycle.Rules{Freshness: lifecycle.Freshness{TTL: lifecycle.Forever}, MaxSupersede: 3},
		Fresh: func() uint64 { taken += 2; return taken - 1 },
		Mint:  func() int { futures++; return futures },
	}
	var r lifecycle.Resource[int, int]
	step := func(command func()) (numbers uint64) {
		turn.Number, turn.Effects = 0, nil
		before := taken
		command()
		return taken - before
	}
	require.EqualValues(t, 2, step(func() { r.Demand(turn, lifecycle.Demand[int]{}) }))
	flight := r.Flying()
	require.Greater(t, flight, uint64(100))
	require.Zero(t, step(func() { r.Demand(turn, lifecycle.Demand[int]{}) }), "who joins orders nothing")
	k := &lifecycle.Knowledge[int]{Known: lifecycle.Present, Value: 1}
	require.Zero(t, step(func() { r.Arrived(turn, flight, k, false) }))
	require.Equal(t, flight, r.Shown().Seq)
	require.EqualValues(t, 2, step(func() { r.Invalidate(turn, 0) }))
	require.Greater(t, r.Barrier(), flight)
	require.EqualValues(t, 2, step(func() {
		r.Set(turn, lifecycle.Knowledge[int]{Known: lifecycle.Present, Value: 2, Against: r.Shown().Held()})
	}))
	require.Equal(t, r.Barrier()+1, r.Shown().Seq, "a barrier and the stamp above it")
}
