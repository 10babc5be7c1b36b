package api_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/streams"
)

// kinds are the events that a subscription has had, "Kind before>after reason".
func drained(t *testing.T, sub *streams.Subscription[string]) (lines []string) {
	t.Helper()
	for e, err := range sub.Events() {
		if err != nil {
			require.ErrorIs(t, err, streams.ErrClosed)
			break
		}
		line := e.Key + " " + e.Kind.String() + " " + shown(e.Before) + ">" + shown(e.After)
		if e.Reason != "" {
			line += " " + e.Reason
		}
		lines = append(lines, line)
	}
	return lines
}

// closing is Close on a goroutine of its own.
func closing(c *freshet.Cache[string], ctx context.Context) *reply[bool] {
	r := ask(func() (bool, error) { return true, c.Close(ctx) })
	synctest.Wait()
	return r
}

// W7, C5: what a write that lands during Close makes stale goes from the Store,
// which the next process reads.
func TestC5_AWriteThatLandsDuringCloseErasesItsPrefixes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, s := &clerk{}, newShelf()
		c := serveWrites(t, counting(), w, on(t, s, config{}))
		mustGet(t, c, "k", "v1")
		mustGet(t, c, "p/1", "v1")
		synctest.Wait()
		require.True(t, s.has("p/1"))
		m := mutate(c, "k", mutation{Apply: appends("+a").Apply, Prefixes: []string{"p/"}})
		order := w.order(t, 1)
		closed := ask(func() (struct{}, error) { return struct{}{}, c.Close(bg) })
		synctest.Wait()
		order.store("A")
		gives(t, m, "A")
		_, err := closed.get()
		require.NoError(t, err)
		require.False(t, s.has("p/1"))
	})
}

func TestC5_CloseAwaitsTheCommitsInTheAir(t *testing.T) {
	for name, known := range map[string]bool{"of what is known": true, "of what is not": false} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := &clerk{}
				c := serveWrites(t, counting(), w, config{})
				base := "-"
				if known {
					base = "v1"
					mustGet(t, c, "k", base)
				}
				sub, err := c.Watch(bg)
				require.NoError(t, err)
				u, queued := update(c, "k", "U"), update(c, "k", "Q")
				d, n := erase(c, "d"), create(c, "N")
				end := closing(c, bg)
				require.True(t, end.waiting())
				refused(t, queued, freshet.ErrClosed, false)
				_, err = c.Get(bg, "k")
				require.ErrorIs(t, err, freshet.ErrClosed)
				for name, call := range allWrites(c) {
					require.ErrorIs(t, call(bg, "k"), freshet.ErrClosed, name)
				}
				for i := 1; i <= 3; i++ {
					require.NoError(t, w.order(t, i).ctx.Err(), "it is awaited")
				}
				w.order(t, 1).store("stored")
				require.True(t, end.waiting())
				w.order(t, 2).refuse(errOrigin)
				w.order(t, 3).as("n", "N")
				require.False(t, end.waiting())
				require.NoError(t, end.err)
				gives(t, u, "stored")
				refused(t, d, errOrigin, false)
				require.Equal(t, created{"n", "N"}, n.v)
				require.NoError(t, n.err)
				require.Zero(t, c.Stats().Pending)
				_, ok := c.Peek("k")
				require.False(t, ok, "a closed cache answers nothing")
				lines := drained(t, sub)
				require.Equal(t, []string{"k Optimistic " + base + ">U", "k Optimistic U>Q", "d Optimistic ->-"}, lines[:3])
				require.Subset(t, lines[3:], []string{"k Committed Q>stored", "d RolledBack ->-"}, "told before the stream ends")
			})
		})
	}
}

