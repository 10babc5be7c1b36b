package actors

import (
	"context"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func testPolicy(maxEntries, maxWeight int64) *policy[int] {
	seed := maphash.MakeSeed()
	return &policy[int]{
		maxEntries: maxEntries, maxWeight: maxWeight, history: noHistory{},
		hash: func(key string) uint64 { return maphash.String(seed, key) },
		hits: func() uint64 { return 0 },
	}
}

type noHistory struct{}

func (noHistory) Weight() uint64 { return 0 }

// loose is a cell that its table's index does not have: the policy finds no read
// bit to take off.
func loose(key string) *cell[int] {
	c := &cell[int]{key: key, table: emptyTable}
	c.rank.pin(false)
	return c
}

var emptyTable = &Table[int]{cells: newIndex[int](0)}

// listed are the cells in the queues of p, each of which holds together.
func listed(t require.TestingT, p *policy[int]) map[*cell[int]]place {
	all := map[*cell[int]]place{}
	for in := nowhere; in < places; in++ {
		q, n := &p.queues[in], 0
		var newer *cell[int]
		for c := q.newest; c != nil; newer, c = c, c.rank.older {
			require.Equal(t, in, c.rank.place, c.key)
			require.Equal(t, newer, c.rank.newer, c.key)
			require.NotContains(t, all, c, "%s is listed twice", c.key)
			all[c] = in
			n++
		}
		require.Equal(t, newer, q.oldest)
		require.Equal(t, q.n, n)
	}
	return all
}

// M1, M2: whatever comes, is read, pinned, reweighed, refuses and leaves, every
// resource is listed once, the bounds hold as far as they can, and nobody who
// cannot go is named.
func TestPolicy_HoldsItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		maxEntries := rapid.Int64Range(0, 12).Draw(t, "max entries")
		maxWeight := rapid.Int64Range(0, 60).Draw(t, "max weight")
		bounded := maxEntries > 0 || maxWeight > 0
		p := testPolicy(maxEntries, maxWeight)
		var cells []*cell[int] // those that are resident
		weight := int64(0)
		any := func(t *rapid.T) *cell[int] {
			if len(cells) == 0 {
				t.Skip("empty")
			}
			return rapid.SampledFrom(cells).Draw(t, "cell")
		}
		remove := func(c *cell[int]) {
			weight -= int64(c.rank.weight)
			p.reweigh(c, 0)
			p.remove(c)
			p.remove(c) // once more changes nothing
			cells = slices.DeleteFunc(cells, func(other *cell[int]) bool { return other == c })
		}
		mayGo := func() (n int) {
			for _, c := range cells {
				if c.mayGo() {
					n++
				}
			}
			return n
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				c := loose(fmt.Sprint("k", rapid.IntRange(0, 30).Draw(t, "key")))
				p.add(c)
				cells = append(cells, c)
			},
			"read": func(t *rapid.T) { any(t).rank.touch() },
			"pin": func(t *rapid.T) {
				c := any(t)
				c.rank.pin(!c.rank.pinned())
				if c.rank.state.Load() == isApart|isUnpinned { // as cell.perform does
					p.free(c)
				}
			},
			"reweigh": func(t *rapid.T) {
				c, w := any(t), rapid.Uint32Range(0, 80).Draw(t, "weight")
				weight += int64(w) - int64(c.rank.weight)
				p.reweigh(c, w)
			},
			"remove": func(t *rapid.T) { remove(any(t)) },
			"refuse": func(t *rapid.T) {
				if !bounded {
					t.Skip("nobody is asked")
				}
				p.victim() // it stays
			},
			"make room": func(t *rapid.T) {
				for p.over() {
					c := p.victim()
					if c == nil {
						require.Zero(t, mayGo(), "somebody could go")
						break
					}
					require.True(t, c.mayGo(), "M2: %s cannot go", c.key)
					remove(c)
				}
			},
			"": func(t *rapid.T) {
				all := listed(t, p)
				require.Len(t, all, len(cells))
				for _, c := range cells {
					require.Contains(t, all, c)
				}
				require.EqualValues(t, len(cells), p.entries.Load())
				require.Equal(t, weight, p.weight.Load())
				require.Equal(t, maxEntries > 0 && int64(len(cells)) > maxEntries || maxWeight > 0 && weight > maxWeight, p.over())
				if !bounded {
					require.Empty(t, p.sketch.lines, "nobody pays for a bound that there is not")
				}
			},
		})
	})
}

// M3, M4: a cache that never fills pays nothing for the choice of who has to go.
func TestM3_NothingIsCountedBeforeTheCacheIsHalfFull(t *testing.T) {
	for name, p := range map[string]*policy[int]{"entries": testPolicy(20, 0), "weight": testPolicy(0, 20)} {
		t.Run(name, func(t *testing.T) {
			for i := range 20 {
				c := loose(fmt.Sprint("k", i))
				p.add(c)
				p.reweigh(c, 1)
				if i < 10 {
					require.Nil(t, p.sketch.lines, "%d of 20", i+1)
				}
			}
			require.NotNil(t, p.sketch.lines)
			require.Equal(t, 1, p.sketch.count(p.hash("k19")))
		})
	}
}

// full is a policy at its bound, whose cells are k0, k1 and so on.
func full(entries int) (*policy[int], []*cell[int]) {
	p := testPolicy(int64(entries), 0)
	var cells []*cell[int]
	for i := range entries {
		cells = append(cells, loose(fmt.Sprint("k", i)))
		p.add(cells[i])
	}
	return p, cells
}

