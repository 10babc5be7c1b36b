package actors

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"
	"weak"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// pair is a value that is no word, nor two small ones.
type pair struct{ n, again int64 }

// kind makes values that a slot holds in one of its ways, out of numbers, and says
// which number a value was made of.
type kind[V any] struct {
	of     func(int) V
	number func(V) int
}

var (
	numbers   = kind[int]{func(n int) int { return n }, func(n int) int { return n }}
	addresses = kind[*int]{func(n int) *int { return &n }, func(p *int) int { return *p }}
	pairs     = kind[pair]{func(n int) pair { return pair{int64(n), int64(n)} }, func(p pair) int {
		if p.n != p.again {
			return -1
		}
		return int(p.n)
	}}
)

// ofEachKind runs a test for values of every way in which a slot holds them.
func ofEachKind(t *testing.T, number func(*testing.T, kind[int]), pointer func(*testing.T, kind[*int]), version func(*testing.T, kind[pair])) {
	t.Run("number", func(t *testing.T) { number(t, numbers) })
	t.Run("pointer", func(t *testing.T) { pointer(t, addresses) })
	t.Run("version", func(t *testing.T) { version(t, pairs) })
}

// shown is a version that a hit may be answered with until the instant 10.
func (k kind[V]) shown(n int) *lifecycle.Version[V, *Future[V]] {
	return &lifecycle.Version[V, *Future[V]]{HitEnd: 10, Known: lifecycle.Present, Value: k.of(n)}
}

// hits is a table that answers hits out of x, and fails at everything else.
func hits[V any](x *index[V]) *Table[V] {
	t := &Table[V]{cells: x, clock: &Clock{}}
	t.closed.Store(true)
	return t
}

// hit is the number of what a hit of key in t is answered with.
func (k kind[V]) hit(t *Table[V], key string) (n int, ok bool) {
	v, err := t.Get(context.Background(), key)
	if err != nil {
		return 0, false
	}
	return k.number(v), true
}

// crowd are n keys that all are of one shard of x, with names that share heads
// and tails, and long ones among them.
func crowd[V any](x *index[V], n int) (keys []string) {
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
	ofEachKind(t, testIndexIsAMap, testIndexIsAMap, testIndexIsAMap)
}

