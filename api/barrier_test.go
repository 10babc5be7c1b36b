package api_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/streams"
)

// Behaviours 19 and 25: what is invalidated while it loads is not resurrected
// by the flight in the air; who waits gets a newer one.
func TestO0_WhatLandsBelowTheBarrierIsNotKept(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{deaf: true}
		c := serve(t, o, config{Reload: freshet.ReloadQueue}) // so that the flight lands
		events := watch(t, c)
		before := c.Fetch(bg, "k")
		require.Equal(t, 1, o.calls())
		require.NoError(t, c.Invalidate(bg, "k"))
		after := c.Fetch(bg, "k")
		require.NotSame(t, before, after)
		o.call(t, 1).value("v1")
		settled(t, before, "v1") // handed out before the barrier was raised
		pending(t, after)
		events.tells(t, "Dropped ->- barrier")
		_, ok := c.Peek("k")
		require.False(t, ok)
		_, err := c.Get(bg, "k", freshet.CachedOnly())
		require.ErrorIs(t, err, freshet.ErrNotCached)
		o.call(t, 2).value("v2")
		settled(t, after, "v2")
		events.tells(t, "Loaded ->v2 flight")
		require.EqualValues(t, 1, c.Stats().Dropped)
	})
}

// A failure of a flight below the barrier neither carries an old value on nor
// is it remembered.
func TestF3_O0_AFailureBelowTheBarrierIsNotRemembered(t *testing.T) {
	for name, held := range map[string]bool{"over an old value": true, "with nothing held": false} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				o := &origin{deaf: true}
				c := serve(t, o, config{Reload: freshet.ReloadQueue, Freshness: freshet.Freshness{
					TTL: time.Minute, StaleOnError: time.Hour, Failure: time.Hour,
				}})
				if held {
					require.NoError(t, c.Set(bg, "k", "old"))
				}
				time.Sleep(time.Minute)
				before := get(c, "k")
				require.Equal(t, 1, o.calls())
				require.NoError(t, c.Invalidate(bg, "k"))
				o.call(t, 1).fail(errOrigin)
				failsWith(t, before, errOrigin)
				after := get(c, "k")
				o.call(t, 2).value("new")
				gives(t, after, "new")
			})
		})
	}
}

// The floor: a key that was evicted remembers its barrier.
func TestO0_TheBarrierOutlivesEviction(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{deaf: true}
		c := serve(t, o, config{MaxEntries: 1})
		f := c.Fetch(bg, "k") // in the air it is not evicted
		slow := o.call(t, 1)
		require.NoError(t, c.Set(bg, "k", "set")) // now it may go, and the flight still flies
		settled(t, f, "set")
		require.NoError(t, c.Set(bg, "other", "x"))
		require.NoError(t, c.Set(bg, "another", "x"))
		_, ok := c.Peek("k")
		require.False(t, ok, "it was not evicted")
		slow.value("from before the set")
		o.calls()
		_, ok = c.Peek("k")
		require.False(t, ok, "a late response resurrected it")
		again := get(c, "k")
		require.Greater(t, o.call(t, 2).Seq, slow.Seq)
		o.call(t, 2).value("v2")
		gives(t, again, "v2")
	})
}

// An absent key's barrier is the floor's: what was on its way meets it.
func TestO6_InvalidateOfAnAbsentKey(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{})
		require.NoError(t, c.Invalidate(bg, "k", "l"))
		require.Zero(t, c.Len(), "it makes nothing resident")
		r := get(c, "k")
		o.call(t, 1).value("v1")
		gives(t, r, "v1")
		require.NoError(t, c.Invalidate(bg))
		mustGet(t, c, "k", "v1")
	})
}

