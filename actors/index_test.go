package actors

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

type shownInt = lifecycle.Version[int, *Future[int]]

// shownFor is a version that a hit may be answered with until the instant 10.
func shownFor(value int) *shownInt {
	return &shownInt{HitEnd: 10, Known: lifecycle.Present, Value: value}
}

// crowd are n keys that all are of one shard of x, with names that share heads
// and tails, and long ones among them.
func crowd(x *index[int], n int) (keys []string) {
	for i := 0; len(keys) < n; i++ {
		key := fmt.Sprintf("head%04d%02d", i/32, i%32)
		if i%16 == 0 {
			key = fmt.Sprintf("a key that is long %d", i)
		}
		if shard, _ := x.place(x.name(key)); shard == 0 {
			keys = append(keys, key)
		}
	}
	return keys
}

// The index against a map: what is in, is found; what is not, is not; a hit is
// answered with what is shown and with nothing else; a walk yields each once.
func TestIndexIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, model := newIndex[int](), map[string]*cell[int]{}
		key := rapid.SampledFrom(append(crowd(x, 40), "a", "b", "aa"))
		one := func(t *rapid.T) *cell[int] {
			if c := model[key.Draw(t, "key")]; c != nil {
				return c
			}
			t.Skip("none")
			return nil
		}
		t.Repeat(map[string]func(*rapid.T){
			"enter": func(t *rapid.T) {
				c := &cell[int]{key: key.Draw(t, "key")}
				have, entered := x.enter(c)
				was, taken := model[c.key]
				if entered == taken || (taken && have != was) || (!taken && have != c) {
					t.Fatalf("enter %q: %v", c.key, entered)
				}
				model[c.key] = have
			},
			"show":         func(t *rapid.T) { x.stage(one(t)).show(shownFor(rapid.Int().Draw(t, "value"))) },
			"show nothing": func(t *rapid.T) { x.stage(one(t)).show(nil) },
			"show absence": func(t *rapid.T) { x.stage(one(t)).show(&shownInt{HitEnd: 10, Known: lifecycle.Absent}) },
			"remove": func(t *rapid.T) {
				c := one(t)
				x.remove(&cell[int]{key: c.key}) // another cell of the key: nothing happens
				if x.find(c.key) != c {
					t.Fatalf("a stranger took %q out", c.key)
				}
				x.remove(c)
				delete(model, c.key)
			},
			"remove all": func(*rapid.T) {
				for k, c := range model {
					x.remove(c)
					delete(model, k)
				}
			},
			"": func(t *rapid.T) {
				k := key.Draw(t, "key")
				c := model[k]
				if x.find(k) != c {
					t.Fatalf("find %q", k)
				}
				var want *shownInt
				if c != nil && c.shown.Load() != nil && c.shown.Load().Known == lifecycle.Present {
					want = c.shown.Load()
				}
				if x.hit(k, 9) != want || x.hit(k, 10) != nil {
					t.Fatalf("hit %q: not what is shown", k)
				}
				if want != nil && !c.rank.visited.Load() {
					t.Fatalf("hit %q: not marked", k)
				}
				seen := map[string]bool{}
				for c := range x.all() {
					if seen[c.key] || model[c.key] != c {
						t.Fatalf("the walk yields %q", c.key)
					}
					seen[c.key] = true
				}
				if len(seen) != len(model) {
					t.Fatalf("the walk yields %d of %d", len(seen), len(model))
				}
			},
		})
	})
}

// A hit marks the cell, and again once the policy took the mark off.
func TestIndexMarksWhatIsRead(t *testing.T) {
	x := newIndex[int]()
	for _, key := range []string{"short", "longer than fifteen"} {
		c := &cell[int]{key: key, table: &Table[int]{cells: x}}
		x.enter(c)
		x.stage(c).show(shownFor(1))
		for range 3 {
			require.NotNil(t, x.hit(key, 0))
			require.NotNil(t, x.hit(key, 0))
			require.True(t, c.rank.visited.Load())
			c.rank.visited.Store(false)
			c.unmark()
		}
	}
}

// A publish waits for a shard that grows: what is written to slots that were
// copied already is lost.
func TestIndexPublishWaitsForGrowth(t *testing.T) {
	x := newIndex[int]()
	c := &cell[int]{key: crowd(x, 1)[0]}
	x.enter(c)
	x.shards[0].mu.Lock()
	var returned atomic.Bool
	var publisher sync.WaitGroup
	publisher.Go(func() {
		x.stage(c).show(shownFor(1))
		returned.Store(true)
	})
	for range 1000 {
		runtime.Gosched()
	}
	require.False(t, returned.Load())
	x.growLocked(0)
	x.shards[0].mu.Unlock()
	publisher.Wait()
	require.Same(t, c.shown.Load(), x.hit(c.key, 0))
}

// Two long keys of one hash are two keys.
func TestIndexTellsKeysOfOneHashApart(t *testing.T) {
	s := &indexSlots[int]{at: make([]indexSlot[int], 8)}
	n := name{42, longName}
	a, b := &cell[int]{key: "a long key, or so it says"}, &cell[int]{key: "b long key, or so it says"}
	for _, c := range []*cell[int]{a, b} {
		slot := s.free(7)
		slot.head.Store(n.head)
		slot.cell.Store(c)
		slot.tail.Store(n.tail)
	}
	require.Same(t, a, s.find(n, 7, a.key))
	require.Same(t, b, s.find(n, 7, b.key))
	require.Nil(t, s.find(n, 7, "c"))
}
