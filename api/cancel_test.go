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
	"github.com/freshet-go/freshet/streams"
)

// Behaviours 15 and 16.
func TestC1_ACallersContextEndsItsWaitAlone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{})
		why := errors.New("the user went away")
		caused, end := context.WithCancelCause(bg)
		first := ask(func() (string, error) { return c.Get(caused, "k") })
		require.Equal(t, 1, o.calls())
		limited, cancel := context.WithTimeout(bg, time.Second)
		defer cancel()
		second := ask(func() (string, error) { return c.Get(limited, "k") })
		f := c.Fetch(limited, "k")
		third := ask(func() (string, error) { return f.Await(caused) })
		fourth := ask(func() (freshet.Snapshot[string], error) { return c.Lookup(caused, "k") })
		fifth := ask(func() (map[string]string, error) { return c.GetMany(caused, []string{"k"}) })
		stays := get(c, "k")
		require.True(t, first.waiting())
		end(why)
		failsWith(t, first, why)
		failsWith(t, third, why)
		require.False(t, fourth.waiting())
		require.ErrorIs(t, fourth.err, why)
		require.False(t, fifth.waiting())
		require.ErrorIs(t, fifth.err, why)
		for _, err := range []error{first.err, third.err, fourth.err, fifth.err} {
			require.ErrorIs(t, err, context.Canceled, "a cause is told beside the context's error")
		}
		require.True(t, second.waiting())
		time.Sleep(time.Second)
		failsWith(t, second, context.DeadlineExceeded)
		require.NotErrorIs(t, second.err, freshet.ErrTimeout)
		pending(t, f)
		o.call(t, 1).value("v")
		gives(t, stays, "v")
		settled(t, f, "v")
		require.Equal(t, 1, o.calls())
	})
}

// However many leave, all of them included: the answer comes and is kept.
func TestC1_AllLeaveAndTheAnswerIsKept(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{})
		ctx, leave := context.WithCancel(bg)
		r := ask(func() (string, error) { return c.Get(ctx, "k") })
		o.call(t, 1)
		leave()
		failsWith(t, r, context.Canceled)
		require.NoError(t, o.call(t, 1).ctx.Err())
		o.call(t, 1).value("v")
		o.calls()
		mustGet(t, c, "k", "v")
		require.Equal(t, 1, o.calls())
	})
}

type ctxKey struct{}

func TestC2_AFlightCarriesValuesAndItsOwnDeadline(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{Timeout: time.Minute})
		ctx, cancel := context.WithTimeout(context.WithValue(bg, ctxKey{}, "trace 1"), time.Second)
		r := ask(func() (string, error) { return c.Get(ctx, "k") })
		call := o.call(t, 1)
		require.Equal(t, "trace 1", call.ctx.Value(ctxKey{}))
		deadline, ok := call.ctx.Deadline()
		require.True(t, ok)
		require.Equal(t, time.Minute, time.Until(deadline))
		cancel()
		failsWith(t, r, context.Canceled)
		require.NoError(t, call.ctx.Err())
		// A reload's flight carries the reload's values.
		c.Fetch(context.WithValue(bg, ctxKey{}, "trace 2"), "k", freshet.ForceReload())
		require.Equal(t, "trace 2", o.call(t, 2).ctx.Value(ctxKey{}))
		// A flight that an invalidation starts carries those of who waits.
		require.NoError(t, c.Invalidate(bg, "k"))
		require.NotNil(t, o.call(t, 3).ctx.Value(ctxKey{}))
		o.call(t, 3).value("v")
	})
}

