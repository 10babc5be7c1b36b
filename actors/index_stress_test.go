package actors

import (
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// What was published holds: a hit that began after show had returned is
// answered with that version or a later one, of its key, and after show(nil) or
// remove with none from before; nor does anybody who saw a version see an older
// one after it, whichever way he looks. All keys share one shard, whose slots
// move, are given up and are taken by other keys all the time, and their names
// share heads and tails.
func TestStressIndexAnswersNothingOld(t *testing.T) {
	ofEachKind(t, testIndexAnswersNothingOld, testIndexAnswersNothingOld, testIndexAnswersNothingOld)
}

func testIndexAnswersNothingOld[V any](t *testing.T, values kind[V]) {
	x := newIndex[V](0)
	table := hits(x)
	keys := crowd(x, 96)
	// A version's value says whose it is and which: key, then number.
	const most = 1 << 16
	var held [96]atomic.Int64 // the newest number that was complete
	var writers, readers sync.WaitGroup
	stop := make(chan struct{})
	const gang = 4
	var left [gang]map[int]*cell[V] // what each leaves behind
	for w := range gang {
		writers.Go(func() {
			r := rand.New(rand.NewPCG(2, uint64(w)))
			mine := map[int]*cell[V]{}
			left[w] = mine
			for number := 1; number < 20_000; number++ {
				k := r.IntN(len(keys)/gang)*gang + w
				c := mine[k]
				few := number/256%2 == 0 // the shard shrinks, and slots change hands
				switch {
				case c == nil && few && k >= 3*gang:
					continue
				case c == nil:
					c = &cell[V]{key: keys[k]}
					x.enter(c)
					mine[k] = c
					x.stage(c).show(values.shown(k*most+number), 0)
				case r.IntN(8) == 0:
					x.stage(c).show(nil, 0)
				case few || r.IntN(8) == 0:
					x.remove(c)
					delete(mine, k)
				default:
					x.stage(c).show(values.shown(k*most+number), 0)
				}
				held[k].Store(int64(number))
				var want *lifecycle.Version[V, *Future[V]]
				if c := mine[k]; c != nil {
					want = c.shown.Load()
				}
				if v, ok := values.hit(table, keys[k]); ok && (want == nil || v != values.number(want.Value)) {
					t.Errorf("%s was answered with %d after %d", keys[k], v%most, number)
					return
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
					var v int
					var ok bool
					if r.IntN(2) == 0 {
						v, ok = values.hit(table, keys[k])
					} else if shown := table.hit(keys[k]); shown != nil {
						v, ok = values.number(shown.Value), true
					}
					if !ok {
						continue
					}
					if v/most != k {
						t.Errorf("%s was answered with %d's", keys[k], v/most)
						return
					}
					number := int64(v % most)
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
	// Not before: a hit that meets a slot that changes hands asks the cell.
	for _, mine := range left {
		for k, c := range mine {
			v, ok := values.hit(table, keys[k])
			if shown := c.shown.Load(); ok != (shown != nil) || ok && v != values.number(shown.Value) {
				t.Errorf("%s: a hit is not answered with what is shown in the end", keys[k])
			}
		}
	}
}

// A slot that becomes another key's between a reader's look at the name and his
// look at what is shown answers neither with the other's.
func TestStressIndexSlotsChangeHands(t *testing.T) {
	ofEachKind(t, testIndexSlotsChangeHands, testIndexSlotsChangeHands, testIndexSlotsChangeHands)
}

func testIndexSlotsChangeHands[V any](t *testing.T, values kind[V]) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8)) // threads that are stopped anywhere, not goroutines
	x := newIndex[V](0)
	table := hits(x)
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
				if v, ok := values.hit(table, keys[k]); ok && v != k {
					t.Errorf("%s was answered with %d's", keys[k], v)
					return
				}
			}
		})
	}
	for i := range 30_000 {
		c := &cell[V]{key: keys[i%2]}
		x.enter(c)
		x.stage(c).show(values.shown(i%2), 0)
		x.remove(c)
	}
	stop.Store(true)
	readers.Wait()
}

// F5: a value that has ended when it takes the place of one that has not, as the base
// of a write that is rolled back, answers no hit, nor one that saw the other's end.
func TestStressIndexAnswersNothingEnded(t *testing.T) {
	ofEachKind(t, testIndexAnswersNothingEnded, testIndexAnswersNothingEnded, testIndexAnswersNothingEnded)
}

func testIndexAnswersNothingEnded[V any](t *testing.T, values kind[V]) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8)) // threads that are stopped anywhere, not goroutines
	const ended, now, lasting = 5, 9, 10
	x := newIndex[V](0)
	table := hits(x)
	table.clock.coarse.Store(now)
	c := &cell[V]{key: "k"}
	x.enter(c)
	var readers sync.WaitGroup
	var stop atomic.Bool
	for range 7 {
		readers.Go(func() {
			for !stop.Load() {
				if v, ok := values.hit(table, c.key); ok && v != lasting {
					t.Error("a hit was answered with what had ended")
					return
				}
			}
		})
	}
	for range 60_000 {
		for _, end := range []lifecycle.Instant{lasting, ended} {
			v := values.shown(int(end))
			v.HitEnd = end
			x.stage(c).show(v, now)
		}
	}
	stop.Store(true)
	readers.Wait()
}

// A key that nobody takes out is found at every moment, and met by every walk,
// whatever is put in and taken out around it, also while the slots move.
func TestStressIndexLosesNothing(t *testing.T) {
	x := newIndex[int](0)
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
