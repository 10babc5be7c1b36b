package api_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// bulkOrigin is an origin of many keys a call. many answers those, what it does
// not set goes one by one to the origin.
type bulkOrigin struct {
	origin
	many func(ctx context.Context, keys []string) (map[string]freshet.Response[string], error)

	mu    sync.Mutex
	asked [][]string
}

func (o *bulkOrigin) FetchMany(ctx context.Context, rs []freshet.Request[string]) (map[string]freshet.Response[string], error) {
	keys := []string{}
	for _, r := range rs {
		keys = append(keys, r.Key)
	}
	slices.Sort(keys)
	o.mu.Lock()
	o.asked = append(o.asked, keys)
	o.mu.Unlock()
	return o.many(ctx, keys)
}

func bulkCache(t *testing.T, o *bulkOrigin, c config) *freshet.Cache[string] {
	t.Helper()
	c.Source = o
	cache := open(t, c)
	t.Cleanup(o.free)
	return cache
}

// atRest says that nothing is in the air once everything has come to rest.
func atRest(t *testing.T, c *freshet.Cache[string]) {
	t.Helper()
	synctest.Wait()
	require.Zero(t, c.Stats().InFlight)
}

func echo(_ context.Context, keys []string) (map[string]freshet.Response[string], error) {
	m := make(map[string]freshet.Response[string])
	for _, key := range keys {
		m[key] = freshet.Response[string]{Value: "many " + key}
	}
	return m, nil
}

func TestGetMany_WithoutABulkSource(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{auto: func(_ int, r freshet.Request[string]) (freshet.Response[string], error) {
			time.Sleep(time.Second)
			switch r.Key {
			case "missing":
				return freshet.Response[string]{}, freshet.ErrNotFound
			case "bad":
				return freshet.Response[string]{}, errOrigin
			}
			return freshet.Response[string]{Value: r.Key}, nil
		}}
		c := serve(t, o, config{})
		start := time.Now()
		m, err := c.GetMany(bg, []string{"a", "b", "a", "missing", "", "bad", "bad", ""})
		require.Equal(t, time.Second, time.Since(start), "side by side")
		require.Equal(t, map[string]string{"a": "a", "b": "b"}, m)
		var many *freshet.ManyError
		require.ErrorAs(t, err, &many)
		require.Len(t, many.Errs, 3)
		require.ErrorIs(t, many.Errs["missing"], freshet.ErrNotFound)
		require.ErrorIs(t, many.Errs["bad"], errOrigin)
		require.ErrorIs(t, many.Errs[""], freshet.ErrBadKey)
		require.Equal(t, 4, o.calls())
		m, err = c.GetMany(bg, nil)
		require.NoError(t, err)
		require.Empty(t, m)
		m, err = c.GetMany(bg, []string{"a", "b"})
		require.NoError(t, err)
		require.Len(t, m, 2)
		require.Equal(t, 4, o.calls())
	})
}

func TestGetMany_OneCallForWhatHasToBeFetched(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &bulkOrigin{many: echo}
		c := bulkCache(t, o, config{})
		require.NoError(t, c.Set(bg, "held", "held"))
		flying := get(c, "flying")
		o.call(t, 1)
		r := ask(func() (map[string]string, error) {
			return c.GetMany(bg, []string{"b", "held", "a", "flying", "b", "c", "a"})
		})
		require.True(t, r.waiting())
		require.Equal(t, [][]string{{"a", "b", "c"}}, o.asked)
		mustGet(t, c, "a", "many a") // its part has landed
		o.call(t, 1).value("flying")
		require.False(t, r.waiting())
		require.NoError(t, r.err)
		require.Equal(t, map[string]string{
			"a": "many a", "b": "many b", "c": "many c", "held": "held", "flying": "flying",
		}, r.v)
		gives(t, flying, "flying")
		r = ask(func() (map[string]string, error) { return c.GetMany(bg, []string{"a", "alone"}) })
		o.call(t, 2).value("one")
		require.False(t, r.waiting())
		require.Equal(t, map[string]string{"a": "many a", "alone": "one"}, r.v)
	})
}

