package api_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	freshet "github.com/freshet-go/freshet/api"
)

// cargo is the value of the stress tests.
type cargo struct {
	N      uint64
	Weight uint32
}

// harbour is an origin that does everything an origin should not do.
type harbour struct {
	seed   uint64
	wild   bool // it also panics, exits and hangs
	calls  atomic.Uint64
	inAir  atomic.Int64 // calls that have neither returned nor timed out
	most   atomic.Int64
	served atomic.Uint64
}

var errHarbour = errors.New("the harbour is closed")

// enter counts a call as in the air until it has returned or, for one that
// overstays, until shortly before its timeout: then another may go (F11).
func (h *harbour) enter(ctx context.Context) (d dice, leave func()) {
	d = newDice(h.seed, 1_000+h.calls.Add(1))
	deadline, _ := ctx.Deadline()
	left := time.Until(deadline) - tick/2
	if left <= 0 {
		return d, func() {}
	}
	n := h.inAir.Add(1)
	for most := h.most.Load(); n > most && !h.most.CompareAndSwap(most, n); {
		most = h.most.Load()
	}
	out := sync.OnceFunc(func() { h.inAir.Add(-1) })
	overstayed := time.AfterFunc(left, out)
	return d, func() {
		overstayed.Stop()
		out()
	}
}

// misbehave takes some time, and may not return.
func (h *harbour) misbehave(ctx context.Context, d dice) error {
	if err := dawdle(ctx, d, d.in(3)); err != nil {
		return err
	}
	switch n := d.IntN(24); {
	case n < 3:
		return errHarbour
	case n < 5:
		return freshet.ErrNotFound
	case n < 6:
		<-ctx.Done()
		return context.Cause(ctx)
	case n < 7 && h.wild:
		panic(errHarbour)
	case n < 8 && h.wild:
		panic("not an error")
	case n < 9 && h.wild:
		runtime.Goexit()
	case n < 10 && h.wild: // deaf, and beyond its timeout
		deadline, _ := ctx.Deadline()
		late := time.NewTimer(time.Until(deadline) + time.Duration(d.IntN(3))*tick)
		defer late.Stop()
		<-late.C
	}
	return nil
}

func (h *harbour) load(d dice, r freshet.Request[cargo]) freshet.Response[cargo] {
	a := freshet.Response[cargo]{
		Value:     cargo{N: h.served.Add(1), Weight: uint32(d.IntN(20))},
		Unchanged: r.Last != nil && d.in(3),
		TTL:       some[time.Duration](d, 0, 0, 0, -1, tick, 4*tick),
		Age:       some[time.Duration](d, 0, 0, tick),
	}
	for _, tag := range []string{"red", "green", "blue"} {
		if d.in(3) {
			a.Tags = append(a.Tags, tag)
		}
	}
	return a
}

func (h *harbour) Fetch(ctx context.Context, r freshet.Request[cargo]) (freshet.Response[cargo], error) {
	d, leave := h.enter(ctx)
	defer leave()
	err := h.misbehave(ctx, d)
	return h.load(d, r), err // a value beside the error is ignored
}

// bulkHarbour can fetch many at once, forgets some and names others as failed.
type bulkHarbour struct{ *harbour }

func (h bulkHarbour) FetchMany(ctx context.Context, rs []freshet.Request[cargo]) (map[string]freshet.Response[cargo], error) {
	d, leave := h.enter(ctx)
	defer leave()
	if err := h.misbehave(ctx, d); err != nil {
		return nil, err
	}
	found := make(map[string]freshet.Response[cargo])
	many := &freshet.ManyError{Errs: make(map[string]error)}
	for _, r := range rs {
		switch d.IntN(5) {
		case 0:
		case 1:
			many.Errs[r.Key] = errHarbour
		default:
			found[r.Key] = h.load(d, r)
		}
	}
	return found, many
}
