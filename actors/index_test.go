package actors

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
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

// What was published holds: a hit that began after show had returned is
// answered with that version or a later one, of its key, and after show(nil) or
// remove with none from before; nor does anybody who saw a version see an older
// one after it, whichever way he looks. All keys share one shard, whose slots
// move, are given up and are taken by other keys all the time, and their names
// share heads and tails.
func TestStressIndexAnswersNothingOld(t *testing.T) {
	x := newIndex[int]()
	keys := crowd(x, 96)
	// A version's value says whose it is and which: key, then number.
	const numbers = 1 << 32
	var held [96]atomic.Int64 // the newest number that was complete
	var writers, readers sync.WaitGroup
	stop := make(chan struct{})
	const gang = 4
	for w := range gang {
		writers.Go(func() {
			r := rand.New(rand.NewPCG(2, uint64(w)))
			mine := map[int]*cell[int]{}
			for number := 1; number < 20_000; number++ {
				k := r.IntN(len(keys)/gang)*gang + w
				c := mine[k]
				few := number/256%2 == 0 // the shard shrinks, and slots change hands
				switch {
				case c == nil && few && k >= 3*gang:
					continue
				case c == nil:
					c = &cell[int]{key: keys[k]}
					x.enter(c)
					mine[k] = c
					x.stage(c).show(shownFor(k*numbers + number))
				case r.IntN(8) == 0:
					x.stage(c).show(nil)
				case few || r.IntN(8) == 0:
					x.remove(c)
					delete(mine, k)
				default:
					x.stage(c).show(shownFor(k*numbers + number))
				}
				held[k].Store(int64(number))
				if v := x.hit(keys[k], 0); v != nil && (mine[k] == nil || v != mine[k].shown.Load()) {
					t.Errorf("%s was answered with %d after %d", keys[k], v.Value%numbers, number)
					return
				}
			}
			for k, c := range mine {
				if v := c.shown.Load(); x.hit(keys[k], 0) != v {
					t.Errorf("%s: a hit is not answered with what is shown in the end", keys[k])
				}
			}
		})
	}
	for reader := range 4 {
		readers.Go(func() {
			r := rand.New(rand.NewPCG(3, uint64(reader)))
			var seen [96]int64
			for {
				select {
				case <-stop:
					return
				default:
				}
				for range 64 {
					k := r.IntN(len(keys))
					least := max(held[k].Load(), seen[k])
					var v *shownInt
					if r.IntN(2) == 0 {
						v = x.hit(keys[k], 0)
					} else if c := x.find(keys[k]); c != nil {
						v = c.shown.Load()
					}
					if v == nil {
						continue
					}
					if v.Value/numbers != k {
						t.Errorf("%s was answered with what is %s's", keys[k], keys[v.Value/numbers])
						return
					}
					number := int64(v.Value % numbers)
					if number < least {
						t.Errorf("%s was answered with %d after %d", keys[k], number, least)
						return
					}
					seen[k] = number
				}
			}
		})
	}
	readers.Go(func() { // and it grows, whether it has to or not
		for {
			select {
			case <-stop:
				return
			default:
			}
			x.shards[0].mu.Lock()
			x.growLocked(0)
			x.shards[0].mu.Unlock()
		}
	})
	writers.Wait()
	close(stop)
	readers.Wait()
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

// A slot that becomes another key's between a reader's look at the name and his
// look at what is shown answers neither with the other's.
func TestStressIndexSlotsChangeHands(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8)) // threads that are stopped anywhere, not goroutines
	x := newIndex[int]()
	var keys []string
	for _, key := range crowd(x, 512) {
		if _, from := x.place(x.name(key)); from%firstSlots == 0 && len(key) <= maxShort && len(keys) < 2 {
			keys = append(keys, key)
		}
	}
	require.Len(t, keys, 2)
	var readers sync.WaitGroup
	var stop atomic.Bool
	for reader := range 7 {
		readers.Go(func() {
			for k := reader % 2; !stop.Load(); {
				if v := x.hit(keys[k], 0); v != nil && v.Value != k {
					t.Errorf("%s was answered with what is %s's", keys[k], keys[v.Value])
					return
				}
			}
		})
	}
	for i := range 30_000 {
		c := &cell[int]{key: keys[i%2]}
		x.enter(c)
		x.stage(c).show(shownFor(i % 2))
		x.remove(c)
	}
	stop.Store(true)
	readers.Wait()
}

// A key that nobody takes out is found at every moment, and met by every walk,
// whatever is put in and taken out around it, also while the slots move.
func TestStressIndexLosesNothing(t *testing.T) {
	x := newIndex[int]()
	const kept, churned, rounds = 500, 4000, 20_000
	for i := range kept {
		x.enter(&cell[int]{key: "kept-" + strconv.Itoa(i)})
	}
	var writers, readers sync.WaitGroup
	stop := make(chan struct{})
	for w := range 4 {
		writers.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(w)))
			mine := map[int]*cell[int]{}
			for range rounds {
				i := r.IntN(churned)
				if c := mine[i]; c != nil {
					x.remove(c)
					delete(mine, i)
				} else if c, entered := x.enter(&cell[int]{key: strconv.Itoa(w) + "-" + strconv.Itoa(i)}); entered {
					mine[i] = c
				}
			}
		})
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				met := 0
				for c := range x.all() {
					if len(c.key) > 5 && c.key[:5] == "kept-" {
						met++
					}
				}
				if met != kept {
					t.Errorf("a walk met %d of %d", met, kept)
					return
				}
				for i := range kept {
					if key := "kept-" + strconv.Itoa(i); x.find(key) == nil {
						t.Errorf("%s is gone", key)
						return
					}
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	require.NotNil(t, x.find("kept-0"))
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