// Behaviour 23: a partial answer is not "missing" for the rest, and one bad key
// does not fail its batch.
func TestGetMany_PartialAnswers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		failure := errors.New("shard 3 is down")
		o := &bulkOrigin{many: func(_ context.Context, keys []string) (map[string]freshet.Response[string], error) {
			m, _ := echo(bg, []string{"a", "never asked for"})
			return m, fmt.Errorf("some failed: %w", &freshet.ManyError{Errs: map[string]error{
				"bad": failure, "missing": freshet.ErrNotFound, "never asked for either": failure,
			}})
		}}
		o.auto = func(_ int, r freshet.Request[string]) (freshet.Response[string], error) {
			return freshet.Response[string]{Value: "one " + r.Key}, nil
		}
		c := bulkCache(t, o, config{Freshness: freshet.Freshness{Missing: time.Minute}})
		m, err := c.GetMany(bg, []string{"a", "bad", "missing", "left out"})
		require.Equal(t, map[string]string{"a": "many a", "left out": "one left out"}, m)
		var many *freshet.ManyError
		require.ErrorAs(t, err, &many)
		require.Len(t, many.Errs, 2)
		require.ErrorIs(t, many.Errs["bad"], failure)
		require.ErrorIs(t, many.Errs["missing"], freshet.ErrNotFound)
		require.Equal(t, 1, o.calls())
		s, _ := c.Peek("missing")
		require.Equal(t, freshet.Missing, s.State)
		_, ok := c.Peek("never asked for")
		require.False(t, ok)
		atRest(t, c)
	})
}

func TestGetMany_ABulkSourceThatFails(t *testing.T) {
	for name, fail := range map[string]func(context.Context, []string) (map[string]freshet.Response[string], error){
		"error":   func(context.Context, []string) (map[string]freshet.Response[string], error) { return nil, errOrigin },
		"nothing": func(context.Context, []string) (map[string]freshet.Response[string], error) { return nil, nil },
		"empty": func(context.Context, []string) (map[string]freshet.Response[string], error) {
			return nil, &freshet.ManyError{}
		},
		"nil ManyError": func(context.Context, []string) (map[string]freshet.Response[string], error) {
			return nil, (*freshet.ManyError)(nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				o := &bulkOrigin{many: fail}
				o.auto = func(_ int, r freshet.Request[string]) (freshet.Response[string], error) {
					if r.Key == "b" {
						return freshet.Response[string]{}, errOrigin
					}
					return freshet.Response[string]{Value: "one " + r.Key}, nil
				}
				c := bulkCache(t, o, config{})
				m, err := c.GetMany(bg, []string{"a", "b", "c"})
				require.Equal(t, map[string]string{"a": "one a", "c": "one c"}, m)
				require.ErrorIs(t, err, errOrigin)
				atRest(t, c)
			})
		})
	}
	for name, leave := range map[string]func(){"panics": func() { panic(errOrigin) }, "calls Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				o := &bulkOrigin{many: func(context.Context, []string) (map[string]freshet.Response[string], error) {
					leave()
					panic("unreachable")
				}}
				c := bulkCache(t, o, config{MaxFlights: 1})
				m, err := c.GetMany(bg, []string{"a", "b"})
				require.Empty(t, m)
				var many *freshet.ManyError
				require.ErrorAs(t, err, &many)
				for _, key := range []string{"a", "b"} {
					if name == "panics" {
						require.ErrorAs(t, many.Errs[key], new(*freshet.PanicError))
						require.ErrorIs(t, many.Errs[key], errOrigin)
					} else {
						require.ErrorIs(t, many.Errs[key], freshet.ErrGoexit)
					}
				}
				o.many = echo
				m, err = c.GetMany(bg, []string{"a", "b"})
				require.NoError(t, err)
				require.Len(t, m, 2)
				atRest(t, c)
			})
		})
	}
}

// Each key of a bulk call stays a flight of its own.
func TestGetMany_EachIsAFlightOfItsOwn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		answer := make(chan struct{})
		var bulk context.Context
		o := &bulkOrigin{many: func(ctx context.Context, keys []string) (map[string]freshet.Response[string], error) {
			bulk = ctx
			<-answer
			return echo(ctx, keys)
		}}
		c := bulkCache(t, o, config{Timeout: time.Minute})
		ctx, leave := context.WithCancel(context.WithValue(bg, ctxKey{}, "trace"))
		r := ask(func() (map[string]string, error) {
			return c.GetMany(ctx, []string{"a", "b", "c", "d"})
		})
		require.True(t, r.waiting())
		joined := get(c, "a")
		require.NoError(t, c.Set(bg, "b", "set"))
		reload := get(c, "c", freshet.ForceReload())
		require.Equal(t, "c", o.call(t, 1).Key)
		require.Equal(t, "trace", bulk.Value(ctxKey{}))
		deadline, ok := bulk.Deadline()
		require.True(t, ok)
		require.Equal(t, time.Minute, time.Until(deadline))
		leave()
		require.False(t, r.waiting())
		require.ErrorIs(t, r.err, context.Canceled)
		require.NoError(t, bulk.Err(), "others want it still")
		close(answer)
		gives(t, joined, "many a")
		mustGet(t, c, "b", "set")
		require.True(t, reload.waiting(), "the bulk's answer for c was superseded")
		o.call(t, 1).value("newer")
		gives(t, reload, "newer")
		mustGet(t, c, "c", "newer")
		mustGet(t, c, "d", "many d")
		require.EqualValues(t, 2, c.Stats().Dropped)
	})
}