func TestC5_WhatCloseCannotAwaitIsUnknown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &clerk{deaf: true}
		c := serveWrites(t, counting(), w, config{Timeout: time.Hour})
		mustGet(t, c, "k", "v1")
		sub, err := c.Watch(bg)
		require.NoError(t, err)
		u, queued, n := update(c, "k", "U"), update(c, "k", "Q"), create(c, "N")
		ctx, cancel := context.WithTimeout(bg, time.Second)
		defer cancel()
		began := time.Now()
		err = c.Close(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded, "the writer has not returned")
		require.Equal(t, time.Second, time.Since(began))
		refused(t, u, freshet.ErrClosed, true)
		refused(t, queued, freshet.ErrClosed, false)
		require.False(t, n.waiting())
		require.ErrorIs(t, n.err, freshet.ErrClosed)
		var failed *freshet.WriteError
		require.ErrorAs(t, n.err, &failed)
		require.True(t, failed.Unknown)
		require.Zero(t, c.Stats().Pending)
		require.Equal(t, []string{"k Optimistic v1>U", "k Optimistic U>Q", "k RolledBack Q>v1 unknown"}, drained(t, sub))
		require.ErrorIs(t, context.Cause(w.order(t, 1).ctx), freshet.ErrClosed)
		// A second Close, later, finds that everything has ended.
		w.free()
		require.NoError(t, c.Close(bg))
	})
}

// A write that had not come to the origin yet, for its turn at the gate, was
// certainly not applied.
func TestC5_AWriteThatWaitedAtTheGateIsNotUnknown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &clerk{}
		c := serveWrites(t, counting(), w, config{MaxFlights: 1, Timeout: time.Hour})
		first, atGate := update(c, "k", "U"), update(c, "l", "L")
		n := create(c, "N")
		require.Equal(t, 1, w.orders())
		ctx, cancel := context.WithTimeout(bg, time.Second)
		defer cancel()
		if err := c.Close(ctx); err != nil { // it may be gone before the writer
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
		refused(t, first, freshet.ErrClosed, true)
		refused(t, atGate, freshet.ErrClosed, false)
		require.False(t, n.waiting())
		var failed *freshet.WriteError
		require.ErrorAs(t, n.err, &failed)
		require.False(t, failed.Unknown)
		require.Equal(t, 1, w.orders(), "the origin is spared")
	})
}

// Those at the gate are let through as long as Close waits.
func TestC5_CloseAwaitsWritesAtTheGate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &clerk{}
		c := serveWrites(t, counting(), w, config{MaxFlights: 1})
		first, atGate := update(c, "k", "U"), update(c, "l", "L")
		end := closing(c, bg)
		w.order(t, 1).store("U")
		w.asks(t, 2, "update", "l", "L").store("L")
		require.False(t, end.waiting())
		gives(t, first, "U")
		gives(t, atGate, "L")
	})
}

// C6: a read that waits for a commit, and a mutation that waits for a read, end
// with the cache.
func TestC6_CloseEndsWhatWaitsForWrites(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, &origin{}
		c := serveWrites(t, o, w, config{})
		require.NoError(t, c.Set(bg, "k", "v"))
		m := mutate(c, "k", appends("+a"))
		held := c.Reload(bg, "k")
		reads := mutate(c, "l", appends("+a"))
		require.Equal(t, 1, o.calls())
		end := closing(c, bg)
		_, err := held.Result()
		require.ErrorIs(t, err, freshet.ErrClosed)
		refused(t, reads, freshet.ErrClosed, false)
		w.order(t, 1).store("A")
		gives(t, m, "A")
		require.False(t, end.waiting())
		require.NoError(t, end.err)
	})
}

// A write that timed out and whose writer is still at it holds Close up, for it
// holds a goroutine.
func TestC5_CloseWaitsForAWriterThatIsLate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &clerk{deaf: true}
		c := serveWrites(t, counting(), w, config{Timeout: time.Second})
		u := update(c, "k", "U")
		<-u.done
		refused(t, u, freshet.ErrTimeout, true)
		end := closing(c, bg)
		require.True(t, end.waiting())
		w.order(t, 1).store("U")
		require.False(t, end.waiting())
		require.NoError(t, end.err)
	})
}

func TestC5_CloseRightAfterWrites(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for range 50 {
			w := obliging()
			c, err := freshet.New(config{Name: "test", Source: counting(), Writer: w, MaxFlights: 2})
			require.NoError(t, err)
			var all []*reply[string]
			for _, key := range []string{"a", "b", "a", "c", "a"} {
				all = append(all, ask(func() (string, error) { return c.Mutate(bg, key, appends("+")) }),
					ask(func() (string, error) { return c.Update(bg, key, "u") }))
			}
			require.NoError(t, c.Close(bg))
			for _, r := range all {
				if _, err := r.get(); err != nil {
					require.ErrorIs(t, err, freshet.ErrClosed)
				}
			}
			require.Zero(t, c.Stats().Pending)
		}
	})
}
