package api_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

func TestW8_F5_AListAndItsMembersAgeTogether(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("a", "b")
		c := lists(t, s, config{Freshness: freshet.Freshness{TTL: time.Minute}})
		l := c.Collection("")
		hasItems(t, l, "a b")
		time.Sleep(time.Minute - time.Nanosecond)
		hasItems(t, l, "a b")
		require.Equal(t, []string{"list "}, s.calls())
		time.Sleep(time.Nanosecond)
		s.add("c")
		hasItems(t, l, "a b c")
		require.Equal(t, []string{"list "}, s.calls(), "its load renews the members")
	})
}

// A stale list is served at once while one load refreshes it, and with it the
// members: none is fetched by itself (F6).
func TestW8_F6_OneLoadRefreshesAStaleListAndItsMembers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("a", "b", "c")
		c := lists(t, s, config{Freshness: freshet.Freshness{TTL: time.Minute, Stale: time.Minute}})
		l := c.Collection("")
		hasItems(t, l, "a b c")
		time.Sleep(time.Minute)
		s.calls()
		s.put("k2", "B")
		w := s.stall(&s.before, "list")
		hasItems(t, l, "a b c")
		f := l.Fetch(bg)
		hasItems(t, l, "a b c")
		synctest.Wait()
		w.open()
		require.Equal(t, []string{"list "}, s.calls())
		items, err := f.Result()
		require.NoError(t, err)
		require.Equal(t, "a b c", values(items))
		hasItems(t, l, "a B c")
		require.Empty(t, s.calls())
	})
}

// A failed load of a list that may carry on costs nobody anything (F7).
func TestW8_F7_AStaleListCarriesOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("a")
		c := lists(t, s, config{Freshness: freshet.Freshness{TTL: time.Minute, StaleOnError: time.Hour}})
		l := c.Collection("")
		hasItems(t, l, "a")
		time.Sleep(time.Minute)
		s.before = func(context.Context, string) error { return errOrigin }
		hasItems(t, l, "a")
		peeksItems(t, l, "a")
		_, err := l.Get(bg, freshet.ForceReload())
		require.ErrorIs(t, err, errOrigin)
	})
}

// MaxEntries bounds the members, and the lists.
func TestW8_M1_BothAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog()
		for i := range 40 {
			s.add(fmt.Sprintf("v%02d", i))
		}
		c := lists(t, s, config{MaxEntries: 10, Source: bulkCatalog{s}})
		for i := range 40 {
			hasItems(t, c.Collection(fmt.Sprintf("v%02d", i)), fmt.Sprintf("v%02d", i))
		}
		synctest.Wait()
		require.LessOrEqual(t, c.Len(), 10)
		known := 0
		for i := range 40 {
			if _, ok := c.Collection(fmt.Sprintf("v%02d", i)).Peek(); ok {
				known++
			}
		}
		require.Equal(t, 10, known)
		items, err := c.Collection("").Get(bg)
		require.NoError(t, err)
		require.Len(t, items, 40, "more than there is room for")
		synctest.Wait()
		require.LessOrEqual(t, c.Len(), 10)
	})
}

// A member that is written, or observed, outlives its list and others.
func TestW8_M2_AMemberThatIsBeingDeletedIsNotEvicted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("a", "b")
		c := lists(t, s, config{MaxEntries: 1})
		hasItems(t, c.Collection(""), "a b")
		w := s.stall(&s.before, "delete")
		deleting := ask(func() (string, error) { return "", c.Delete(bg, "k1") })
		require.True(t, deleting.waiting())
		for i := range 5 {
			mustSet(t, c, fmt.Sprint("other", i), "x")
		}
		for range 3 { // the list itself was evicted
			_, _ = c.Collection("zzz").Get(bg)
			hasItems(t, c.Collection(""), "b")
		}
		w.pass(t, 1, errDenied)
		require.False(t, deleting.waiting())
		hasItems(t, c.Collection(""), "a b")
	})
}

// Seeds are persisted, with the time at which their list was asked for: what
// another process erased since stays erased (D5).
func TestW8_D5_SeedsArePersistedAsOldAsTheirList(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, store := newCatalog("a", "b"), newShelf()
		c := lists(t, s, config{Store: store})
		time.Sleep(time.Second)
		w := s.stall(&s.after, "list")
		began := time.Now()
		list := c.Collection("").Fetch(bg)
		require.Equal(t, 1, w.seen())
		time.Sleep(time.Second)
		require.NoError(t, store.Delete(bg, "k1", time.Now())) // another process
		time.Sleep(time.Second)
		w.open()
		_, err := list.Await(bg)
		require.NoError(t, err)
		synctest.Wait()
		_, err = store.Get(bg, "k1")
		require.ErrorIs(t, err, freshet.ErrNotFound)
		r, err := store.Get(bg, "k2")
		require.NoError(t, err)
		require.WithinDuration(t, began, r.ReadAt, time.Millisecond)
		for _, call := range store.calls {
			require.NotContains(t, call, "?", "lists are not stored")
		}
		require.NoError(t, c.Close(bg))

		next := lists(t, s, config{Store: store})
		s.calls()
		mustGet(t, next, "k2", "b")
		require.Empty(t, s.calls())
	})
}

