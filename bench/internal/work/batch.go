package work

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/source/batch"
	"github.com/freshet-go/freshet/bench/internal/pattern"
)

// batches are many keys demanded within a moment of an origin that would rather
// be called once.
func batches() []Workload {
	return []Workload{
		gathering("1ms", "A hundred callers at once, each with a cold key of its own, of an origin that takes 1 ms a call and serves one call "+
			"at a time; until the last is answered. GetMany is one caller with all the keys.", time.Millisecond, 20, 3),
		gathering("instant", "The same where the origin takes no time: what being gathered costs, the window of 1 ms among it.", 0, 500, 30),
	}
}

// batchKeys is how many are demanded at once: the most that one call has.
const batchKeys = batch.DefaultMax

func gathering(name, about string, delay time.Duration, ops, quick int) Workload {
	contender := func(name string, batched, together bool) Contender {
		return Contender{Name: name, Module: freshetModule, Prepare: func() (Run, error) {
			return episodes(func() ([]float64, error) { return gather(delay, batched, together) }), nil
		}}
	}
	return Workload{
		Name: fmt.Sprintf("batch/%d-keys-%s", batchKeys, name), About: about,
		Columns: []Column{
			{Name: "time/key", Unit: "ns"}, {Name: CPU, Unit: "ns"}, {Name: "allocs/op"}, {Name: "origin calls"}, {Name: "failed", Wrong: true},
		},
		Ops: ops, Quick: quick, Seconds: 1,
		Contenders: []Contender{
			contender("freshet, batch", true, false),
			contender("freshet, batch, GetMany", true, true),
			contender("single calls", false, false),
		},
	}
}

// serial is an origin that serves one call at a time, of however many keys.
type serial struct {
	one   sync.Mutex
	calls atomic.Int64
	delay time.Duration
}

func (o *serial) fetch(_ context.Context, keys []string) (map[string]uint64, error) {
	if o.delay > 0 {
		o.one.Lock()
		defer o.one.Unlock()
		time.Sleep(o.delay)
	}
	o.calls.Add(1)
	found := make(map[string]uint64, len(keys))
	for _, key := range keys {
		found[key] = 1
	}
	return found, nil
}

// gather demands batchKeys keys of a new cache, together in one call of it or
// each from a caller of its own.
func gather(delay time.Duration, batched, together bool) (figures []float64, err error) {
	ctx := context.Background()
	o := &serial{delay: delay}
	source := freshet.Func(func(ctx context.Context, key string) (uint64, error) {
		found, err := o.fetch(ctx, []string{key})
		return found[key], err
	})
	if batched {
		b, newErr := batch.New(batch.Config[uint64]{Fetch: batch.Keys(o.fetch)})
		if newErr != nil {
			return nil, newErr
		}
		defer func() { err = errors.Join(err, b.Close(ctx)) }()
		source = b
	}
	cache, err := freshet.New(freshet.Config[uint64]{Name: "bench", Source: source})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, cache.Close(ctx)) }()
	// A service's cache is not new: what the first load of all sets up is not
	// the batch's.
	if _, err := cache.Get(ctx, "another key"); err != nil {
		return nil, err
	}
	o.calls.Store(0)
	keys := pattern.Keys(batchKeys)
	var failed atomic.Int64
	spent := countExpense()
	var took time.Duration
	if together {
		took = alone(func() {
			if found, err := cache.GetMany(ctx, keys); err != nil {
				failed.Add(int64(len(keys) - len(found)))
			}
		})
	} else {
		took = crowd(batchKeys, batchKeys, func(from, to int) {
			for _, key := range keys[from:to] {
				if _, err := cache.Get(ctx, key); err != nil {
					failed.Add(1)
				}
			}
		})
	}
	cpu, allocs, _ := spent.perOp(batchKeys)
	return []float64{perOp(took, batchKeys), cpu, allocs, float64(o.calls.Load()), float64(failed.Load())}, nil
}
