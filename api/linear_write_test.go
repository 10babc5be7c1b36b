package api_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// TestLinearW records short histories of writes among everything else that can
// be done with a few keys, with refusals, unknown outcomes, evictions and storms
// of reloads, and checks them as linear_write_model_test.go says.
func TestLinearW(t *testing.T) {
	randomized(t, 6*time.Second, func(seed uint64) {
		var b book
		synctest.Test(t, func(t *testing.T) { b = playWrites(t, seed) })
		for _, fault := range checkLayers(b.writes, b.reads, b.commits, b.strict) {
			t.Errorf("W1: %s", fault)
		}
		markReloads(b.linear)
		explain(t, "W3, W4", model, b.linear)
		explain(t, "W2, W3", countModel, b.counted)
	})
}

// explain has porcupine look for an order that the model allows.
func explain(t *testing.T, rule string, m porcupine.Model, history []porcupine.Operation) {
	t.Helper()
	result, info := porcupine.CheckOperationsVerbose(m, history, 30*time.Second)
	if result == porcupine.Ok {
		return
	}
	for _, op := range least(m, history) {
		t.Logf("%d: [%d, %d] %s", op.ClientId, op.Call, op.Return, m.DescribeOperation(op.Input, op.Output))
	}
	page, err := os.CreateTemp("", "freshet-linear-*.html") // to be kept
	require.NoError(t, err)
	require.NoError(t, porcupine.Visualize(m, info, page))
	require.NoError(t, page.Close())
	t.Errorf("%s: no order explains the history (%s): see %s", rule, result, page.Name())
}

// least is what is left of one key's history when everything is gone that can go
// and leave it inexplicable.
func least(m porcupine.Model, history []porcupine.Operation) []porcupine.Operation {
	wrong := func(ops []porcupine.Operation) bool {
		return porcupine.CheckOperationsTimeout(m, ops, time.Second) == porcupine.Illegal
	}
	for _, ops := range m.Partition(history) {
		if !wrong(ops) {
			continue
		}
		for i := 0; i < len(ops); {
			if fewer := slices.Delete(slices.Clone(ops), i, i+1); wrong(fewer) {
				ops = fewer
			} else {
				i++
			}
		}
		return ops
	}
	return nil
}

// book is a history.
type book struct {
	linear, counted []porcupine.Operation
	writes          []written
	reads           []seen
	commits         map[int64]commit
	strict          bool
}

// playWrites is one history, under a config drawn at random.
func playWrites(t *testing.T, seed uint64) (all book) {
	d := newDice(seed, 0)
	l := &registry{seed: seed, sole: d.in(2), commits: make(map[int64]commit)}
	config := freshet.Config[sheet]{
		Name: "linear", Source: l, Writer: l,
		Freshness: freshet.Freshness{
			TTL:          some(d, 0, 0, 3*tick),
			Stale:        some(d, 0, 3*tick),
			StaleOnError: some(d, 0, 3*tick),
			Missing:      some(d, 0, 5*tick),
			Ahead:        some(d, 0, 0.5),
		},
		Timeout:        some(d, time.Second, 6*tick),
		Reload:         some(d, freshet.ReloadSupersede, freshet.ReloadQueue),
		MaxSupersede:   1 + d.IntN(3),
		MaxFlights:     some(d, 0, 0, 2),
		AbortAbandoned: d.in(4),
		MaxEntries:     1 + d.IntN(2),
	}
	if l.sole {
		config.Timeout = time.Second
	}
	cache, err := freshet.New(config)
	require.NoError(t, err)
	pens := make([]pen, linearClients)
	var wg sync.WaitGroup
	for i := range pens {
		p := &pens[i]
		*p = pen{id: i, dice: newDice(seed, uint64(i+1)), cache: cache, registry: l}
		wg.Go(func() {
			for range linearCalls {
				p.act()
			}
		})
	}
	wg.Wait()
	require.NoError(t, cache.Close(context.Background()))
	require.Zero(t, cache.Stats().Pending)
	for _, p := range pens {
		all.linear = append(all.linear, p.linear...)
		all.counted = append(all.counted, p.counted...)
		all.writes = append(all.writes, p.writes...)
		all.reads = append(all.reads, p.reads...)
	}
	all.commits, all.strict = l.commits, config.Timeout == time.Second
	return all
}

