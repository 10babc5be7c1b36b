package api_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// Loading a list seeds its members in one go: one origin call for all.
func TestW8_LoadingSeedsTheMembers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("a", "b", "c")
		c := lists(t, s, config{})
		hasItems(t, c.Collection(""), "a b c")
		mustGet(t, c, "k2", "b")
		hasItems(t, c.Collection(""), "a b c")
		hasItems(t, c.Collection("b"), "b")
		require.Equal(t, []string{"list ", "list b"}, s.calls())
		require.Equal(t, 3, c.Len(), "lists are not members")
		require.Equal(t, uint64(2), c.Stats().Flights, "loads of lists are origin calls")
		n := 0
		for range c.All() {
			n++
		}
		require.Equal(t, 3, n)
	})
}

// A thousand callers of a cold list are one call (F1).
func TestW8_F1_AStampedeIsOneCall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("a", "b")
		w := s.stall(&s.before, "list")
		c := lists(t, s, config{})
		var all []*reply[[]freshet.Item[string]]
		for range 1000 {
			all = append(all, ask(func() ([]freshet.Item[string], error) { return c.Collection("").Get(bg) }))
		}
		w.pass(t, 1, nil)
		for _, r := range all {
			require.False(t, r.waiting())
			require.Equal(t, "a b", values(r.v))
		}
		require.Equal(t, []string{"list "}, s.calls())
	})
}

// What a list brings is as old as its take-off: whatever was declared void, set
// or written since stands.
func TestW8_ASeedOlderThanAMembersBarrierIsNotUsed(t *testing.T) {
	for name, test := range map[string]struct {
		change func(t *testing.T, s *catalog, c *freshet.Cache[string])
		want   string
		calls  []string
	}{
		"Set": {func(t *testing.T, _ *catalog, c *freshet.Cache[string]) {
			require.NoError(t, c.Set(bg, "k1", "set"))
		}, "set b", nil},
		"Invalidate": {func(t *testing.T, s *catalog, c *freshet.Cache[string]) {
			s.put("k1", "new")
			require.NoError(t, c.Invalidate(bg, "k1"))
		}, "new b", []string{"fetch k1"}},
		"Remove": {func(t *testing.T, s *catalog, c *freshet.Cache[string]) {
			s.put("k1", "new")
			require.NoError(t, c.Remove(bg, "k1"))
		}, "new b", []string{"fetch k1"}},
		"Update": {func(t *testing.T, _ *catalog, c *freshet.Cache[string]) {
			_, err := c.Update(bg, "k1", "written")
			require.NoError(t, err)
		}, "written b", []string{"update k1"}},
		"Get that took off later": {func(t *testing.T, s *catalog, c *freshet.Cache[string]) {
			s.put("k1", "later")
			mustGet(t, c, "k1", "later", freshet.ForceReload())
		}, "later b", []string{"fetch k1"}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := newCatalog("a", "b")
				c := lists(t, s, config{})
				mustGet(t, c, "k1", "a")
				mustGet(t, c, "k2", "b")
				w := s.stall(&s.after, "list")
				list := c.Collection("").Fetch(bg)
				require.Equal(t, 1, w.seen())
				s.calls()
				test.change(t, s, c)
				w.open()
				items, err := list.Await(bg)
				require.NoError(t, err)
				require.Equal(t, test.want, values(items))
				require.Equal(t, test.calls, s.calls())
				hasItems(t, c.Collection(""), test.want)
			})
		})
	}
}

// A list that took off while a commit was in the air may have the record as it
// was before, and is told so by nothing but the commit's landing (W4).
func TestW8_W4_ASeedThatOverlapsACommitIsNotUsed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("a", "b")
		c := lists(t, s, config{})
		writing := s.stall(&s.before, "update")
		update := ask(func() (string, error) { return c.Update(bg, "k1", "written") })
		require.True(t, update.waiting())
		w := s.stall(&s.after, "list")
		list := c.Collection("").Fetch(bg)
		require.Equal(t, 1, w.seen())
		writing.open()
		gives(t, update, "written")
		w.open()
		items, err := list.Await(bg)
		require.NoError(t, err)
		require.Equal(t, "written b", values(items))
		require.Equal(t, []string{"update k1", "list "}, s.calls())
	})
}

// The same where the member was evicted meanwhile: its barrier is in the floor.
func TestW8_O0_TheBarrierOfAnEvictedMemberKeepsAnOlderSeedOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("a")
		c := lists(t, s, config{MaxEntries: 1})
		w := s.stall(&s.after, "list")
		list := c.Collection("").Fetch(bg)
		require.Equal(t, 1, w.seen())
		_, err := c.Update(bg, "k1", "written")
		require.NoError(t, err)
		mustSet(t, c, "other", "1")
		mustSet(t, c, "another", "2")
		_, known := c.Peek("k1")
		require.False(t, known, "it was to be evicted")
		w.open()
		items, err := list.Await(bg)
		require.NoError(t, err)
		require.Equal(t, "written", values(items))
	})
}