// What is given up before the call was made is not asked for, and where that is
// all of it there is no call.
func TestGetMany_NobodyIsAskedForNothing(t *testing.T) {
	var asked, calls, empty atomic.Int64
	o := &bulkOrigin{many: func(ctx context.Context, keys []string) (map[string]freshet.Response[string], error) {
		asked.Add(int64(len(keys)))
		if len(keys) == 0 {
			empty.Add(1)
		}
		return echo(ctx, keys)
	}}
	o.auto = func(int, freshet.Request[string]) (freshet.Response[string], error) {
		calls.Add(1)
		return freshet.Response[string]{}, nil
	}
	c := bulkCache(t, o, config{})
	for range 2000 {
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = c.GetMany(bg, []string{"a", "b"}, freshet.ForceReload()) })
		for _, keys := range [][]string{{"a", "b"}, {"b", "a"}} {
			wg.Go(func() {
				for _, key := range keys {
					if err := c.Set(bg, key, "set"); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
	}
	eventually(t, func() bool { return c.Stats().InFlight == 0 })
	require.Zero(t, empty.Load(), "calls for no key")
	require.EqualValues(t, asked.Load()+calls.Load(), c.Stats().Flights)
}

// A bulk call that nobody wants any more is cancelled; one that hangs times out.
func TestGetMany_BulkCallsEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		var bulk context.Context
		o := &bulkOrigin{many: func(ctx context.Context, _ []string) (map[string]freshet.Response[string], error) {
			bulk = ctx
			<-release
			return nil, ctx.Err()
		}}
		c := bulkCache(t, o, config{Timeout: time.Minute, MaxFlights: 1})
		r := ask(func() (map[string]string, error) { return c.GetMany(bg, []string{"a", "b"}) })
		require.True(t, r.waiting())
		require.NoError(t, c.Set(bg, "a", "set"))
		o.calls()
		require.NoError(t, bulk.Err())
		require.NoError(t, c.Set(bg, "b", "set"))
		require.False(t, r.waiting())
		require.Equal(t, map[string]string{"a": "set", "b": "set"}, r.v)
		require.ErrorIs(t, context.Cause(bulk), freshet.ErrSuperseded)

		hung := ask(func() (map[string]string, error) { return c.GetMany(bg, []string{"c", "d"}) })
		require.True(t, hung.waiting(), "the first holds the one place that there is")
		time.Sleep(2*time.Minute + 5*time.Millisecond) // its timeout, and then that of the second
		require.False(t, hung.waiting())
		require.ErrorIs(t, hung.err, freshet.ErrTimeout)
		close(release)
		atRest(t, c)
	})
}

// What a partial answer leaves flies by itself; where that waits for its turn
// for longer than its timeout it fails, and is not in the air for ever (C6, M4).
func TestGetMany_WhatIsLeftTimesOutAtTheGate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &bulkOrigin{many: func(ctx context.Context, keys []string) (map[string]freshet.Response[string], error) {
			time.Sleep(time.Second)
			return echo(ctx, keys[:1])
		}}
		o.deaf = true
		c := bulkCache(t, o, config{Timeout: time.Minute, MaxFlights: 1})
		r := ask(func() (map[string]string, error) { return c.GetMany(bg, []string{"a", "b", "c"}) })
		require.True(t, r.waiting())
		hung := get(c, "hung")
		require.True(t, hung.waiting())
		time.Sleep(2 * time.Minute)
		require.False(t, r.waiting())
		require.Equal(t, map[string]string{"a": "many a"}, r.v)
		require.ErrorIs(t, r.err, freshet.ErrTimeout)
		failsWith(t, hung, freshet.ErrTimeout)
		o.free()
		atRest(t, c)
		require.NoError(t, c.Close(bg))
	})
}
