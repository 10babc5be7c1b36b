package api_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// Behaviours 17 and 32: a value set while a flight flies stays.
func TestO7_ASetDuringAFlightWins(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{deaf: true}
		c := serve(t, o, config{})
		events := watch(t, c)
		waiter, future := get(c, "k"), c.Fetch(bg, "k")
		flight := o.call(t, 1)
		require.NoError(t, c.Set(bg, "k", "set"))
		gives(t, waiter, "set")
		settled(t, future, "set")
		require.ErrorIs(t, context.Cause(flight.ctx), freshet.ErrSuperseded)
		require.Greater(t, future.Seq(), flight.Seq)
		require.Same(t, future, c.Fetch(bg, "k"), "F2")
		flight.value("from before")
		o.calls()
		mustGet(t, c, "k", "set")
		events.tells(t, "Loaded ->set set", "Dropped set>set barrier")
		s := c.Stats()
		require.EqualValues(t, 1, s.Dropped)
		require.EqualValues(t, 1, s.Superseded)
	})
}

// A queued follow-up settles with it too.
func TestO7_TheFollowUpSettlesWithIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{Reload: freshet.ReloadQueue})
		first, queued := c.Fetch(bg, "k"), c.Reload(bg, "k")
		o.call(t, 1)
		require.NoError(t, c.Set(bg, "k", "set"))
		settled(t, first, "set")
		settled(t, queued, "set")
		require.Equal(t, 1, o.calls())
	})
}

func TestO7_ASetThenAReload(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{Freshness: freshet.Freshness{TTL: time.Minute}})
		require.NoError(t, c.Set(bg, "k", "set"))
		time.Sleep(time.Minute - 1)
		mustGet(t, c, "k", "set")
		time.Sleep(1)
		r := get(c, "k")
		o.call(t, 1).value("read")
		gives(t, r, "read")
	})
}

func TestO7_PutCarriesWhatAResponseCarries(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{Freshness: freshet.Freshness{TTL: time.Hour}})
		require.NoError(t, c.Put(bg, "k", freshet.Response[string]{
			Value: "v", TTL: time.Minute, Age: 10 * time.Second, Validator: "etag", Tags: []string{"t"},
		}))
		s, ok := c.Peek("k")
		require.True(t, ok)
		require.Equal(t, "etag", s.Validator)
		require.Equal(t, 10*time.Second, time.Since(s.At))
		time.Sleep(50*time.Second - 1)
		mustGet(t, c, "k", "v")
		require.NoError(t, c.Put(bg, "k", freshet.Response[string]{Unchanged: true}))
		time.Sleep(time.Hour - 1)
		mustGet(t, c, "k", "v") // renewed, for the configured TTL
		n, err := c.InvalidateTag(bg, "t")
		require.NoError(t, err)
		require.Equal(t, 1, n, "Unchanged keeps the tags")
		// What is void may be renewed by a word that it still holds.
		require.NoError(t, c.Put(bg, "k", freshet.Response[string]{Unchanged: true}))
		mustGet(t, c, "k", "v", freshet.CachedOnly())
	})
}

func TestO7_ANegativeTTLAnswersThoseWhoWaitOnly(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{})
		r := get(c, "k")
		o.call(t, 1)
		require.NoError(t, c.Put(bg, "k", freshet.Response[string]{Value: "passing", TTL: -1}))
		gives(t, r, "passing")
		_, ok := c.Peek("k")
		require.False(t, ok)
		require.NoError(t, c.Set(bg, "k", "kept"))
		require.NoError(t, c.Put(bg, "k", freshet.Response[string]{Value: "passing", TTL: -1}))
		_, ok = c.Peek("k")
		require.False(t, ok, "what was held is older than what was not kept")
	})
}

// Bad input: there is nothing that could be unchanged.
func TestO7_PutUnchangedWithNothingHeld(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, &origin{}, config{})
		err := c.Put(bg, "k", freshet.Response[string]{Unchanged: true})
		require.ErrorIs(t, err, freshet.ErrUnchanged)
		_, ok := c.Peek("k")
		require.False(t, ok)
		require.Zero(t, c.Len(), "a refused Put makes nothing resident")
	})
}

