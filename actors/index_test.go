package actors

import (
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The index against a map: what is in, is found; what is not, is not; a walk
// yields each once.
func TestIndexIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, model := newIndex[int](), map[string]*cell[int]{}
		key := rapid.StringMatching(`[a-z]{1,2}`)
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
			"remove": func(t *rapid.T) {
				k := key.Draw(t, "key")
				if c := model[k]; c != nil {
					x.remove(&cell[int]{key: k}) // another cell of the key: nothing happens
					if x.find(k) != c {
						t.Fatalf("a stranger took %q out", k)
					}
					x.remove(c)
					delete(model, k)
				}
			},
			"remove all": func(*rapid.T) {
				for k, c := range model {
					x.remove(c)
					delete(model, k)
				}
			},
			"": func(t *rapid.T) {
				k := key.Draw(t, "key")
				if x.find(k) != model[k] {
					t.Fatalf("find %q", k)
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