func TestO6_InvalidateRaisesTheBarrier(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := counting()
		c := serve(t, o, config{Freshness: freshet.Freshness{TTL: time.Minute, Stale: time.Hour, StaleOnError: time.Hour}})
		events := watch(t, c)
		mustGet(t, c, "k", "v1")
		f := c.Fetch(bg, "k")
		require.NoError(t, c.Invalidate(bg, "k"))
		settled(t, f, "v1") // who has it keeps it
		s, ok := c.Peek("k")
		require.True(t, ok)
		require.Equal(t, freshet.Stale, s.State)
		_, err := c.Get(bg, "k", freshet.CachedOnly())
		require.ErrorIs(t, err, freshet.ErrNotCached, "not even stale")
		_, err = c.Get(bg, "k", freshet.CachedOnly(), freshet.MaxAge(time.Hour))
		require.ErrorIs(t, err, freshet.ErrNotCached, "nor for one who takes what is old")
		require.Equal(t, 1, o.calls(), "nobody waits, nothing flies")
		mustGet(t, c, "k", "v2", freshet.MaxAge(time.Hour))
		require.NoError(t, c.Invalidate(bg, "k"))
		require.NoError(t, c.Invalidate(bg, "k")) // told once
		mustGet(t, c, "k", "v3")
		events.tells(t, "Loaded ->v1 flight", "Invalidated v1>v1", "Updated v1>v2 flight", "Invalidated v2>v2", "Updated v2>v3 flight")
	})
}

// Behaviours 19 and 25.
func TestO6_AFlightSomebodyWaitsForIsFlownAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{deaf: true}
		c := serve(t, o, config{})
		events := watch(t, c)
		first := get(c, "k")
		require.Equal(t, 1, o.calls())
		require.NoError(t, c.Invalidate(bg, "k"))
		require.Equal(t, 2, o.calls())
		second := get(c, "k")
		o.call(t, 1).value("v1")
		require.True(t, first.waiting())
		require.True(t, second.waiting())
		o.call(t, 2).value("v2")
		gives(t, first, "v2")
		gives(t, second, "v2")
		mustGet(t, c, "k", "v2")
		events.tells(t, "Dropped ->- barrier", "Loaded ->v2 flight")
	})
}

// Where nobody waits any more the origin is spared, and no future is left (C6).
func TestO6_AFlightNobodyWaitsForIsNotFlownAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{Freshness: freshet.Freshness{TTL: time.Minute, Stale: time.Hour}})
		require.NoError(t, c.Set(bg, "k", "old"))
		time.Sleep(time.Minute)
		mustGet(t, c, "k", "old") // a background refresh
		refresh := o.call(t, 1)
		require.NoError(t, c.Invalidate(bg, "k"))
		require.Equal(t, 1, o.calls())
		require.Error(t, refresh.ctx.Err())
		r := get(c, "k")
		o.call(t, 2).value("new")
		gives(t, r, "new")
	})
}

// A future that Fetch handed out counts as waited for.
func TestO6_AFutureNobodyAwaitsYetIsFlownAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{})
		f := c.Fetch(bg, "k")
		require.Equal(t, 1, o.calls())
		require.NoError(t, c.Invalidate(bg, "k"))
		o.call(t, 2).value("v2")
		settled(t, f, "v2")
	})
}

func TestO6_InvalidationsObeyTheStormGuard(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{deaf: true}
		c := serve(t, o, config{})
		first := c.Fetch(bg, "k")
		for range 20 {
			o.calls()
			require.NoError(t, c.Invalidate(bg, "k"))
		}
		require.Equal(t, 4, o.calls())
		second := c.Fetch(bg, "k")
		require.NotSame(t, first, second)
		o.call(t, 4).value("void")
		settled(t, first, "void") // handed out before
		pending(t, second)
		_, ok := c.Peek("k")
		require.False(t, ok)
		o.call(t, 5).value("good")
		settled(t, second, "good")
		require.Equal(t, 5, o.calls())
	})
}

