package api_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

var linearKeys = [...]string{"a/1", "a/2", "b/1"}

func linearKey(name string) int {
	for i, key := range linearKeys {
		if key == name {
			return i
		}
	}
	panic("the source was asked for " + name)
}

const (
	linearClients = 8
	linearCalls   = 24 // of each client
)

// TestLinearO8 records short histories of everything that can be done with a
// few keys and has porcupine look for an order that the model allows. Time is
// virtual, so that a history takes no longer than the processors need for it.
func TestLinearO8(t *testing.T) {
	randomized(t, 6*time.Second, func(seed uint64) {
		var history []porcupine.Operation
		synctest.Test(t, func(t *testing.T) { history = play(t, seed) })
		markReloads(history)
		explain(t, "O8", model, history)
	})
}

// play is one history, under a config drawn at random.
func play(t *testing.T, seed uint64) []porcupine.Operation {
	d := newDice(seed, 0)
	w := &well{seed: seed, always: d.in(2), tagged: d.in(2)}
	// An absence carries no tag, so InvalidateTag does not speak of it.
	w.absences = !w.tagged && d.in(2)
	config := freshet.Config[reading]{
		Name: "linear", Source: w,
		Freshness: freshet.Freshness{
			TTL:          some(d, 0, 0, 3*tick),
			Stale:        some(d, 0, 3*tick),
			StaleOnError: some(d, 0, 3*tick),
			Missing:      some(d, 0, 5*tick),
			Failure:      some(d, 0, 0, tick),
			Ahead:        some(d, 0, 0.5),
		},
		Timeout:        some(d, time.Second, 6*tick),
		Reload:         some(d, freshet.ReloadSupersede, freshet.ReloadQueue),
		MaxSupersede:   1 + d.IntN(3),
		MaxFlights:     some(d, 0, 0, 2),
		AbortAbandoned: d.in(4),
		MaxEntries:     1 + d.IntN(2),
	}
	if d.in(2) {
		config.Source = bulkWell{w}
	}
	cache, err := freshet.New(config)
	require.NoError(t, err)
	scribes := make([]scribe, linearClients)
	var wg sync.WaitGroup
	for i := range scribes {
		s := &scribes[i]
		*s = scribe{id: i, dice: newDice(seed, uint64(i+1)), cache: cache, well: w}
		wg.Go(func() {
			for range linearCalls {
				s.act()
			}
		})
	}
	wg.Wait()
	require.NoError(t, cache.Close(context.Background()))
	var history []porcupine.Operation
	for _, s := range scribes {
		history = append(history, s.history...)
	}
	return history
}

// scribe is a client that writes down what it does.
type scribe struct {
	dice
	id      int
	cache   *freshet.Cache[reading]
	well    *well
	history []porcupine.Operation
}

// note runs a call and writes it down, once for each key that it is about.
func (s *scribe) note(how string, what deed, set int64, keys []int, call func() map[int]answered) {
	op := porcupine.Operation{ClientId: s.id, Call: s.well.clock.Add(1)}
	since := make([]int64, len(linearKeys))
	for _, key := range keys {
		since[key] = s.well.at(key)
	}
	answers := call()
	op.Return = s.well.clock.Add(1)
	for _, key := range keys {
		a, ok := answers[key]
		if !ok && (what == reads || what == reloads) {
			continue // it failed, so it told nothing
		}
		op.Input = did{what: what, how: how, key: linearKeys[key], since: since[key], set: set}
		op.Output = a
		s.history = append(s.history, op)
	}
}

// read writes down a call that answers for one key.
func (s *scribe) read(how string, what deed, key int, call func(ctx context.Context, key string) (reading, error)) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if s.in(8) {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(s.IntN(4))*tick)
		defer cancel()
	}
	s.note(how, what, 0, []int{key}, func() map[int]answered {
		v, err := call(ctx, linearKeys[key])
		return told(key, v, err)
	})
}

