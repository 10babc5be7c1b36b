package actors

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// sieve is SIEVE as its authors draw it: a list, newest first, whose hand
// walks from the oldest to the newest and starts again. They evict before they
// insert; here the newest is in already, and goes only where it is alone.
type sieve struct {
	list    []string
	visited map[string]bool
	hand    string // "": at the oldest
}

func (s *sieve) victim() string {
	for len(s.list) > 0 {
		at := slices.Index(s.list, s.hand)
		if at < 0 {
			at = len(s.list) - 1
		}
		key := s.list[at]
		if at == 0 {
			return key
		}
		s.pass(at)
		if !s.visited[key] {
			return key
		}
		s.visited[key] = false
	}
	return ""
}

// pass moves the hand on from the place at.
func (s *sieve) pass(at int) {
	s.hand = ""
	if at > 1 {
		s.hand = s.list[at-1]
	}
}

func (s *sieve) remove(key string) {
	at := slices.Index(s.list, key)
	if s.hand == key {
		s.pass(at)
	}
	s.list = slices.Delete(s.list, at, at+1)
	delete(s.visited, key)
}

func TestPolicy_IsSIEVE(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, model := &policy[int]{maxEntries: 4}, &sieve{visited: map[string]bool{}}
		cells, n := map[string]*cell[int]{}, 0
		anyKey := func(t *rapid.T) string {
			if len(model.list) == 0 {
				t.Skip("empty")
			}
			return rapid.SampledFrom(model.list).Draw(t, "key")
		}
		remove := func(key string) {
			p.remove(cells[key])
			p.remove(cells[key]) // once more changes nothing
			model.remove(key)
			delete(cells, key)
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(*rapid.T) {
				n++
				c := &cell[int]{key: fmt.Sprint("k", n)}
				p.add(c)
				cells[c.key] = c
				model.list = slices.Insert(model.list, 0, c.key)
			},
			"read": func(t *rapid.T) {
				key := anyKey(t)
				cells[key].rank.touch()
				model.visited[key] = true
			},
			"remove": func(t *rapid.T) { remove(anyKey(t)) },
			"evict": func(t *rapid.T) {
				want, have := model.victim(), p.victim()
				if want == "" {
					if have != nil {
						t.Fatalf("victim %s of nobody", have.key)
					}
					return
				}
				if have == nil || have.key != want {
					t.Fatalf("victim %v, want %s", have, want)
				}
				remove(want)
			},
			"": func(t *rapid.T) {
				if int(p.entries.Load()) != len(model.list) || p.over() != (len(model.list) > 4) {
					t.Fatalf("%d entries, want %d", p.entries.Load(), len(model.list))
				}
				var list []string
				for c := p.first; c != nil; c = c.rank.older {
					list = append(list, c.key)
				}
				if !slices.Equal(list, model.list) {
					t.Fatalf("%v, want %v", list, model.list)
				}
			},
		})
	})
}

func TestPolicy_AgeingMeetsEverybodyAndSurvivesRemoval(t *testing.T) {
	p := &policy[int]{}
	var cells []*cell[int]
	for range 10 {
		c := &cell[int]{}
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
		table.policy.hand = nil // at the oldest, one of those that stay
		releaseOthers()
		require.Equal(t, 250, table.Len(), "M1: exactly, once things settle")
		for _, key := range stay {
			_, ok := table.Peek(key)
			require.True(t, ok, "M2: %s is observed", key)
		}
		release()
	})
}

func TestSweep_ByAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := testTable(t, Config[int]{Freshness: Freshness{TTL: time.Minute, Stale: time.Minute}}, nil)
		for i := range 3 * sweepStep {
			_, err := table.Get(context.Background(), fmt.Sprint("k", i))
			require.NoError(t, err)
		}
		require.NoError(t, table.Put(context.Background(), "for ever", Response[int]{Value: 1, TTL: Forever}))
		release, err := table.observe([]string{"observed"}, 0)
		require.NoError(t, err)
		// Useless after the TTL and Stale; kept for a TTL and Retention more.
		time.Sleep(3*time.Minute + Retention - sweepEvery)
		synctest.Wait()
		require.Equal(t, 3*sweepStep+2, table.Len(), "a validator may still be of use")
		time.Sleep(3 * sweepEvery)
		synctest.Wait()
		require.Equal(t, 2, table.Len())
		_, ok := table.Peek("for ever")
		require.True(t, ok)
		_, ok = table.Peek("observed")
		require.True(t, ok, "M2")
		require.Zero(t, table.Stats().Evictions, "those make room; this does not")

		release()
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		_, ok = table.Peek("observed")
		require.False(t, ok, "nobody observes it any more")
	})
}

// A cache that keeps for ever is never swept, and an idle one has no timer.
func TestSweep_RestsWhereNothingAges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := testTable(t, Config[int]{}, nil)
		_, err := table.Get(context.Background(), "k")
		require.NoError(t, err)
		require.False(t, table.sweeper.awake.Load())
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Empty(t, table.deadlines.heap)

		require.NoError(t, table.Put(context.Background(), "short", Response[int]{Value: 1, TTL: time.Second}))
		require.True(t, table.sweeper.awake.Load())
		require.NoError(t, table.Remove(context.Background(), "k", "short"))
		time.Sleep(30 * 24 * time.Hour)
		synctest.Wait()
		require.Zero(t, table.Len())
		require.False(t, table.sweeper.awake.Load())
		require.Empty(t, table.deadlines.heap)
	})
}
