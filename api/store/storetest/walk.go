package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	freshet "github.com/freshet-go/freshet/api"
)

// oracle is D5 as a sentence: a key's record is its latest, unless something
// that covers the key erased it. It is a function of the set of calls, so it
// serves calls that overlap too.
type oracle struct {
	sets     map[string]map[int]string // key, ReadAt, value
	erases   map[string]int
	prefixes map[string]int
}

func newOracle() *oracle {
	return &oracle{sets: map[string]map[int]string{}, erases: map[string]int{}, prefixes: map[string]int{}}
}

func (o *oracle) set(key string, n int, value string) {
	if o.sets[key] == nil {
		o.sets[key] = map[int]string{}
	}
	o.sets[key][n] = value
}

func (o *oracle) want(key string) (value string, ok bool) {
	latest, erased := -1, -1
	for n, v := range o.sets[key] {
		if n > latest {
			latest, value = n, v
		}
	}
	if n, ok := o.erases[key]; ok {
		erased = n
	}
	for prefix, n := range o.prefixes {
		if strings.HasPrefix(key, prefix) {
			erased = max(erased, n)
		}
	}
	return value, latest > erased
}

type step struct {
	op, key string
	n       int
}

// steps draws a run: few keys that share prefixes, times that jump back and
// forth; each time is used once, so that the later of two is never a matter of taste.
func steps(rng *rand.Rand, count int) []step {
	run := make([]step, count)
	for i, n := range rng.Perm(count) {
		key := []string{"a", "a:", "a:1", "a:2", "a:2:x", "b", "b:1", "ab"}[rng.IntN(8)]
		s := step{op: "set", key: key, n: n}
		switch p := rng.IntN(100); {
		case p < 6:
			s.op, s.n = "delete", n*2/3
		case p < 9:
			s.op, s.n = "prefix", n/2
			s.key = []string{"a:", "a:2", "a", "b:", "c", "a:2:x"}[rng.IntN(6)]
		}
		run[i] = s
	}
	return run
}

func (p *probe) take(s step) error {
	switch s.op {
	case "delete":
		return p.Delete(p.Context(), s.key, p.at(s.n))
	case "prefix":
		return p.DeletePrefix(p.Context(), s.key, p.at(s.n))
	}
	return p.Set(p.Context(), s.key, p.read(s.n, s.value()))
}

// value has a length of its own, so that a torn record shows. (A broken store
// may ask for that of a time before the epoch.)
func (s step) value() string { return fmt.Sprint(s.key, "@", s.n, strings.Repeat(".", max(s.n%97, 0))) }

func (o *oracle) take(s step) {
	switch s.op {
	case "delete":
		o.erases[s.key] = max(s.n, o.erases[s.key])
	case "prefix":
		o.prefixes[s.key] = max(s.n, o.prefixes[s.key])
	default:
		o.set(s.key, s.n, s.value())
	}
}

func (p *probe) agree(o *oracle, key string) {
	p.Helper()
	if value, ok := o.want(key); ok {
		p.wantValue(key, value)
	} else {
		p.wantNone(key)
	}
}

var walkTests = []test{
	{"D5_AtRandom", func(p *probe) {
		seed := uint64(time.Now().UnixNano())
		defer func() {
			if p.Failed() {
				p.Logf("seed %d", seed)
			}
		}()
		o := newOracle()
		for _, s := range steps(rand.New(rand.NewPCG(seed, 1)), 400) {
			if err := p.take(s); err != nil {
				p.Fatal(err)
			}
			o.take(s)
			p.agree(o, s.key+"2")
			if s.op != "prefix" {
				p.agree(o, s.key)
			}
		}
		for key := range o.sets {
			p.agree(o, key)
		}
	}},
	{"D5_FromManyGoroutines", func(p *probe) {
		const writers = 8
		run := steps(rand.New(rand.NewPCG(7, uint64(time.Now().UnixNano()))), 800)
		o := newOracle()
		for _, s := range run {
			o.take(s)
		}
		var group sync.WaitGroup
		for w := range writers {
			group.Go(func() {
				seen := map[string]time.Time{}
				for i := w; i < len(run); i += writers {
					s := run[i]
					if err := p.take(s); err != nil {
						p.Errorf("%s(%q): %v", s.op, s.key, err)
						return
					}
					r, err := p.Get(p.Context(), s.key)
					switch {
					case errors.Is(err, freshet.ErrNotFound):
					case err != nil:
						p.Errorf("Get(%q): %v", s.key, err)
					case r.ReadAt.Before(seen[s.key]):
						p.Errorf("D5: %q went back from %v to %v after the epoch", s.key, seen[s.key].Sub(p.epoch), r.ReadAt.Sub(p.epoch))
					case string(r.Value) != (step{"set", s.key, int(r.ReadAt.Sub(p.epoch) / time.Millisecond)}).value():
						p.Errorf("D3: %q read at %v holds %.80q", s.key, r.ReadAt.Sub(p.epoch), r.Value)
					default:
						seen[s.key] = r.ReadAt
					}
				}
			})
		}
		group.Wait()
		for key := range o.sets {
			p.agree(o, key)
		}
	}},
}