// pen is a client that writes down what it does.
type pen struct {
	dice
	book
	id       int
	cache    *freshet.Cache[sheet]
	registry *registry
}

func (p *pen) now() int64 { return p.registry.clock.Add(1) }

// note writes down an operation of the model of O8.
func (p *pen) note(how string, what deed, key int, call, end, since, set int64, out answered) {
	p.linear = append(p.linear, porcupine.Operation{
		ClientId: p.id, Call: call, Return: end, Output: out,
		Input: did{what: what, how: how, key: linearKeys[key], since: since, set: set},
	})
}

// count writes down an operation of the model of a counter.
func (p *pen) count(what string, key int, call, end, count int64, out any) {
	if p.registry.sole {
		p.counted = append(p.counted, porcupine.Operation{
			ClientId: p.id, Call: call, Return: end, Output: out, Input: tallied{what: what, key: linearKeys[key], count: count},
		})
	}
}

// patience is a context that may end soon.
func (p *pen) patience() (context.Context, context.CancelFunc) {
	if p.in(8) {
		return context.WithTimeout(context.Background(), time.Duration(p.IntN(4))*tick)
	}
	return context.WithCancel(context.Background())
}

// read writes down a read.
func (p *pen) read(how string, what deed, key int, ask func(ctx context.Context, key string) (freshet.Snapshot[sheet], error)) {
	ctx, cancel := p.patience()
	defer cancel()
	call, since := p.now(), p.registry.at(key)
	s, err := ask(ctx, linearKeys[key])
	end := p.now()
	var gone absence
	switch {
	case errors.As(err, &gone):
		p.note(how, what, key, call, end, since, 0, answered{reading: reading{Version: gone.version}})
		if what == reloads {
			p.count("reload", key, call, end, 0, account{gone: true})
		}
	case err == nil:
		p.reads = append(p.reads, seen{how, call, end, key, s.Value})
		if !s.Value.Whole {
			p.note(how, what, key, call, end, since, 0, answered{reading: reading{Version: s.Value.Version, Set: s.Value.Set}})
		}
		if what == reloads && s.Value.Layers == "" {
			p.count("reload", key, call, end, 0, account{count: s.Value.Count})
		}
	}
}

// write writes down a write: do gets a context that carries its id, and returns
// what the origin has then.
func (p *pen) write(what string, key int, do func(ctx context.Context, id int64, key string) (sheet, error)) {
	ctx, cancel := p.patience()
	defer cancel()
	call, since := p.now(), p.registry.at(key)
	number := call
	count := number * 1000 // of a put
	stored, err := do(context.WithValue(ctx, id{}, number), number, linearKeys[key])
	end := p.now()
	var failed *freshet.WriteError
	switch {
	case err == nil:
		version := stored.Version
		if what == "delete" {
			p.registry.mu.Lock()
			version = p.registry.commits[number].applied
			p.registry.mu.Unlock()
		}
		p.note(what, voids, key, call, end, version, 0, answered{})
		p.count(what, key, call, end, count, account{count: stored.Count, gone: what == "delete"})
	case !errors.As(err, &failed): // it left
		end = never
		p.count(what, key, call, never, count, unheard{})
	case failed.Unknown:
		p.note(what+", unknown", voids, key, call, end, since, 0, answered{})
		p.count(what, key, call, never, count, unheard{})
	}
	p.writes = append(p.writes, written{number, call, end, key})
}