// Those who make room at the same time are not all sent to the same one.
func TestPolicy_NamesAnotherEachTime(t *testing.T) {
	p, cells := full(100)
	named := map[*cell[int]]bool{}
	for i := range 8 {
		p.add(loose(fmt.Sprint("more", i)))
	}
	for range 8 {
		named[p.victim()] = true
	}
	require.Len(t, named, 8)
	for _, c := range cells {
		c.rank.pin(true)
	}
	for range 200 {
		require.False(t, p.victim().rank.pinned(), "M2")
	}
}

// Who cannot go is met once, and not again by everybody who makes room: ten
// thousand in the air must not cost each that comes a walk past them.
func TestM2_WhoCannotGoStandsApart(t *testing.T) {
	p, cells := full(100)
	for _, c := range cells {
		c.rank.pin(true)
	}
	p.add(loose("more"))
	more := p.victim()
	require.Equal(t, "more", more.key)
	more.rank.pin(true)
	require.Nil(t, p.victim())
	require.Equal(t, 101, p.queues[apart].n)
	for _, c := range cells[:3] {
		c.rank.pin(false)
		p.free(c)
		require.NotEqual(t, apart, c.rank.place)
	}
	require.Equal(t, 98, p.queues[apart].n)
	listed(t, p)
	require.Contains(t, cells[:3], p.victim())
}

// What is heavier than the bound can never stay: it goes, and nobody else.
func TestM1_WhatIsHeavierThanTheBoundGoesAlone(t *testing.T) {
	p, cells := testPolicy(0, 1000), []*cell[int]{}
	for i := range 10 {
		cells = append(cells, loose(fmt.Sprint("k", i)))
		p.add(cells[i])
		p.reweigh(cells[i], 50)
	}
	for _, c := range []*cell[int]{cells[3], cells[9]} {
		p.reweigh(c, 5000)
		require.True(t, p.over())
		require.Equal(t, c, p.victim())
		p.reweigh(c, 50) // it refused, and is light again
		require.False(t, p.over())
		listed(t, p)
		require.Zero(t, p.queues[outsized].n)
	}
	p.reweigh(cells[0], 5000)
	cells[0].rank.pin(true) // M2
	require.NotEqual(t, cells[0], p.victim())
	cells[0].rank.pin(false)
	p.free(cells[0])
	require.Equal(t, cells[0], p.victim())
	p.reweigh(cells[0], 0)
	p.remove(cells[0])
	require.False(t, p.over())
	require.Len(t, listed(t, p), 9)
}

// M1: what is listed is what is in the table, each once, whatever is done at the
// same time.
func TestM1_ListedIsResident(t *testing.T) {
	for _, c := range []Config[int]{
		{MaxEntries: 50},
		{MaxWeight: 500, Weigh: func(_ string, v int) uint32 { return uint32(v) }},
	} {
		synctest.Test(t, func(t *testing.T) {
			table := testTable(t, c, func(_ context.Context, key string) (int, error) { return len(key) * 3, nil })
			for g := range 8 {
				go func() {
					ctx, rnd := context.Background(), rand.New(rand.NewPCG(1, uint64(g)))
					for range 2000 {
						key := fmt.Sprint("k", rnd.IntN(200))
						switch rnd.IntN(10) {
						case 0:
							_ = table.Remove(ctx, key)
						case 1:
							_ = table.Put(ctx, key, Response[int]{Value: rnd.IntN(700)})
						case 2:
							_ = table.Invalidate(ctx, key)
						default:
							_, _ = table.Get(ctx, key)
						}
					}
				}()
			}
			synctest.Wait()
			require.False(t, table.policy.over())
			all := listed(t, &table.policy)
			require.Len(t, all, table.Len())
			weight := int64(0)
			for c := range table.cells.all() {
				require.Contains(t, all, c, c.key)
				delete(all, c)
				weight += int64(c.rank.weight)
			}
			require.Empty(t, all, "listed, and not in the table")
			require.Equal(t, weight, table.policy.weight.Load())
		})
	}
}

func TestPolicy_AgeingMeetsEverybodyAndSurvivesRemoval(t *testing.T) {
	p := testPolicy(0, 0)
	var cells []*cell[int]
	for range 10 {
		c := loose("")
		cells = append(cells, c)
		p.add(c)
	}
	first, done := p.nextToAge(4)
	require.Equal(t, cells[:4], first, "the oldest first")
	require.False(t, done)
	p.remove(cells[4]) // where the walk stands
	p.remove(cells[0])
	next, done := p.nextToAge(4)
	require.Equal(t, cells[5:9], next)
	require.False(t, done)
	next, done = p.nextToAge(4)
	require.Equal(t, cells[9:], next)
	require.True(t, done)
	next, _ = p.nextToAge(1)
	require.Equal(t, cells[1:2], next, "from the start again")
}

// M1, M2: however many are observed and stay, the others go.
func TestPolicy_ObservedOnesDoNotShieldTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := testTable(t, Config[int]{MaxEntries: 250}, nil)
		observe := func(prefix string, n int) (keys []string, release func()) {
			for i := range n {
				keys = append(keys, fmt.Sprint(prefix, i))
			}
			release, err := table.observe(keys, 0)
			require.NoError(t, err)
			synctest.Wait()
			return keys, release
		}
		stay, release := observe("stay", 200)
		_, releaseOthers := observe("go", 100)
		require.Equal(t, 300, table.Len())
		releaseOthers()
		require.Equal(t, 250, table.Len(), "M1: exactly, once things settle")
		for _, key := range stay {
			_, ok := table.Peek(key)
			require.True(t, ok, "M2: %s is observed", key)
		}
		release()
	})
}
