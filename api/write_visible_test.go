package api_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/streams"
)

func TestW1_AMutationIsVisibleEverywhereAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &clerk{}
		c := serveWrites(t, counting(), w, config{})
		mustGet(t, c, "k", "v1")
		events := watch(t, c)
		m := mutate(c, "k", appends("+a"))

		mustGet(t, c, "k", "v1+a")
		mustGet(t, c, "k", "v1+a", freshet.CachedOnly())
		mustGet(t, c, "k", "v1+a", freshet.MaxAge(time.Hour))
		f := c.Fetch(bg, "k")
		settled(t, f, "v1+a")
		require.Same(t, f, c.Fetch(bg, "k"), "F2")
		s := peeks(t, c, "k", "v1+a", 1)
		require.Equal(t, freshet.Fresh, s.State)
		looked, err := c.Lookup(bg, "k")
		require.NoError(t, err)
		require.Equal(t, s, looked)
		many, err := c.GetMany(bg, []string{"k"})
		require.NoError(t, err)
		require.Equal(t, map[string]string{"k": "v1+a"}, many)
		for key, all := range c.All() {
			require.Equal(t, "k", key)
			require.Equal(t, s, all)
		}
		events.tells(t, "Optimistic v1>v1+a")
		sub, err := c.Watch(bg, streams.WithSnapshot())
		require.NoError(t, err)
		defer sub.Close()
		e, err := sub.Next(bg)
		require.NoError(t, err)
		require.Equal(t, "v1+a", *e.After, "S5")
		require.True(t, m.waiting())

		w.asks(t, 1, "update", "k", "v1+a").store("v2")
		gives(t, m, "v2")
		s = peeks(t, c, "k", "v2", 0)
		require.Greater(t, s.Seq, looked.Seq)
		mustGet(t, c, "k", "v2")
		settled(t, f, "v1+a")
		events.tells(t, "Committed v1+a>v2")
	})
}

func TestW1_AnApplyThatFailsChangesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, counting()
		c := serveWrites(t, o, w, config{})
		mustGet(t, c, "k", "v1")
		synctest.Wait()
		before, _ := c.Peek("k")
		events := watch(t, c)
		nope := errors.New("nope")
		m := mutate(c, "k", mutation{Apply: func(string) (string, error) { return "bad", nope }})
		refused(t, m, nope, false)
		require.Zero(t, w.orders())
		require.Equal(t, 1, o.calls())
		require.Equal(t, before, peeks(t, c, "k", "v1", 0))
		events.tells(t)
	})
}

func TestW1_AnEmptyResourceIsReadFirst(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, &origin{}
		c := serveWrites(t, o, w, config{})
		events := watch(t, c)
		first, second := mutate(c, "k", appends("+a")), mutate(c, "k", appends("+b"))
		g := get(c, "k")
		require.True(t, g.waiting(), "it joins the read")
		require.Equal(t, 1, o.calls(), "one read for all")
		require.Zero(t, w.orders(), "there is nothing to write yet")
		require.Equal(t, 2, c.Stats().Pending)

		o.call(t, 1).value("v")
		gives(t, g, "v+a+b")
		events.tells(t, "Loaded ->v flight", "Optimistic v>v+a", "Optimistic v+a>v+a+b")
		w.asks(t, 1, "update", "k", "v+a").store("v+a")
		gives(t, first, "v+a")
		w.asks(t, 2, "update", "k", "v+a+b").store("v+a+b")
		gives(t, second, "v+a+b")
		require.Equal(t, 1, o.calls())
		events.tells(t, "Committed v+a+b>v+a+b", "Committed v+a+b>v+a+b")
	})
}

func TestW1_WhatIsVoidIsReadFirst(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := obliging(), counting()
		c := serveWrites(t, o, w, config{})
		mustGet(t, c, "k", "v1")
		require.NoError(t, c.Invalidate(bg, "k"))
		gives(t, mutate(c, "k", appends("+a")), "v2+a")
		require.Equal(t, 2, o.calls())
		mustGet(t, c, "k", "v2+a")
	})
}

// What is stale is not void: a mutation stands on it, and the read that it is
// time for comes after the commit.
func TestW1_AStaleValueIsGoodEnoughToStartFrom(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := obliging(), counting()
		c := serveWrites(t, o, w, config{Freshness: freshet.Freshness{TTL: time.Second}})
		mustGet(t, c, "k", "v1")
		time.Sleep(time.Second)
		gives(t, mutate(c, "k", appends("+a")), "v1+a")
		require.Equal(t, 1, o.calls())
		mustGet(t, c, "k", "v1+a")
		time.Sleep(time.Second)
		mustGet(t, c, "k", "v2")
	})
}

