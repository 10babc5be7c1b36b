package api_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// Behaviours 1 and 21: every waiter wakes and the key lives on.
func TestC4_ASourceThatDoesNotReturn(t *testing.T) {
	boom := errors.New("boom")
	for name, bad := range map[string]struct {
		f    func()
		want error
		as   any
	}{
		"panics with an error": {func() { panic(boom) }, boom, new(*freshet.PanicError)},
		"panics with a string": {func() { panic("boom") }, nil, new(*freshet.PanicError)},
		"panics with nil":      {func() { panic(nil) }, nil, new(*freshet.PanicError)}, //nolint:govet // it happens
		"calls Goexit":         {runtime.Goexit, freshet.ErrGoexit, nil},
		"calls t.FailNow":      {func() { new(testing.T).FailNow() }, freshet.ErrGoexit, nil},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				o := &origin{}
				c := serve(t, o, config{})
				waiters := []*reply[string]{get(c, "k"), get(c, "k"), get(c, "k")}
				f := c.Fetch(bg, "k")
				o.call(t, 1).do(func() (freshet.Response[string], error) { bad.f(); panic("unreachable") })
				o.calls()
				_, err := f.Result()
				for _, w := range waiters {
					require.False(t, w.waiting())
					require.Equal(t, err, w.err)
				}
				if bad.want != nil {
					require.ErrorIs(t, err, bad.want)
				}
				if bad.as != nil {
					require.ErrorAs(t, err, bad.as)
					p := *bad.as.(**freshet.PanicError)
					require.Contains(t, string(p.Stack), "usercode_test.go", "the stack of who panicked")
				}
				require.Zero(t, c.Stats().InFlight)
				again := get(c, "k")
				o.call(t, 2).value("v")
				gives(t, again, "v")
			})
		})
	}
}

// A nil error with a zero value is a value; with an error, the error counts.
func TestC4_ValuesAndErrorsTogether(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{})
		both := get(c, "both")
		o.call(t, 1).do(func() (freshet.Response[string], error) {
			return freshet.Response[string]{Value: "a value", Unchanged: true}, errOrigin
		})
		failsWith(t, both, errOrigin)
		_, err := c.Get(bg, "both", freshet.CachedOnly())
		require.ErrorIs(t, err, freshet.ErrNotCached)
		zero := get(c, "zero")
		o.call(t, 2).value("")
		gives(t, zero, "")
		mustGet(t, c, "zero", "", freshet.CachedOnly())
	})
}

// Equal, Newer and Weigh on the flight's goroutine.
func TestC4_CallbacksOfAFlightThatDoNotReturn(t *testing.T) {
	for name, leave := range map[string]func(){"panic": func() { panic("boom") }, "Goexit": runtime.Goexit} {
		for callback, set := range callbacks {
			t.Run(callback+" "+name, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					o := &origin{}
					var bad bool
					var cfg config
					set(&cfg, func() {
						if bad {
							leave()
						}
					})
					c := serve(t, o, cfg)
					require.NoError(t, c.Set(bg, "k", "a1"))
					bad = true
					r := get(c, "k", freshet.ForceReload())
					o.call(t, 1).value("b2")
					require.False(t, r.waiting())
					require.Error(t, r.err)
					if name == "Goexit" {
						require.ErrorIs(t, r.err, freshet.ErrGoexit)
					} else {
						require.ErrorAs(t, r.err, new(*freshet.PanicError))
					}
					mustGet(t, c, "k", "a1") // the last good value goes on
					bad = false
					r = get(c, "k", freshet.ForceReload())
					o.call(t, 2).value("b2")
					gives(t, r, "b2")
				})
			})
		}
	}
}

var callbacks = map[string]func(c *config, run func()){
	"Equal": func(c *config, run func()) { c.Equal = func(a, b string) bool { run(); return a == b } },
	"Newer": func(c *config, run func()) { c.Newer = func(a, b string) bool { run(); return newer(a, b) } },
	"Weigh": func(c *config, run func()) {
		c.MaxWeight, c.Weigh = 1000, func(string, string) uint32 { run(); return 1 }
	},
}

// The same on the goroutine of whoever sets: it fails that Set alone.
func TestC4_CallbacksOfASetThatDoNotReturn(t *testing.T) {
	for callback, set := range callbacks {
		t.Run(callback, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var leave func()
				var cfg config
				set(&cfg, func() {
					if leave != nil {
						leave()
					}
				})
				c := serve(t, &origin{}, cfg)
				require.NoError(t, c.Set(bg, "k", "a1"))
				leave = func() { panic(errOrigin) }
				err := c.Set(bg, "k", "b2")
				require.ErrorAs(t, err, new(*freshet.PanicError))
				require.ErrorIs(t, err, errOrigin, "a panic with an error unwraps to it")
				leave = runtime.Goexit
				var wg sync.WaitGroup
				wg.Go(func() { _ = c.Set(bg, "k", "b2"); t.Error("Goexit came back") })
				wg.Wait()
				if callback == "Weigh" {
					leave = func() { panic("boom") }
					require.Error(t, c.Set(bg, "cold", "x1"))
					require.Equal(t, 1, c.Len(), "a Set that failed leaves nothing behind")
				}
				leave = nil
				mustGet(t, c, "k", "a1")
				require.NoError(t, c.Set(bg, "k", "b2"))
				mustGet(t, c, "k", "b2")
			})
		})
	}
}