func testIndexIsAMap[V any](t *testing.T, values kind[V]) {
	rapid.Check(t, func(t *rapid.T) {
		x, model := newIndex[V](0), map[string]*cell[V]{}
		table := hits(x)
		key := rapid.SampledFrom(append(crowd(x, 40), "a", "b", "aa"))
		one := func(t *rapid.T) *cell[V] {
			if c := model[key.Draw(t, "key")]; c != nil {
				return c
			}
			t.Skip("none")
			return nil
		}
		t.Repeat(map[string]func(*rapid.T){
			"enter": func(t *rapid.T) {
				c := &cell[V]{key: key.Draw(t, "key")}
				have, entered := x.enter(c)
				was, taken := model[c.key]
				if entered == taken || (taken && have != was) || (!taken && have != c) {
					t.Fatalf("enter %q: %v", c.key, entered)
				}
				model[c.key] = have
			},
			"show":         func(t *rapid.T) { x.stage(one(t)).show(values.shown(rapid.Int().Draw(t, "value")), 0) },
			"show nothing": func(t *rapid.T) { x.stage(one(t)).show(nil, 0) },
			"show absence": func(t *rapid.T) {
				x.stage(one(t)).show(&lifecycle.Version[V, *Future[V]]{HitEnd: 10, Known: lifecycle.Absent}, 0)
			},
			"show what is void": func(t *rapid.T) {
				v := values.shown(1)
				v.HitEnd, v.Void = 0, true
				x.stage(one(t)).show(v, 0)
			},
			"remove": func(t *rapid.T) {
				c := one(t)
				x.remove(&cell[V]{key: c.key}) // another cell of the key: nothing happens
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
				want, known := 0, false
				if c != nil {
					if v := c.shown.Load(); v != nil && v.Known == lifecycle.Present && v.HitEnd > 0 {
						want, known = values.number(v.Value), true
					}
				}
				table.clock.coarse.Store(9)
				if got, ok := values.hit(table, k); ok != known || got != want {
					t.Fatalf("hit %q: %d, %v, and not what is shown, %d, %v", k, got, ok, want, known)
				}
				if (table.hit(k) != nil) != known {
					t.Fatalf("hit %q: not what is shown", k)
				}
				table.clock.coarse.Store(10)
				if _, ok := values.hit(table, k); ok || table.hit(k) != nil {
					t.Fatalf("hit %q: after its end", k)
				}
				if known && !c.rank.visited.Load() {
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
	x := newIndex[int](0)
	table := hits(x)
	for _, key := range []string{"short", "longer than fifteen"} {
		c := &cell[int]{key: key, table: table}
		x.enter(c)
		x.stage(c).show(numbers.shown(1), 0)
		for range 3 {
			for range 2 {
				_, ok := numbers.hit(table, key)
				require.True(t, ok)
			}
			require.True(t, c.rank.visited.Load())
			c.rank.visited.Store(false)
			c.unmark()
		}
	}
}

// M4: a slot holds on to no value that it does not show.
func TestIndexForgetsWhatItDoesNotShow(t *testing.T) {
	x := newIndex[*int](0)
	c := &cell[*int]{key: "k"}
	x.enter(c)
	for name, leave := range map[string]func(){
		"nothing is known any more": func() { x.stage(c).show(nil, 0) },
		"it is void": func() {
			v := addresses.shown(1)
			v.HitEnd, v.Void = 0, true
			x.stage(c).show(v, 0)
		},
		"it has ended":   func() { x.stage(c).show(addresses.shown(1), 10) },
		"it was removed": func() { x.remove(c) },
	} {
		t.Run(name, func(t *testing.T) {
			x.enter(c)
			x.stage(c).show(addresses.shown(1), 0)
			slots, i := x.slotOf(c)
			require.NotNil(t, *slots.at[i].pointer())
			leave()
			require.Nil(t, *slots.at[i].pointer())
		})
	}
}

// What a resource costs at rest, whether it is read or not: two lines of memory, and
// half of one a slot.
func TestIndexMemoryOfAKey(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) == 8 {
		require.EqualValues(t, 128, unsafe.Sizeof(cell[uint64]{}))
		require.EqualValues(t, 32, unsafe.Sizeof(indexSlot{}))
	}
}

// A slot keeps what it shows alive: a reader may look at slots that were given up,
// when nothing else does any more.
func TestIndexHoldsWhatItShows(t *testing.T) {
	x := newIndex[*pair](0)
	c := &cell[*pair]{key: "k"}
	x.enter(c)
	value := func() weak.Pointer[pair] {
		p := &pair{1, 2}
		x.stage(c).show(&lifecycle.Version[*pair, *Future[*pair]]{HitEnd: 1, Known: lifecycle.Present, Value: p}, 0)
		return weak.Make(p)
	}()
	c.shown.Store(nil)
	runtime.GC()
	runtime.GC()
	require.NotNil(t, value.Value())
	x.stage(c).show(nil, 0)
	runtime.GC()
	runtime.GC()
	require.Nil(t, value.Value())
	runtime.KeepAlive(x)
}

// What a word can hold is held there, and what it can't, is not.
func TestIndexContents(t *testing.T) {
	type small struct {
		_ uint16
		_ [3]uint16
	}
	type handle struct {
		_ struct{}
		_ [1]*int
	}
	for want, got := range map[content][]content{
		number: {contentOf[int](), contentOf[uint64](), contentOf[float64](), contentOf[bool](), contentOf[struct{}](),
			contentOf[small](), contentOf[[0]*int](), contentOf[complex64](), contentOf[time.Duration]()},
		pointer: {contentOf[*int](), contentOf[map[string]int](), contentOf[func()](), contentOf[chan int](),
			contentOf[handle](), contentOf[unsafe.Pointer]()},
		version: {contentOf[string](), contentOf[[]byte](), contentOf[any](), contentOf[error](), contentOf[pair](),
			contentOf[complex128](), contentOf[[2]*int](), contentOf[struct {
				p *int
				n int
			}]()},
	} {
		for i, got := range got {
			require.Equal(t, want, got, "%d of %d", i, want)
		}
	}
}

// A value comes out as it went in, whatever it is made of.
func TestIndexGivesBackWhatItWasGiven(t *testing.T) {
	type small struct {
		a uint16
		b [3]uint16
	}
	type handle struct{ p [1]*int }
	one := 1
	givesBack(t, math.Pi)
	givesBack(t, true)
	givesBack(t, struct{}{})
	givesBack(t, small{1, [3]uint16{2, 3, 4}})
	givesBack(t, &one)
	givesBack[*int](t, nil)
	givesBack(t, handle{[1]*int{&one}})
	givesBack(t, "a string")
	givesBack[error](t, ErrClosed)
	givesBack(t, pair{1, 2})
}

func givesBack[V comparable](t *testing.T, value V) {
	t.Helper()
	x := newIndex[V](0)
	c := &cell[V]{key: "k"}
	x.enter(c)
	x.stage(c).show(&lifecycle.Version[V, *Future[V]]{HitEnd: 1, Known: lifecycle.Present, Value: value}, 0)
	for range 2 {
		got, err := hits(x).Get(context.Background(), "k")
		require.NoError(t, err)
		require.Equal(t, value, got)
		shard, _ := x.place(x.name(c.key))
		x.shards[shard].mu.Lock()
		x.growLocked(shard)
		x.shards[shard].mu.Unlock()
	}
}

// A publish waits for a shard that grows: what is written to slots that were
// copied already is lost.
func TestIndexPublishWaitsForGrowth(t *testing.T) {
	x := newIndex[int](0)
	c := &cell[int]{key: crowd(x, 1)[0]}
	x.enter(c)
	x.shards[0].mu.Lock()
	var returned atomic.Bool
	var publisher sync.WaitGroup
	publisher.Go(func() {
		x.stage(c).show(numbers.shown(1), 0)
		returned.Store(true)
	})
	for range 1000 {
		runtime.Gosched()
	}
	require.False(t, returned.Load())
	x.growLocked(0)
	x.shards[0].mu.Unlock()
	publisher.Wait()
	_, ok := numbers.hit(hits(x), c.key)
	require.True(t, ok)
}

// Two long keys of one hash are two keys.
func TestIndexTellsKeysOfOneHashApart(t *testing.T) {
	s := newIndex[int](0).makeSlots(8)
	n := name{42, longName}
	a, b := &cell[int]{key: "a long key, or so it says"}, &cell[int]{key: "b long key, or so it says"}
	for _, c := range []*cell[int]{a, b} {
		s.put(s.free(7), n, c)
	}
	require.Same(t, a, s.find(n, 7, a.key))
	require.Same(t, b, s.find(n, 7, b.key))
	require.Nil(t, s.find(n, 7, "c"))
}

// A hit of a long key is answered out of its own slot, and not of one whose key has
// the same hash.
func TestIndexHitComparesLongKeys(t *testing.T) {
	x := newIndex[int](0)
	c := &cell[int]{key: "a long key, or so it says"}
	x.enter(c)
	x.stage(c).show(numbers.shown(1), 0)
	_, ok := numbers.hit(hits(x), c.key)
	require.True(t, ok)
	slots, i := x.slotOf(c)
	slots.cells[i].Store(&cell[int]{key: "b long key, or so it says"})
	_, ok = numbers.hit(hits(x), c.key)
	require.False(t, ok)
}

// The index of a bounded cache grows fourfold, and ends no larger than another.
func TestIndexOfABoundedCacheMovesLess(t *testing.T) {
	sizes := func(bound, keys int) (sizes []int) {
		x := newIndex[int](bound)
		for _, key := range crowd(x, keys) {
			x.enter(&cell[int]{key: key})
			if n := len(x.slots[0].Load().at); !slices.Contains(sizes, n) {
				sizes = append(sizes, n)
			}
		}
		return sizes
	}
	require.Equal(t, []int{8, 16, 32, 64, 128, 256, 512, 1024, 2048}, sizes(0, 1000))
	require.Equal(t, []int{8, 32, 128, 512, 1024, 2048}, sizes(indexShards*1000, 1000))
	require.Equal(t, []int{8, 32, 128, 512, 2048}, sizes(indexShards*2000, 1000), "half full")
	require.Equal(t, []int{8, 32, 128, 512, 1024}, sizes(indexShards*600, 700), "a full one needs no more")
	require.Equal(t, []int{8, 16, 32}, sizes(1, 20), "more than the bound: it goes on as ever")
}
