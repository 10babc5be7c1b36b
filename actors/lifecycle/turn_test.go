package lifecycle_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// O0: a turn takes its numbers when something has to be ordered, and once.
func TestO0_ATurnTakesItsNumbersOnceAndWhenItNeedsThem(t *testing.T) {
	driver := &minter{taken: 100}
	rules := &lifecycle.Rules{Freshness: lifecycle.Freshness{TTL: lifecycle.Forever}, MaxSupersede: 3}
	var turn *lifecycle.Turn[int, int]
	var r lifecycle.Resource[int, int]
	step := func(command func()) (numbers uint64) {
		turn = &lifecycle.Turn[int, int]{Rules: rules, Driver: driver}
		before := driver.taken
		command()
		return driver.taken - before
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

// minter is a driver whose futures are numbers, and cost nothing.
type minter struct {
	taken  uint64
	minted int
	free   *lifecycle.Air[int]
}

func (m *minter) Fresh() uint64 { m.taken += 2; return m.taken - 1 }

func (m *minter) Mint(any) int { m.minted++; return m.minted }

func (m *minter) Ready() int { return m.Mint(nil) }

func (*minter) Room(int) *lifecycle.Version[int, int] { return new(lifecycle.Version[int, int]) }

func (m *minter) Air() (a *lifecycle.Air[int]) {
	if a, m.free = m.free, nil; a == nil {
		a = &lifecycle.Air[int]{}
	}
	return a
}

func (m *minter) TakeBack(a *lifecycle.Air[int]) { m.free = a }