// A seed comes before what the second tier is asked for: that is older.
func TestW8_D1_ASeedOvertakesALookUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, store := newCatalog("old"), newShelf()
		first := lists(t, s, config{Store: store})
		mustGet(t, first, "k1", "old")
		require.NoError(t, first.Close(bg))
		s.put("k1", "new")
		c := lists(t, s, config{Store: store, StoreTimeout: time.Hour})
		release := make(chan struct{})
		store.before = func(ctx context.Context, call string) error {
			if call == "get k1" {
				<-release
			}
			return nil
		}
		looking := get(c, "k1")
		require.True(t, looking.waiting())
		hasItems(t, c.Collection(""), "new")
		gives(t, looking, "new")
		close(release)
		synctest.Wait()
		mustGet(t, c, "k1", "new")
	})
}

func TestW8_InvalidatePrefixOfEverythingReachesTheLists(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("a", "b")
		c := lists(t, s, config{})
		hasItems(t, c.Collection(""), "a b")
		s.add("c")
		n, err := c.InvalidatePrefix(bg, "k")
		require.NoError(t, err)
		require.Equal(t, 2, n)
		hasItems(t, c.Collection(""), "a b")
		n, err = c.InvalidatePrefix(bg, "")
		require.NoError(t, err)
		require.Equal(t, 2, n)
		s.calls()
		hasItems(t, c.Collection(""), "a b c")
		require.Equal(t, []string{"list "}, s.calls())
	})
}

// What a list or a write brings keeps the tags that the record was fetched with.
func TestW8_TagsAreKept(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("a")
		c := lists(t, s, config{})
		require.NoError(t, c.Put(bg, "k1", freshet.Response[string]{Value: "0", Tags: []string{"t"}}))
		hasItems(t, c.Collection(""), "a")
		_, err := c.Update(bg, "k1", "A")
		require.NoError(t, err)
		_, err = c.Collection("").Reload(bg).Await(bg)
		require.NoError(t, err)
		w := s.stall(&s.after, "list")
		reload := c.Collection("").Reload(bg)
		require.Equal(t, 1, w.seen())
		s.put("k1", "A2")
		n, err := c.InvalidateTag(bg, "t")
		require.NoError(t, err)
		require.Equal(t, 1, n)
		s.calls()
		w.open()
		items, err := reload.Await(bg)
		require.NoError(t, err)
		require.Equal(t, "A2", values(items), "the list was asked before the tag was invalidated")
		require.Equal(t, []string{"fetch k1"}, s.calls())
	})
}

// Newer and Equal are asked about seeds as about any other answer (O9, F9).
func TestW8_O9_ASeedThatIsNotNewerReplacesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("v1")
		c := lists(t, s, config{Newer: func(a, b string) bool { return a > b }})
		mustSet(t, c, "k1", "v2")
		hasItems(t, c.Collection(""), "v2")
		s.put("k1", "v3")
		_, err := c.Collection("").Reload(bg).Await(bg)
		require.NoError(t, err)
		hasItems(t, c.Collection(""), "v3")
	})
}

func TestW8_StatsCountLoadsOfLists(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("a", "b")
		c := lists(t, s, config{})
		l := c.Collection("")
		hasItems(t, l, "a b")
		before := c.Stats()
		require.Equal(t, uint64(1), before.Flights)
		for range 10 {
			hasItems(t, l, "a b")
		}
		require.Equal(t, before.Hits+20, c.Stats().Hits, "a hit of each member")
		require.Equal(t, 2, c.Stats().Resident)
		s.before = func(context.Context, string) error { return errOrigin }
		_, err := l.Reload(bg).Await(bg)
		require.ErrorIs(t, err, errOrigin)
		require.Equal(t, uint64(1), c.Stats().Failures)
		w := s.stall(&s.before, "list")
		l.Reload(bg)
		require.Equal(t, 1, w.seen())
		require.Equal(t, 1, c.Stats().InFlight)
		w.open()
	})
}

func TestW8_TwoCachesOfARuntimeAreApart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		rt, err := freshet.NewRuntime(freshet.RuntimeConfig{})
		require.NoError(t, err)
		one, other := newCatalog("a"), newCatalog("b")
		c := lists(t, one, config{Name: "one", Runtime: rt})
		d := lists(t, other, config{Name: "other", Runtime: rt})
		hasItems(t, c.Collection(""), "a")
		hasItems(t, d.Collection(""), "b")
		_, _, err = c.Create(bg, "a2")
		require.NoError(t, err)
		hasItems(t, c.Collection(""), "a a2")
		hasItems(t, d.Collection(""), "b", freshet.CachedOnly())
		require.NoError(t, c.Close(bg))
		hasItems(t, d.Collection(""), "b")
		require.NoError(t, rt.Close(bg))
		isClosed(t, d.Collection(""))
	})
}