func TestW1_AMutationOfAMissingRecordIsErrNotFound(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := obliging()
		o := &origin{auto: func(int, freshet.Request[string]) (freshet.Response[string], error) {
			return freshet.Response[string]{}, freshet.ErrNotFound
		}}
		c := serveWrites(t, o, w, config{Freshness: freshet.Freshness{Missing: time.Minute}})
		events := watch(t, c)
		refused(t, mutate(c, "k", appends("+a")), freshet.ErrNotFound, false)
		refused(t, mutate(c, "k", appends("+b")), freshet.ErrNotFound, false)
		require.Equal(t, 1, o.calls(), "the absence is remembered (F4)")
		require.Zero(t, w.orders())
		events.tells(t, "Missing ->- flight")

		time.Sleep(time.Minute)
		refused(t, mutate(c, "k", appends("+c")), freshet.ErrNotFound, false)
		require.Equal(t, 2, o.calls(), "as long as it is remembered")
		require.Zero(t, c.Stats().Pending)
	})
}

func TestW1_AFailedReadFailsTheMutationThatNeedsIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, &origin{}
		c := serveWrites(t, o, w, config{})
		first := mutate(c, "k", appends("+a"))
		o.call(t, 1).fail(errOrigin)
		refused(t, first, errOrigin, false)
		require.Zero(t, w.orders())
		require.Zero(t, c.Stats().Pending)

		second := mutate(c, "k", appends("+b"))
		o.call(t, 2).value("v")
		w.asks(t, 1, "update", "k", "v+b").store("v+b")
		gives(t, second, "v+b")
	})
}

func TestW1_UpdateReadsNothingAndNeedsNoRecord(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, &origin{}
		c := serveWrites(t, o, w, config{})
		events := watch(t, c)
		u := update(c, "k", "mine")
		mustGet(t, c, "k", "mine")
		peeks(t, c, "k", "mine", 1)
		w.asks(t, 1, "update", "k", "mine").store("stored")
		gives(t, u, "stored")
		mustGet(t, c, "k", "stored")
		require.Zero(t, o.calls())
		events.tells(t, "Optimistic ->mine", "Committed mine>stored")

		// Nor where it is refused: then nothing is known, as before.
		refusedUpdate := update(c, "l", "mine")
		w.order(t, 2).refuse(errOrigin)
		refused(t, refusedUpdate, errOrigin, false)
		_, ok := c.Peek("l")
		require.False(t, ok)
		events.tells(t, "Optimistic ->mine", "RolledBack mine>-")
	})
}

// An update of a record that is missing shows it at once, and takes it back.
func TestW1_UpdateOfAMissingRecordShowsIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &clerk{}
		o := &origin{auto: func(int, freshet.Request[string]) (freshet.Response[string], error) {
			return freshet.Response[string]{}, freshet.ErrNotFound
		}}
		c := serveWrites(t, o, w, config{Freshness: freshet.Freshness{Missing: time.Hour}})
		_, err := c.Get(bg, "k")
		require.ErrorIs(t, err, freshet.ErrNotFound)
		u := update(c, "k", "mine")
		mustGet(t, c, "k", "mine")
		w.order(t, 1).refuse(errOrigin)
		refused(t, u, errOrigin, false)
		_, err = c.Get(bg, "k")
		require.ErrorIs(t, err, freshet.ErrNotFound)
		require.Equal(t, 1, o.calls(), "the absence is known still")
	})
}

func TestW1_WithoutApplyNothingShowsBeforeTheOriginHasAnswered(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, counting()
		c := serveWrites(t, o, w, config{})
		m := mutate(c, "k", mutation{})
		mustGet(t, c, "k", "v1")
		w.asks(t, 1, "update", "k", "v1").store("new")
		gives(t, m, "new")
		mustGet(t, c, "k", "new")
	})
}

// A mutation stands on the freshness of what is below it: its value is no
// fresher than that.
func TestW1_AnOptimisticValueIsAsFreshAsItsBase(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, counting()
		c := serveWrites(t, o, w, config{Timeout: time.Hour, Freshness: freshet.Freshness{TTL: time.Second, Stale: time.Hour}})
		mustGet(t, c, "k", "v1")
		m := mutate(c, "k", appends("+a"))
		time.Sleep(time.Second)
		s, _ := c.Peek("k")
		require.Equal(t, freshet.Stale, s.State)
		mustGet(t, c, "k", "v1+a") // and a refresh is owed, after the commit (W4)
		require.Equal(t, 1, o.calls())
		w.order(t, 1).store("v1+a")
		gives(t, m, "v1+a")
		synctest.Wait()
		require.Equal(t, 1, o.calls(), "nobody waits for it, and what was written is fresh")
	})
}