func TestC2_ASourceThatIgnoresItsContextHoldsNobody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{deaf: true}
		c := serve(t, o, config{})
		events := watch(t, c)
		r, f := get(c, "k"), c.Fetch(bg, "k")
		call := o.call(t, 1)
		time.Sleep(10*time.Second - 1) // the default
		require.True(t, r.waiting())
		require.NoError(t, call.ctx.Err())
		time.Sleep(1 + time.Millisecond) // "no deadline is noticed more than 1 ms late"
		failsWith(t, r, freshet.ErrTimeout)
		require.ErrorIs(t, r.err, context.DeadlineExceeded)
		_, err := f.Result()
		require.ErrorIs(t, err, freshet.ErrTimeout)
		require.Equal(t, context.DeadlineExceeded, call.ctx.Err())
		require.ErrorIs(t, context.Cause(call.ctx), freshet.ErrTimeout)
		events.tells(t, "Failed ->-")
		call.value("late")
		o.calls()
		events.tells(t, "Dropped ->- timeout")
		_, err = c.Get(bg, "k", freshet.CachedOnly())
		require.ErrorIs(t, err, freshet.ErrNotCached)
		s := c.Stats()
		require.EqualValues(t, 1, s.Failures)
		require.EqualValues(t, 1, s.Dropped)
		again := get(c, "k")
		o.call(t, 2).value("v2")
		gives(t, again, "v2")
	})
}

func TestC2_WithTimeoutBoundsTheFlightThatTheCallStarts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{deaf: true}
		c := serve(t, o, config{Timeout: time.Minute})
		r := get(c, "k", freshet.WithTimeout(time.Second))
		require.Equal(t, 1, o.calls())
		joins := get(c, "k", freshet.WithTimeout(time.Nanosecond)) // starts none
		time.Sleep(time.Second + time.Millisecond)
		failsWith(t, r, freshet.ErrTimeout)
		failsWith(t, joins, freshet.ErrTimeout)
		require.ErrorContains(t, r.err, "1s")
		r = get(c, "k", freshet.WithTimeout(time.Hour)) // longer than the cache's is fine
		o.calls()
		time.Sleep(59 * time.Minute)
		o.call(t, 2).value("v")
		gives(t, r, "v")
	})
}

// A reload that takes a flight over starts one, and so does one that queues: when
// its turn has come.
func TestC2_WithTimeoutBoundsTheFlightOfAReload(t *testing.T) {
	for name, mode := range map[string]freshet.ReloadMode{
		"takes over": freshet.ReloadSupersede, "queues": freshet.ReloadQueue,
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				o := &origin{}
				c := serve(t, o, config{Reload: mode})
				c.Fetch(bg, "k")
				o.calls()
				reload := c.Fetch(bg, "k", freshet.ForceReload(), freshet.WithTimeout(time.Second))
				if mode == freshet.ReloadQueue {
					o.call(t, 1).value("v1")
				}
				deadline, ok := o.call(t, 2).ctx.Deadline()
				require.True(t, ok)
				require.Equal(t, time.Second, time.Until(deadline))
				time.Sleep(time.Second + time.Millisecond)
				o.calls()
				_, err := reload.Result()
				require.ErrorIs(t, err, freshet.ErrTimeout)
			})
		})
	}
}

// A hit that starts a flight in the background starts that flight (F6, F8).
func TestC2_WithTimeoutBoundsTheRefreshThatTheCallStarts(t *testing.T) {
	for name, fresh := range map[string]freshet.Freshness{
		"stale":         {TTL: time.Minute, Stale: time.Hour},
		"refresh-ahead": {TTL: 90 * time.Second, Ahead: 0.5},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				o := &origin{}
				c := serve(t, o, config{Freshness: fresh, Timeout: 10 * time.Second})
				require.NoError(t, c.Set(bg, "k", "old"))
				time.Sleep(time.Minute)
				mustGet(t, c, "k", "old", freshet.WithTimeout(time.Second))
				mustGet(t, c, "k", "old", freshet.WithTimeout(time.Nanosecond)) // starts none
				for i, want := range []time.Duration{time.Second, 10 * time.Second} {
					mustGet(t, c, "k", "old")
					deadline, ok := o.call(t, i+1).ctx.Deadline()
					require.True(t, ok)
					require.Equal(t, want, time.Until(deadline))
					time.Sleep(want)
					require.Equal(t, i+1, o.calls())
					require.EqualValues(t, i+1, c.Stats().Failures)
				}
			})
		})
	}
}

