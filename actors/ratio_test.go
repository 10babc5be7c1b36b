package actors

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// replay has p see accesses as a cache would, and returns how many hit.
func replay(p *policy[int], accesses iter.Seq[string]) (hits int) {
	resident := map[string]*cell[int]{}
	p.hits = func() uint64 { return uint64(hits) }
	for key := range accesses {
		if c := resident[key]; c != nil {
			c.rank.touch()
			hits++
			continue
		}
		c := loose(key)
		resident[key] = c
		p.add(c)
		for p.over() {
			c := p.victim()
			p.remove(c)
			delete(resident, c.key)
		}
	}
	return hits
}

// M3: a loop that does not fit keeps a part that hits, round after round.
func TestM3_ALoopIsKeptAsFarAsItFits(t *testing.T) {
	const rounds, loop, most = 100, 300, 200
	hits := replay(testPolicy(most, 0), func(yield func(string) bool) {
		for i := range rounds * loop {
			if !yield(fmt.Sprint("k", i%loop)) {
				return
			}
		}
	})
	require.Greater(t, hits, rounds*most*9/10)
}

// M3: keys that are asked for once do not drive out those that come again.
func TestM3_AScanDrivesNobodyOut(t *testing.T) {
	const rounds, hot, scan, most = 50, 80, 500, 100
	hits := replay(testPolicy(most, 0), func(yield func(string) bool) {
		for i := range rounds * (5*hot + scan) {
			key := fmt.Sprint("hot", i%hot)
			if i%(5*hot+scan) >= 5*hot {
				key = fmt.Sprint("scanned", i)
			}
			if !yield(key) {
				return
			}
		}
	})
	require.Greater(t, hits, rounds*5*hot*95/100)
}

// M3: where only what is new is read, the window becomes the cache; and it
// gives way where that changes.
func TestM3_TheWindowIsLearned(t *testing.T) {
	const most = 500
	p := testPolicy(most, 0)
	drift := func(yield func(string) bool) { // each key twice, 300 accesses apart
		for i := range 120_000 {
			if !yield(fmt.Sprint("new", i/2-i%2*150)) {
				return
			}
		}
	}
	hits := replay(p, drift)
	require.Greater(t, p.window, 0.5)
	require.Greater(t, hits, 30_000)
	for _, c := range slices.Collect(maps.Keys(listed(t, p))) {
		p.remove(c)
	}
	replay(p, func(yield func(string) bool) {
		for i := range 100_000 {
			if !yield(fmt.Sprint("loop", i%(3*most))) {
				return
			}
		}
	})
	require.Less(t, p.window, 0.1)
}
