package api_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/streams"
)

var (
	bg        = context.Background()
	errOrigin = errors.New("the origin is down")
)

// bubble runs a test on virtual time.
func bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, test)
}

// origin is a Source whose every call waits until the test answers it.
type origin struct {
	deaf bool // it ignores its context
	// auto, where set, answers at once; n counts the calls from 1.
	auto func(n int, r freshet.Request[string]) (freshet.Response[string], error)

	mu    sync.Mutex
	made  []*call
	freed bool
}

// call is one call of the origin.
type call struct {
	freshet.Request[string]
	ctx    context.Context
	answer chan func() (freshet.Response[string], error)
}

func (o *origin) Fetch(ctx context.Context, r freshet.Request[string]) (freshet.Response[string], error) {
	c := &call{Request: r, ctx: ctx, answer: make(chan func() (freshet.Response[string], error), 1)}
	o.mu.Lock()
	o.made = append(o.made, c)
	n := len(o.made)
	if o.freed {
		c.fail(errOrigin)
	}
	o.mu.Unlock()
	if o.auto != nil {
		return o.auto(n, r)
	}
	left := ctx.Done()
	if o.deaf {
		left = nil
	}
	select {
	case f := <-c.answer:
		return f()
	case <-left:
		return freshet.Response[string]{}, context.Cause(ctx)
	}
}

func (c *call) do(f func() (freshet.Response[string], error)) {
	select {
	case c.answer <- f:
	default: // it was answered before
	}
}
func (c *call) respond(r freshet.Response[string]) {
	c.do(func() (freshet.Response[string], error) { return r, nil })
}
func (c *call) value(v string) { c.respond(freshet.Response[string]{Value: v}) }
func (c *call) fail(err error) {
	c.do(func() (freshet.Response[string], error) { return freshet.Response[string]{}, err })
}

// calls is how many calls there were, once everything has come to rest.
func (o *origin) calls() int {
	synctest.Wait()
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.made)
}

// call is the nth call from 1, once everything has come to rest.
func (o *origin) call(t *testing.T, n int) *call {
	t.Helper()
	require.GreaterOrEqual(t, o.calls(), n, "the origin was not called so often")
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.made[n-1]
}

// free answers whoever still waits, now and later.
func (o *origin) free() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.freed = true
	for _, c := range o.made {
		c.fail(errOrigin)
	}
}

type config = freshet.Config[string]

// serve makes a cache of o that is closed, and leaves nothing, at the test's end.
func serve(t *testing.T, o *origin, c config) *freshet.Cache[string] {
	t.Helper()
	c.Source = o
	cache := open(t, c)
	t.Cleanup(o.free)
	return cache
}

// open makes a cache that is closed at the test's end.
func open[V any](t testing.TB, c freshet.Config[V]) *freshet.Cache[V] {
	t.Helper()
	if c.Name == "" {
		c.Name = "test"
	}
	cache, err := freshet.New(c)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(bg, time.Minute)
		defer cancel()
		if err := cache.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
		if n := cache.Stats().InFlight; n != 0 {
			t.Errorf("%d flights in the air after Close", n)
		}
	})
	return cache
}

// counting is a Source that answers with how often it was called for the key.
func counting() *origin {
	var mu sync.Mutex
	of := make(map[string]int)
	return &origin{auto: func(_ int, r freshet.Request[string]) (freshet.Response[string], error) {
		mu.Lock()
		defer mu.Unlock()
		of[r.Key]++
		return freshet.Response[string]{Value: fmt.Sprintf("v%d", of[r.Key])}, nil
	}}
}

// reply is what a call on a goroutine of its own returned.
type reply[T any] struct {
	v    T
	err  error
	done chan struct{}
}

// ask makes a call on a goroutine of its own.
func ask[T any](f func() (T, error)) *reply[T] {
	r := &reply[T]{done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.v, r.err = f()
	}()
	return r
}

// waiting says whether the call has still not returned when all is at rest.
func (r *reply[T]) waiting() bool {
	synctest.Wait()
	select {
	case <-r.done:
		return false
	default:
		return true
	}
}

// get waits for the result.
func (r *reply[T]) get() (T, error) {
	<-r.done
	return r.v, r.err
}

// get is Get on a goroutine of its own.
func get(c *freshet.Cache[string], key string, opts ...freshet.FetchOption) *reply[string] {
	return ask(func() (string, error) { return c.Get(bg, key, opts...) })
}

// mustGet is Get that has to answer with want.
func mustGet(t *testing.T, c *freshet.Cache[string], key, want string, opts ...freshet.FetchOption) {
	t.Helper()
	v, err := c.Get(bg, key, opts...)
	require.NoError(t, err)
	require.Equal(t, want, v)
}

// gives says that the reply is want.
func gives(t *testing.T, r *reply[string], want string) {
	t.Helper()
	require.False(t, r.waiting(), "still waiting")
	require.NoError(t, r.err)
	require.Equal(t, want, r.v)
}

// failsWith says that the reply is an error that is want.
func failsWith(t *testing.T, r *reply[string], want error) {
	t.Helper()
	require.False(t, r.waiting(), "still waiting")
	require.ErrorIs(t, r.err, want)
	require.Zero(t, r.v)
}

// settled says that f has settled with want.
func settled(t *testing.T, f *freshet.Future[string], want string) {
	t.Helper()
	synctest.Wait()
	v, err := f.Result()
	require.NoError(t, err)
	require.Equal(t, want, v)
}

// pending says that f has not settled.
func pending(t *testing.T, f *freshet.Future[string]) {
	t.Helper()
	synctest.Wait()
	_, err := f.Result()
	require.ErrorIs(t, err, freshet.ErrPending)
	require.Zero(t, f.Seq())
}

// record keeps the events of a cache.
type record struct {
	mu     sync.Mutex
	events []streams.Event[string]
}

// watch records the events of c from now on.
func watch(t *testing.T, c *freshet.Cache[string], opts ...streams.Option) *record {
	t.Helper()
	sub, err := c.Watch(bg, append(opts, streams.OnOverflow(streams.DropOldest))...)
	require.NoError(t, err)
	r := &record{}
	go func() {
		for e, err := range sub.Events() {
			if err != nil {
				return
			}
			if e.Kind == streams.Bookmark {
				continue
			}
			r.mu.Lock()
			r.events = append(r.events, e)
			r.mu.Unlock()
		}
	}()
	return r
}

// take returns the events since the last take, when all is at rest.
func (r *record) take() []streams.Event[string] {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	events := r.events
	r.events = nil
	return events
}

// tells says that the events since the last take are want, each as
// "Kind before>after reason", a value that is absent as "-".
func (r *record) tells(t *testing.T, want ...string) {
	t.Helper()
	have := []string{}
	for _, e := range r.take() {
		line := fmt.Sprintf("%v %s>%s", e.Kind, shown(e.Before), shown(e.After))
		if e.Reason != "" {
			line += " " + e.Reason
		}
		have = append(have, line)
	}
	if want == nil {
		want = []string{}
	}
	require.Equal(t, want, have)
}

func shown(v *string) string {
	if v == nil {
		return "-"
	}
	return *v
}

// eventually says that cond comes true, in real time.
func eventually(t *testing.T, cond func() bool) {
	t.Helper()
	for start := time.Now(); !cond(); runtime.Gosched() {
		if time.Since(start) > 10*time.Second {
			t.Fatal("it did not come true in 10s")
		}
	}
}