// A callback that blocks for ever holds its own operation and nobody else.
func TestC4_ACallbackThatBlocks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		block := make(chan struct{})
		c := serve(t, o, config{Equal: func(a, b string) bool {
			if b == "blocks" {
				<-block
			}
			return a == b
		}})
		require.NoError(t, c.Set(bg, "k", "a"))
		flight := get(c, "k", freshet.ForceReload())
		o.call(t, 1).value("blocks")
		set := ask(func() (int, error) { return 0, c.Set(bg, "k", "blocks") })
		require.True(t, set.waiting())
		mustGet(t, c, "k", "a")
		require.NoError(t, c.Invalidate(bg, "l"))
		require.NoError(t, c.Set(bg, "l", "x"))
		time.Sleep(10*time.Second + time.Millisecond)
		failsWith(t, flight, freshet.ErrTimeout)
		require.NoError(t, c.Set(bg, "k", "b"))
		mustGet(t, c, "k", "b")
		close(block)
		require.False(t, set.waiting())
		mustGet(t, c, "k", "blocks") // it is the newest word: that Set came last
	})
}

// A callback that uses the cache, the same key included.
func TestC4_ACallbackThatCallsTheCache(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var c *freshet.Cache[string]
		c = serve(t, counting(), config{Equal: func(a, b string) bool {
			_, _ = c.Get(bg, "k")
			_ = c.Invalidate(bg, "other")
			_, _ = c.Peek("k")
			return a == b
		}})
		mustGet(t, c, "k", "v1")
		mustGet(t, c, "k", "v2", freshet.ForceReload())
		require.NoError(t, c.Set(bg, "k", "v3"))
		mustGet(t, c, "k", "v3")
	})
}

// A source that takes a lock which the caller of Invalidate, Set or Close holds.
func TestC4_ASourceThatTakesTheCallersLock(t *testing.T) {
	lock := make(chan struct{}, 1) // a mutex that virtual time understands
	for name, call := range map[string]func(c *freshet.Cache[string]) error{
		"Invalidate":       func(c *freshet.Cache[string]) error { return c.Invalidate(bg, "k") },
		"InvalidatePrefix": func(c *freshet.Cache[string]) error { _, err := c.InvalidatePrefix(bg, ""); return err },
		"Expire":           func(c *freshet.Cache[string]) error { return c.Expire(bg, "k") },
		"Remove":           func(c *freshet.Cache[string]) error { return c.Remove(bg, "k") },
		"Set":              func(c *freshet.Cache[string]) error { return c.Set(bg, "k", "v") },
		"Reload":           func(c *freshet.Cache[string]) error { c.Reload(bg, "k"); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				lock = make(chan struct{}, 1)
				c := open(t, config{Source: freshet.Func(func(context.Context, string) (string, error) {
					lock <- struct{}{}
					defer func() { <-lock }()
					return "v", nil
				})})
				lock <- struct{}{} // taken
				r := get(c, "k")
				require.True(t, r.waiting())
				for range 5 {
					require.NoError(t, call(c))
				}
				<-lock
				gives(t, r, "v")
			})
		})
	}
}

// A source that needs another key of the same cache.
func TestC4_ASourceMayGetAnotherKey(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var c *freshet.Cache[string]
		c = open(t, config{Source: freshet.Func(func(ctx context.Context, key string) (string, error) {
			if len(key) == 1 {
				return key, nil
			}
			rest, err := c.Get(ctx, key[1:])
			return key[:1] + rest, err
		})})
		mustGet(t, c, "abcdefgh", "abcdefgh")
		require.Equal(t, 8, c.Len())
	})
}

// One that needs its own key waits for itself, until the timeout.
func TestC4_ASourceThatGetsItsOwnKeyTimesOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var c *freshet.Cache[string]
		c = open(t, config{Source: freshet.Func(func(ctx context.Context, key string) (string, error) {
			return c.Get(ctx, key)
		})})
		start := time.Now()
		_, err := c.Get(bg, "k")
		require.ErrorIs(t, err, freshet.ErrTimeout)
		require.LessOrEqual(t, time.Since(start), 10*time.Second+time.Millisecond)
	})
}