func TestC3_TheLastWaiterAbandons(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{AbortAbandoned: true})
		ctx, leave := context.WithCancel(bg)
		replies := []*reply[string]{}
		for range 10 {
			replies = append(replies, ask(func() (string, error) { return c.Get(ctx, "k") }))
		}
		stays, stay := context.WithCancel(bg)
		last := ask(func() (string, error) { return c.Get(stays, "k") })
		call := o.call(t, 1)
		leave()
		for _, r := range replies {
			failsWith(t, r, context.Canceled)
		}
		require.NoError(t, call.ctx.Err(), "one is left")
		stay()
		failsWith(t, last, context.Canceled)
		require.ErrorIs(t, context.Cause(call.ctx), freshet.ErrAbandoned)
		require.Zero(t, c.Stats().InFlight)
		r := get(c, "k") // who comes back flies anew
		o.call(t, 2).value("v")
		gives(t, r, "v")
	})
}

func TestC3_AFutureThatNobodyAwaitsYetKeepsItFlying(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{AbortAbandoned: true})
		f := c.Fetch(bg, "k")
		ctx, leave := context.WithCancel(bg)
		r := ask(func() (string, error) { return c.Get(ctx, "k") })
		call := o.call(t, 1)
		leave()
		failsWith(t, r, context.Canceled)
		require.NoError(t, call.ctx.Err())
		ctx, leave = context.WithCancel(bg)
		r = ask(func() (string, error) { return f.Await(ctx) })
		require.True(t, r.waiting())
		leave() // now it was awaited, and who did has left
		failsWith(t, r, context.Canceled)
		require.ErrorIs(t, context.Cause(call.ctx), freshet.ErrAbandoned)
		o.calls()
		_, err := f.Result()
		require.ErrorIs(t, err, freshet.ErrAbandoned)
	})
}

// Who waits for a follow-up leaves the flight before it alone.
func TestC3_AQueuedFollowUpIsAbandonedByItself(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{AbortAbandoned: true, Reload: freshet.ReloadQueue})
		first := get(c, "k")
		o.calls()
		ctx, leave := context.WithCancel(bg)
		second := ask(func() (string, error) { return c.Get(ctx, "k", freshet.ForceReload()) })
		require.True(t, second.waiting())
		leave()
		failsWith(t, second, context.Canceled)
		o.call(t, 1).value("v")
		gives(t, first, "v")
		require.Equal(t, 1, o.calls(), "the origin is spared the follow-up")
	})
}

// Who observes a key wants what is in the air, though no caller waits.
func TestC3_AnObservedFlightIsNotAbandoned(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{AbortAbandoned: true})
		sub, err := c.Watch(bg, streams.Keys("k"), streams.Live())
		require.NoError(t, err)
		defer sub.Close()
		ctx, leave := context.WithCancel(bg)
		r := ask(func() (string, error) { return c.Get(ctx, "k") })
		call := o.call(t, 1)
		leave()
		failsWith(t, r, context.Canceled)
		require.Equal(t, 1, o.calls())
		require.NoError(t, call.ctx.Err())
		call.value("v")
		o.calls()
		mustGet(t, c, "k", "v")
		require.Equal(t, 1, o.calls())
	})
}

func TestC3_WithoutItNothingIsAbandoned(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{})
		ctx, leave := context.WithCancel(bg)
		r := ask(func() (string, error) { return c.Get(ctx, "k") })
		o.calls()
		leave()
		failsWith(t, r, context.Canceled)
		require.NoError(t, o.call(t, 1).ctx.Err())
	})
}

// Callers come and leave at random: nobody who stays is abandoned.
func TestC3_WhoStaysIsNeverAbandoned(t *testing.T) {
	c := open(t, freshet.Config[int]{
		AbortAbandoned: true,
		Freshness:      freshet.Freshness{TTL: time.Microsecond},
		Source: freshet.Func(func(ctx context.Context, _ string) (int, error) {
			for range 50 {
				runtime.Gosched()
				if ctx.Err() != nil {
					return 0, context.Cause(ctx)
				}
			}
			return 1, nil
		}),
	})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for range 500 {
				ctx, cancel := context.WithCancel(bg)
				if g%2 == 0 {
					go func() { runtime.Gosched(); cancel() }()
				}
				if _, err := c.Get(ctx, "k"); err != nil && (g%2 == 1 || !errors.Is(err, context.Canceled)) && !errors.Is(err, freshet.ErrAbandoned) {
					t.Error(err)
				} else if g%2 == 1 && err != nil {
					t.Errorf("a caller that stayed: %v", err)
				}
				cancel()
			}
		})
	}
	wg.Wait()
}