func TestO6_AnObservedResourceFliesAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := counting()
		c := serve(t, o, config{Freshness: freshet.Freshness{TTL: time.Hour}})
		sub, err := c.Watch(bg, streams.Keys("k"), streams.Live())
		require.NoError(t, err)
		t.Cleanup(sub.Close)
		require.Equal(t, 1, o.calls())
		for n, void := range []func(context.Context, ...string) error{c.Invalidate, c.Remove, c.Expire} {
			require.NoError(t, void(bg, "k"))
			require.Equal(t, n+2, o.calls())
			mustGet(t, c, "k", fmt.Sprint("v", n+2), freshet.CachedOnly())
		}
	})
}

func TestO6_ExpireIsTheSoftForm(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{Freshness: freshet.Freshness{TTL: time.Hour, Stale: time.Minute, StaleOnError: 2 * time.Minute}})
		events := watch(t, c)
		require.NoError(t, c.Set(bg, "k", "old"))
		require.NoError(t, c.Expire(bg, "k", "absent"))
		require.NoError(t, c.Expire(bg, "k")) // told once
		s, _ := c.Peek("k")
		require.Equal(t, freshet.Stale, s.State)
		events.tells(t, "Loaded ->old set", "Expired old>old")
		time.Sleep(time.Minute - 1) // F6 counts from then
		mustGet(t, c, "k", "old")
		o.call(t, 1).fail(errOrigin)
		o.calls()
		time.Sleep(1)
		r := get(c, "k")
		o.call(t, 2).fail(errOrigin)
		gives(t, r, "old") // and so does F7
		time.Sleep(time.Minute)
		r = get(c, "k")
		o.call(t, 3).fail(errOrigin)
		failsWith(t, r, errOrigin)
		require.Equal(t, 1, c.Len())
	})
}

// An age equal to the TTL is stale (F5), so what expires now answers nobody now.
func TestO6_WhatExpiresIsStaleAtThatInstant(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, counting(), config{})
		mustGet(t, c, "k", "v1")
		require.NoError(t, c.Expire(bg, "k"))
		_, err := c.Get(bg, "k", freshet.CachedOnly())
		require.ErrorIs(t, err, freshet.ErrNotCached)
		mustGet(t, c, "k", "v2")
	})
}

// What is stale already does not expire, not at the very instant either.
func TestO6_ExpireAtTheInstantAtWhichFreshnessEndsChangesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, counting(), config{Freshness: freshet.Freshness{TTL: time.Minute}})
		mustGet(t, c, "k", "v1")
		events := watch(t, c)
		time.Sleep(time.Minute)
		before, _ := c.Peek("k")
		require.NoError(t, c.Expire(bg, "k"))
		after, _ := c.Peek("k")
		require.Equal(t, freshet.Stale, after.State)
		require.Equal(t, before, after)
		events.tells(t)
	})
}

func TestO10_RemoveForgets(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{deaf: true}
		c := serve(t, o, config{})
		events := watch(t, c)
		require.NoError(t, c.Put(bg, "k", freshet.Response[string]{Value: "v", Validator: "etag", Tags: []string{"t"}}))
		require.NoError(t, c.Remove(bg, "k", "absent"))
		_, ok := c.Peek("k")
		require.False(t, ok)
		for range c.All() {
			t.Error("All shows what was removed")
		}
		require.Zero(t, c.Len(), "and it is not resident any more")
		events.tells(t, "Loaded ->v set", "Evicted v>- removal")
		n, err := c.InvalidateTag(bg, "t")
		require.NoError(t, err)
		require.Zero(t, n, "the tag is forgotten too")
		r := get(c, "k")
		require.Nil(t, o.call(t, 1).Last, "no conditional request")
		// Behaviour 17: a delete during a load wins over that load.
		require.NoError(t, c.Remove(bg, "k"))
		o.call(t, 1).value("from before the delete")
		require.True(t, r.waiting())
		o.call(t, 2).fail(freshet.ErrNotFound)
		failsWith(t, r, freshet.ErrNotFound)
	})
}