// version is the number at the end of a record such as "b3".
func version(v string) int { return int(v[len(v)-1] - '0') }

func newer(a, b string) bool { return version(a) > version(b) }

func TestO9_WhatIsNotNewerNeverReplaces(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{Newer: newer, Freshness: freshet.Freshness{TTL: time.Minute}})
		events := watch(t, c)
		require.NoError(t, c.Set(bg, "k", "a2"))
		events.tells(t, "Loaded ->a2 set")
		require.NoError(t, c.Set(bg, "k", "b1")) // an event that came late
		require.NoError(t, c.Set(bg, "k", "b2"))
		mustGet(t, c, "k", "a2")
		for _, e := range events.take() {
			require.Equal(t, "Dropped", e.Kind.String())
			require.Equal(t, "a2", *e.After)
		}
		r := get(c, "k", freshet.ForceReload())
		o.call(t, 1).value("c1") // a replica that lags behind
		gives(t, r, "a2")
		mustGet(t, c, "k", "a2")
		require.NoError(t, c.Invalidate(bg, "k"))
		r = get(c, "k")
		o.call(t, 2).value("c1")
		gives(t, r, "a2")
		r = get(c, "k", freshet.ForceReload())
		o.call(t, 3).value("c3")
		gives(t, r, "c3")
		require.NoError(t, c.Set(bg, "k", "a4"))
		mustGet(t, c, "k", "a4")
		require.NoError(t, c.Remove(bg, "k")) // what is forgotten is not compared with
		require.NoError(t, c.Set(bg, "k", "a1"))
		mustGet(t, c, "k", "a1")
	})
}

// A response that is older says nothing of the value that stays: not that it is
// not to be kept either.
func TestO9_AnOlderResponseThatIsNotToBeKeptLeavesWhatIsHeld(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{Newer: func(a, b string) bool { return a > b }})
		require.NoError(t, c.Set(bg, "k", "v2"))
		reload := c.Reload(bg, "k")
		o.call(t, 1).respond(freshet.Response[string]{Value: "v1", TTL: -1})
		o.calls()
		settled(t, reload, "v2")
		mustGet(t, c, "k", "v2")
		require.Equal(t, 1, o.calls())
	})
}

// A Set that is not newer leaves those who wait to their flight.
func TestO9_AnOlderSetLeavesTheFlightAlone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{Newer: newer})
		require.NoError(t, c.Set(bg, "k", "a2"))
		r := get(c, "k", freshet.ForceReload())
		require.Equal(t, 1, o.calls())
		require.NoError(t, c.Set(bg, "k", "b1"))
		require.True(t, r.waiting())
		o.call(t, 1).value("c3")
		gives(t, r, "c3")
	})
}

// Many set at once: the newest wins, whoever comes last.
func TestO9_UnderConcurrency(t *testing.T) {
	c := open(t, freshet.Config[int]{
		Source: freshet.Func(func(context.Context, string) (int, error) { return 0, nil }),
		Newer:  func(a, b int) bool { return a > b },
	})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 500 {
				if err := c.Set(bg, "k", i*8+g); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	v, err := c.Get(bg, "k")
	require.NoError(t, err)
	require.Equal(t, 3999, v)
}

// Set returns when it holds: who asks next, on whatever goroutine, sees it.
func TestO7_ASetHoldsWhenItReturns(t *testing.T) {
	c := open(t, freshet.Config[string]{
		Source: freshet.Func(func(context.Context, string) (string, error) { return "read", nil }),
	})
	var wg sync.WaitGroup
	for g := range 4 {
		key := strings.Repeat("k", 1+g/2) // two goroutines a key
		wg.Go(func() {
			for range 500 {
				if err := c.Set(bg, key, "set"); err != nil {
					t.Error(err)
				}
				if v, err := c.Get(bg, key); err != nil || v != "set" {
					t.Errorf("%q, %v", v, err)
				}
			}
		})
	}
	wg.Wait()
}