// told is what a call said about key: a failure says nothing.
func told(key int, v reading, err error) map[int]answered {
	var gone absence
	switch {
	case err == nil:
		return map[int]answered{key: {reading: v}}
	case errors.As(err, &gone):
		return map[int]answered{key: {reading: reading{Version: gone.version}}}
	}
	return nil
}

// void writes down a call that raises barriers.
func (s *scribe) void(how string, keys []int, call func(ctx context.Context) error) {
	s.note(how, voids, 0, keys, func() map[int]answered {
		if err := call(context.Background()); err != nil {
			panic(err)
		}
		return nil
	})
}

// act does one thing.
func (s *scribe) act() {
	c, key := s.cache, s.IntN(len(linearKeys))
	name, all := linearKeys[key], []int{0, 1, 2}
	switch n := s.IntN(40); {
	case n < 10:
		s.read("Get", reads, key, func(ctx context.Context, key string) (reading, error) { return c.Get(ctx, key) })
	case n < 13:
		s.read("Lookup", reads, key, func(ctx context.Context, key string) (reading, error) {
			r, err := c.Lookup(ctx, key)
			return r.Value, err
		})
	case n < 16:
		s.read("Fetch", reads, key, func(ctx context.Context, key string) (reading, error) {
			f := c.Fetch(ctx, key)
			_ = dawdle(ctx, s.dice, true)
			return f.Await(ctx)
		})
	case n < 18:
		s.read("MaxAge", reads, key, func(ctx context.Context, key string) (reading, error) {
			return c.Get(ctx, key, freshet.MaxAge(time.Duration(s.IntN(5))*tick))
		})
	case n < 20:
		s.read("CachedOnly", reads, key, func(ctx context.Context, key string) (reading, error) {
			return c.Get(ctx, key, freshet.CachedOnly())
		})
	case n < 22:
		s.note("GetMany", reads, 0, all, func() map[int]answered { return s.getMany() })
	case n < 25:
		s.read("Reload", reloads, key, func(ctx context.Context, key string) (reading, error) {
			return c.Reload(ctx, key).Await(ctx)
		})
	case n < 26: // a storm
		for range 2 + s.IntN(6) {
			c.Reload(context.Background(), name)
		}
	case n < 29:
		set := s.well.clock.Add(1)
		s.note("Set", sets, set, []int{key}, func() map[int]answered { s.set(name, set); return nil })
	case n < 32:
		s.void("Invalidate", []int{key}, func(ctx context.Context) error { return c.Invalidate(ctx, name) })
	case n < 34:
		s.well.write(key)
		s.void("write, Invalidate", []int{key}, func(ctx context.Context) error { return c.Invalidate(ctx, name) })
	case n < 35:
		s.void("Remove", []int{key}, func(ctx context.Context) error { return c.Remove(ctx, name) })
	case n < 36:
		s.void("InvalidatePrefix", all[:2], func(ctx context.Context) error {
			_, err := c.InvalidatePrefix(ctx, "a/")
			return err
		})
	case n < 37 && s.well.tagged:
		s.void("InvalidateTag", all, func(ctx context.Context) error {
			_, err := c.InvalidateTag(ctx, "other", "all")
			return err
		})
	case n < 38:
		_ = c.Expire(context.Background(), name)
	default:
		_ = dawdle(context.Background(), s.dice, true)
	}
}

func (s *scribe) getMany() map[int]answered {
	values, err := s.cache.GetMany(context.Background(), linearKeys[:])
	var many *freshet.ManyError
	errors.As(err, &many)
	answers := make(map[int]answered)
	for i, key := range linearKeys {
		var err error
		if many != nil {
			err = many.Errs[key]
		}
		for _, a := range told(i, values[key], err) {
			answers[i] = a
		}
	}
	return answers
}

func (s *scribe) set(key string, number int64) {
	r := freshet.Response[reading]{Value: reading{Version: number, Set: true}}
	if s.well.tagged {
		r.Tags = []string{"all"}
	}
	if s.in(6) {
		r.TTL = tick
	}
	if err := s.cache.Put(context.Background(), key, r); err != nil {
		panic(err)
	}
}
