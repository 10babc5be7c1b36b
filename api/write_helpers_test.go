package api_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// clerk is a Writer whose every call waits until the test answers it.
type clerk struct {
	deaf bool // it ignores its context
	// auto, where set, answers at once; n counts the calls from 1.
	auto func(n int, o *order) (key, stored string, err error)

	mu    sync.Mutex
	made  []*order
	freed bool
}

// order is one call of the clerk.
type order struct {
	what, key, value string
	ctx              context.Context
	answer           chan func() (key, stored string, err error)
}

func (w *clerk) take(ctx context.Context, o *order) (key, stored string, err error) {
	o.ctx, o.answer = ctx, make(chan func() (string, string, error), 1)
	w.mu.Lock()
	w.made = append(w.made, o)
	n := len(w.made)
	if w.freed {
		o.refuse(errOrigin)
	}
	w.mu.Unlock()
	if w.auto != nil {
		return w.auto(n, o)
	}
	left := ctx.Done()
	if w.deaf {
		left = nil
	}
	select {
	case f := <-o.answer:
		return f()
	case <-left:
		return "", "", context.Cause(ctx)
	}
}

func (w *clerk) Create(ctx context.Context, v string) (string, string, error) {
	return w.take(ctx, &order{what: "create", value: v})
}

func (w *clerk) Update(ctx context.Context, key, v string) (string, error) {
	_, stored, err := w.take(ctx, &order{what: "update", key: key, value: v})
	return stored, err
}

func (w *clerk) Delete(ctx context.Context, key string) error {
	_, _, err := w.take(ctx, &order{what: "delete", key: key})
	return err
}

func (o *order) do(f func() (key, stored string, err error)) {
	select {
	case o.answer <- f:
	default: // it was answered before
	}
}

// store answers that the origin has v now.
func (o *order) store(v string) { o.as(o.key, v) }

// as answers a create with the key that the origin gave.
func (o *order) as(key, v string) { o.do(func() (string, string, error) { return key, v, nil }) }
func (o *order) refuse(err error) { o.do(func() (string, string, error) { return "", "", err }) }

// orders is how many calls there were, once everything has come to rest.
func (w *clerk) orders() int {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.made)
}

// order is the nth call from 1, once everything has come to rest.
func (w *clerk) order(t *testing.T, n int) *order {
	t.Helper()
	require.GreaterOrEqual(t, w.orders(), n, "the writer was not called so often")
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.made[n-1]
}

// asks says that the nth call is what was to be written.
func (w *clerk) asks(t *testing.T, n int, what, key, value string) *order {
	t.Helper()
	o := w.order(t, n)
	require.Equal(t, [3]string{what, key, value}, [3]string{o.what, o.key, o.value})
	return o
}

// free answers whoever still waits, now and later.
func (w *clerk) free() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.freed = true
	for _, o := range w.made {
		o.refuse(errOrigin)
	}
}

// obliging is a Writer that stores what it is given.
func obliging() *clerk {
	return &clerk{auto: func(_ int, o *order) (string, string, error) { return o.key, o.value, nil }}
}

// serveWrites is serve with a Writer.
func serveWrites(t *testing.T, o *origin, w *clerk, c config) *freshet.Cache[string] {
	t.Helper()
	c.Writer = w
	cache := serve(t, o, c)
	t.Cleanup(w.free)
	return cache
}

// mutation of a string.
type mutation = freshet.Mutation[string]

// appends is a mutation that appends s.
func appends(s string) mutation {
	return mutation{Apply: func(v string) (string, error) { return v + s, nil }}
}

// mutate is Mutate on a goroutine of its own, begun when it returns.
func mutate(c *freshet.Cache[string], key string, m mutation) *reply[string] {
	r := ask(func() (string, error) { return c.Mutate(bg, key, m) })
	synctest.Wait()
	return r
}

// update is Update, as mutate.
func update(c *freshet.Cache[string], key, v string) *reply[string] {
	r := ask(func() (string, error) { return c.Update(bg, key, v) })
	synctest.Wait()
	return r
}

// erase is Delete, as mutate.
func erase(c *freshet.Cache[string], key string) *reply[string] {
	r := ask(func() (string, error) { return "", c.Delete(bg, key) })
	synctest.Wait()
	return r
}

// created is what Create returned.
type created struct{ key, stored string }

// create is Create, as mutate.
func create(c *freshet.Cache[string], v string) *reply[created] {
	r := ask(func() (created, error) {
		key, stored, err := c.Create(bg, v)
		return created{key, stored}, err
	})
	synctest.Wait()
	return r
}

// refused says that the write failed with want, and whether its outcome is
// unknown.
func refused(t *testing.T, r *reply[string], want error, unknown bool) {
	t.Helper()
	failsWith(t, r, want)
	var failed *freshet.WriteError
	require.ErrorAs(t, r.err, &failed)
	require.Equal(t, unknown, failed.Unknown, "%v", failed)
}

// peeks says what Peek shows and over how many mutations.
func peeks(t *testing.T, c *freshet.Cache[string], key, want string, pending int) freshet.Snapshot[string] {
	t.Helper()
	s, ok := c.Peek(key)
	require.True(t, ok)
	require.Equal(t, want, s.Value)
	require.Equal(t, pending, s.Pending)
	require.Equal(t, pending, c.Stats().Pending)
	return s
}
