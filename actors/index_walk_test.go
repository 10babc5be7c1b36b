package actors

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// A key that is taken out and comes back while a walk is under way may come to
// lie ahead of it: the walk yields it once all the same.
func TestIndexWalkYieldsAKeyThatMovesOnce(t *testing.T) {
	for range 20 { // each index lays its keys out differently
		x := newIndex[int](0)
		keys := crowd(x, 80)
		for _, key := range keys[:40] {
			x.enter(&cell[int]{key: key})
		}
		met, next := map[string]int{}, 40
		for c := range x.all() {
			met[c.key]++
			if met[c.key] > 1 || next == len(keys) {
				continue
			}
			x.remove(c)
			x.enter(&cell[int]{key: keys[next]}) // perhaps where c was
			x.enter(&cell[int]{key: c.key})
			next++
		}
		for i, key := range keys {
			require.LessOrEqual(t, met[key], 1, "%s", key)
			require.True(t, i >= 40 || met[key] == 1, "%s", key)
		}
	}
}

// The same where others take keys out and bring them back.
func TestStressIndexWalkYieldsAKeyOnce(t *testing.T) {
	x := newIndex[int](0)
	keys := crowd(x, 48)
	var stop atomic.Bool
	var writers sync.WaitGroup
	for w := range 2 {
		writers.Go(func() {
			r := rand.New(rand.NewPCG(7, uint64(w)))
			mine := map[int]*cell[int]{}
			for !stop.Load() {
				k := r.IntN(len(keys)/2)*2 + w
				if c := mine[k]; c != nil {
					x.remove(c)
					delete(mine, k)
					continue
				}
				mine[k] = &cell[int]{key: keys[k]}
				x.enter(mine[k])
			}
		})
	}
	for range 10_000 {
		met := map[string]bool{}
		for c := range x.all() {
			if met[c.key] {
				t.Errorf("%s twice", c.key)
			}
			met[c.key] = true
		}
	}
	stop.Store(true)
	writers.Wait()
}