// A prefix covers members that are not resident: what a list that took off before
// brings of them is below the floor.
func TestO0_APrefixKeepsAnOlderSeedOut(t *testing.T) {
	for _, prefix := range []string{"k", "k1"} {
		bubble(t, func(t *testing.T) {
			s := newCatalog("old")
			c := lists(t, s, config{})
			w := s.stall(&s.after, "list")
			list := c.Collection("").Fetch(bg)
			require.Equal(t, 1, w.seen())
			s.put("k1", "new")
			n, err := c.InvalidatePrefix(bg, prefix)
			require.NoError(t, err)
			require.Zero(t, n, "nothing is resident")
			w.open()
			items, err := list.Await(bg)
			require.NoError(t, err)
			require.Equal(t, "new", values(items))
			mustGet(t, c, "k1", "new")
			require.Equal(t, []string{"list ", "fetch k1"}, s.calls())
		})
	}
}

func mustSet(t *testing.T, c *freshet.Cache[string], key, value string) {
	t.Helper()
	require.NoError(t, c.Set(bg, key, value))
}

// A reload of the list gives what took off after it began, of its members too:
// an older flight of a member is answered by the list, and dropped.
func TestW8_O3_AReloadOvertakesAnOlderFlightOfAMember(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("old")
		c := lists(t, s, config{})
		w := s.stall(&s.after, "fetch")
		w.deaf = true
		w.open()
		mustGet(t, c, "k1", "old")
		hasItems(t, c.Collection(""), "old")
		w = s.stall(&s.after, "fetch")
		w.deaf = true
		reload := c.Reload(bg, "k1") // it has read "old"
		require.Equal(t, 1, w.seen())
		s.put("k1", "new")
		r := watch(t, c)
		items, err := c.Collection("").Reload(bg).Await(bg)
		require.NoError(t, err)
		require.Equal(t, "new", values(items))
		settled(t, reload, "new")
		w.open()
		r.tells(t, "Updated old>new list", "Dropped new>new supersession")
		mustGet(t, c, "k1", "new")
	})
}

// A flight that took off after the list goes on, and has the last word.
func TestW8_O2_ALaterFlightOfAMemberHasTheLastWord(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("old")
		c := lists(t, s, config{})
		list := s.stall(&s.after, "list")
		reading := c.Collection("").Fetch(bg)
		require.Equal(t, 1, list.seen())
		s.put("k1", "new")
		fetch := s.stall(&s.after, "fetch")
		later := get(c, "k1")
		require.Equal(t, 1, fetch.seen())
		list.open()
		items, err := reading.Await(bg)
		require.NoError(t, err)
		require.Equal(t, "old", values(items), "the list was asked before")
		require.True(t, later.waiting())
		fetch.open()
		gives(t, later, "new")
		hasItems(t, c.Collection(""), "new")
	})
}

// A follow-up that queued behind the member's flight may have been asked for
// after the list took off: it flies.
func TestW8_O4_ASeedDoesNotAnswerTheFollowUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("old")
		c := lists(t, s, config{Reload: freshet.ReloadQueue})
		fetch := s.stall(&s.after, "fetch")
		first := c.Fetch(bg, "k1")
		require.Equal(t, 1, fetch.seen())
		list := s.stall(&s.before, "list")
		s.after = nil
		reading := c.Collection("").Fetch(bg)
		require.Equal(t, 1, list.seen())
		queued := c.Reload(bg, "k1")
		s.before = nil
		list.open()
		_, err := reading.Await(bg)
		require.NoError(t, err)
		settled(t, first, "old")
		fetch.open()
		settled(t, queued, "old")
		require.Equal(t, []string{"fetch k1", "list ", "fetch k1"}, s.calls())
	})
}

// The response of a list that was superseded, or is late, is dropped, and so is
// what it would seed (O2, C2).
func TestW8_O2_ASupersededListSeedsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("a")
		c := lists(t, s, config{})
		w := s.stall(&s.after, "list")
		w.deaf = true
		l := c.Collection("")
		first := l.Fetch(bg)
		require.Equal(t, 1, w.seen())
		s.put("k1", "")
		s.add("b")
		second := l.Reload(bg)
		w.pass(t, 2, nil)
		items, err := second.Await(bg)
		require.NoError(t, err)
		require.Equal(t, "b", values(items))
		w.pass(t, 1, nil)
		synctest.Wait()
		items, err = first.Result()
		require.NoError(t, err)
		require.Equal(t, "b", values(items))
		_, known := c.Peek("k1")
		require.False(t, known)
		require.Equal(t, uint64(1), c.Stats().Dropped)
		require.Equal(t, uint64(1), c.Stats().Superseded)
	})
}

func TestW8_C2_AListerThatIgnoresItsContextHoldsNobody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("a")
		c := lists(t, s, config{Timeout: time.Second})
		w := s.stall(&s.after, "list")
		w.deaf = true
		start := time.Now()
		_, err := c.Collection("").Get(bg)
		require.ErrorIs(t, err, freshet.ErrTimeout)
		require.Equal(t, time.Second, time.Since(start))
		w.open()
		synctest.Wait()
		_, known := c.Peek("k1")
		require.False(t, known, "a late list seeds nothing")
		hasItems(t, c.Collection(""), "a")
	})
}