// void writes down a call that raises the barrier of keys.
func (p *pen) void(how string, keys []int, do func() error) {
	call := p.now()
	since := make([]int64, len(linearKeys))
	for key := range since {
		since[key] = p.registry.at(key)
	}
	if err := do(); err != nil {
		panic(err)
	}
	end := p.now()
	for _, key := range keys {
		p.note(how, voids, key, call, end, since[key], 0, answered{})
	}
}

// act does one thing.
func (p *pen) act() {
	c, key := p.cache, p.IntN(len(linearKeys))
	name := linearKeys[key]
	switch n := p.IntN(40); {
	case n < 10:
		p.read("Get", reads, key, func(ctx context.Context, key string) (s freshet.Snapshot[sheet], err error) {
			s.Value, err = c.Get(ctx, key)
			return s, err
		})
	case n < 12:
		p.read("Fetch", reads, key, func(ctx context.Context, key string) (s freshet.Snapshot[sheet], err error) {
			f := c.Fetch(ctx, key)
			_ = dawdle(ctx, p.dice, true)
			s.Value, err = f.Await(ctx)
			return s, err
		})
	case n < 14:
		p.read("MaxAge", reads, key, func(ctx context.Context, key string) (freshet.Snapshot[sheet], error) {
			return c.Lookup(ctx, key, freshet.MaxAge(time.Duration(p.IntN(5))*tick))
		})
	case n < 17:
		p.read("Reload", reloads, key, func(ctx context.Context, key string) (freshet.Snapshot[sheet], error) {
			return c.Lookup(ctx, key, freshet.ForceReload())
		})
	case n < 18: // a storm
		for range 2 + p.IntN(6) {
			c.Reload(context.Background(), name)
		}
	case n < 26:
		p.write("add", key, func(ctx context.Context, id int64, key string) (sheet, error) {
			m := freshet.Mutation[sheet]{Apply: func(s sheet) (sheet, error) {
				s.Count++
				return s.over(id), nil
			}}
			if !p.registry.sole { // others write: only the origin can count
				m.Commit = p.registry.add(linearKey(key))
			}
			return c.Mutate(ctx, key, m)
		})
	case n < 29:
		p.write("put", key, func(ctx context.Context, id int64, key string) (sheet, error) {
			return c.Update(ctx, key, sheet{Count: id * 1000, Whole: true}.over(id))
		})
	case n < 31:
		p.write("delete", key, func(ctx context.Context, _ int64, key string) (sheet, error) {
			return sheet{}, c.Delete(ctx, key)
		})
	case n < 33 && !p.registry.sole:
		p.create()
	case n < 34 && !p.registry.sole:
		call, set := p.now(), p.now()
		if err := c.Set(context.Background(), name, sheet{Version: set, Set: true}); err != nil {
			panic(err)
		}
		p.note("Set", sets, key, call, p.now(), 0, set, answered{})
	case n < 35 && !p.registry.sole:
		p.registry.apply(key, func(e *entry) { e.count += 100 })
		p.void("write, Invalidate", []int{key}, func() error { return c.Invalidate(context.Background(), name) })
	case n < 36:
		p.void("Invalidate", []int{key}, func() error { return c.Invalidate(context.Background(), name) })
	case n < 37:
		p.void("Remove", []int{key}, func() error { return c.Remove(context.Background(), name) })
	case n < 38:
		p.void("InvalidatePrefix", []int{0, 1}, func() error {
			_, err := c.InvalidatePrefix(context.Background(), "a/")
			return err
		})
	case n < 39:
		_ = c.Expire(context.Background(), name)
	default:
		_ = dawdle(context.Background(), p.dice, true)
	}
}

// create writes down a Create, whose key the origin chooses.
func (p *pen) create() {
	call := p.now()
	key, stored, err := p.cache.Create(context.WithValue(context.Background(), id{}, call), sheet{Count: call})
	if err == nil {
		p.note("create", voids, linearKey(key), call, p.now(), stored.Version, 0, answered{})
	}
}
