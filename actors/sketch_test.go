package actors

import (
	"fmt"
	"hash/maphash"
	"testing"

	"github.com/stretchr/testify/require"
)

func hashes(n int) (all []uint64) {
	seed := maphash.MakeSeed()
	for i := range n {
		all = append(all, maphash.String(seed, fmt.Sprint(i)))
	}
	return all
}

// It never underrates, and seldom overrates.
func TestSketch_Counts(t *testing.T) {
	const entries = 10_000
	s, all, over := sketch{}, hashes(4*entries), 0
	for i, h := range all {
		for range 1 + i%3 {
			s.add(h, entries)
		}
	}
	for i, h := range all {
		have, want := s.count(h), 1+i%3
		require.GreaterOrEqual(t, have, want)
		if have > want {
			over++
		}
	}
	require.Less(t, over, len(all)/5)
	for range 100 {
		s.add(all[0], entries)
	}
	require.Equal(t, mostCounted, s.count(all[0]), "it stays at the most")
}

// What was popular once is forgotten, at the pace at which others are asked for.
func TestSketch_Ages(t *testing.T) {
	const entries = 2_000
	s, once := sketch{}, hashes(1)[0]
	for range mostCounted {
		s.add(once, entries)
	}
	counts := []int{}
	for range 5 {
		counts = append(counts, s.count(once))
		for _, h := range hashes(memory * entries) {
			s.add(h, entries)
		}
	}
	require.Equal(t, mostCounted, counts[0])
	require.InDelta(t, mostCounted/2, counts[1], 3)
	require.Less(t, counts[4], mostCounted/2)
}

// It grows with the cache, and forgets nothing by that.
func TestSketch_Grows(t *testing.T) {
	s, all := sketch{}, hashes(100_000)
	require.Empty(t, s.lines)
	for i, h := range all {
		s.add(h, i+1)
		s.add(h, i+1)
	}
	for _, h := range all {
		require.GreaterOrEqual(t, s.count(h), 2)
	}
	require.LessOrEqual(t, len(s.lines)*64, 8*len(all), "bytes an entry")
	s = sketch{}
	s.add(all[0], 1)
	require.LessOrEqual(t, len(s.lines)*64, 4096, "bytes of a small one")
}
