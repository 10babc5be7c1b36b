package storetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	freshet "github.com/freshet-go/freshet/api"
)

// ErrInjected is what an injected failure is, unless its Fault brings another.
var ErrInjected = errors.New("storetest: injected failure")

// Call is one call of a Store, counted from 1 in the order they began.
type Call struct {
	N   int
	Op  string // "Get", "Set", "Delete", "DeletePrefix"
	Key string // or the prefix
}

// Fault is what befalls a call. The zero value is nothing.
type Fault struct {
	// Delay passes before anything else does; a context that ends sooner ends it.
	Delay time.Duration
	// Hang waits until the context ends and returns its error. Deaf waits until
	// the store is closed whatever the context says, as a client without one would.
	Hang, Deaf bool
	// Err is returned instead of doing the call.
	Err error
	// Lost returns Err (or ErrInjected) after doing the call: the answer was lost.
	Lost bool
	// Garbage replaces the value of the record that a Get returns, or the error of one
	// that found nothing, by bytes that no codec wrote.
	Garbage bool
	// Panic panics with ErrInjected.
	Panic bool
}

// Plan decides what befalls a call. It runs on the caller's goroutine, for
// several calls at once.
type Plan func(Call) Fault

// FailNth fails the n-th call, counted from 1, with ErrInjected.
func FailNth(n int) Plan {
	return func(c Call) (f Fault) {
		if c.N == n {
			f.Err = ErrInjected
		}
		return f
	}
}

// On lets f befall every call of op; "" is every op.
func On(op string, f Fault) Plan {
	return func(c Call) Fault {
		if op == "" || c.Op == op {
			return f
		}
		return Fault{}
	}
}

// Sometimes lets f befall a share of all calls between 0 and 1, the same ones
// for the same seed and number of the call.
func Sometimes(seed uint64, share float64, f Fault) Plan {
	return func(c Call) Fault {
		if rand.New(rand.NewPCG(seed, uint64(c.N))).Float64() < share {
			return f
		}
		return Fault{}
	}
}

// First is the first of the plans that has a fault for the call.
func First(plans ...Plan) Plan {
	return func(c Call) Fault {
		for _, plan := range plans {
			if f := plan(c); f != (Fault{}) {
				return f
			}
		}
		return Fault{}
	}
}

// FaultyStore is a Store whose calls fail as planned.
type FaultyStore struct {
	store  freshet.Store
	plan   atomic.Pointer[Plan]
	calls  atomic.Int64
	closed chan struct{}
	once   atomic.Bool
}

var _ freshet.Invalidator = (*FaultyStore)(nil)

// Faulty wraps store so that its calls fail as plan says; nil plans nothing.
// Closing it closes store and ends what is Deaf.
func Faulty(store freshet.Store, plan Plan) *FaultyStore {
	f := &FaultyStore{store: store, closed: make(chan struct{})}
	f.Plan(plan)
	return f
}

// Plan replaces the plan, for calls that begin from now on.
func (f *FaultyStore) Plan(plan Plan) {
	if plan == nil {
		plan = func(Call) Fault { return Fault{} }
	}
	f.plan.Store(&plan)
}

// Calls is how many calls have begun, Close not counted.
func (f *FaultyStore) Calls() int { return int(f.calls.Load()) }

// Get implements freshet.Store.
func (f *FaultyStore) Get(ctx context.Context, key string) (r freshet.Record, err error) {
	fault, err := f.befall(ctx, "Get", key, func() error {
		r, err = f.store.Get(ctx, key)
		return err
	})
	if fault.Garbage && (err == nil || errors.Is(err, freshet.ErrNotFound)) {
		if err != nil {
			r.ReadAt = time.Now()
		}
		r.Value = garbage(key)
		return r, nil
	}
	if err != nil {
		return freshet.Record{}, err
	}
	return r, nil
}

// Set implements freshet.Store.
func (f *FaultyStore) Set(ctx context.Context, key string, r freshet.Record) error {
	_, err := f.befall(ctx, "Set", key, func() error { return f.store.Set(ctx, key, r) })
	return err
}

// Delete implements freshet.Store.
func (f *FaultyStore) Delete(ctx context.Context, key string, at time.Time) error {
	_, err := f.befall(ctx, "Delete", key, func() error { return f.store.Delete(ctx, key, at) })
	return err
}

// DeletePrefix implements freshet.Store.
func (f *FaultyStore) DeletePrefix(ctx context.Context, prefix string, at time.Time) error {
	_, err := f.befall(ctx, "DeletePrefix", prefix, func() error { return f.store.DeletePrefix(ctx, prefix, at) })
	return err
}

// OnInvalidate implements freshet.Invalidator, as far as the store beneath does.
func (f *FaultyStore) OnInvalidate(tell func(freshet.Invalidation)) (stop func()) {
	if i, ok := f.store.(freshet.Invalidator); ok {
		return i.OnInvalidate(tell)
	}
	return func() {}
}

// Close implements freshet.Store; it never fails on purpose.
func (f *FaultyStore) Close() error {
	if f.once.CompareAndSwap(false, true) {
		close(f.closed)
	}
	return f.store.Close()
}

func (f *FaultyStore) befall(ctx context.Context, op, key string, do func() error) (Fault, error) {
	fault := (*f.plan.Load())(Call{N: int(f.calls.Add(1)), Op: op, Key: key})
	if fault.Delay > 0 {
		timer := time.NewTimer(fault.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return fault, ctx.Err()
		case <-f.closed:
			return fault, do()
		}
	}
	switch {
	case fault.Panic:
		panic(ErrInjected)
	case fault.Deaf:
		<-f.closed
		return fault, ErrInjected
	case fault.Hang:
		select {
		case <-ctx.Done():
			return fault, ctx.Err()
		case <-f.closed:
			return fault, do()
		}
	case fault.Lost:
		if err := do(); err != nil {
			return fault, err
		}
		if fault.Err == nil {
			return fault, ErrInjected
		}
		return fault, fault.Err
	case fault.Err != nil:
		return fault, fault.Err
	}
	return fault, do()
}

// garbage is bytes that are no JSON, no CBOR of a value and no UTF-8, the same for the
// same key.
func garbage(key string) []byte {
	b := make([]byte, 16+len(key)%16)
	chacha := rand.NewChaCha8([32]byte([]byte(key + string(make([]byte, 32)))[:32]))
	_, _ = chacha.Read(b)
	return append([]byte{0xff, '{'}, b...)
}
