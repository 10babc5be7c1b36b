package api_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// kinds are a Lister with and without a Membership.
func kinds(t *testing.T, test func(t *testing.T, s *catalog, lister freshet.Lister[string])) {
	t.Run("Lister", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			s := newCatalog("a", "b", "c")
			test(t, s, s)
		})
	})
	t.Run("Membership", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			s := newCatalog("a", "b", "c")
			test(t, s, membered{catalog: s})
		})
	})
}

// A delete leaves the list at once and comes back in its place where the origin
// refuses.
func TestW8_ARefusedDeleteIsBackInItsPlace(t *testing.T) {
	kinds(t, func(t *testing.T, s *catalog, lister freshet.Lister[string]) {
		c := lists(t, s, config{Lister: lister})
		l := c.Collection("")
		hasItems(t, l, "a b c")
		w := s.stall(&s.before, "delete")
		deleting := ask(func() (string, error) { return "", c.Delete(bg, "k2") })
		require.True(t, deleting.waiting())
		hasItems(t, l, "a c")
		peeksItems(t, l, "a c")
		hasItems(t, l, "a c", freshet.CachedOnly())
		w.pass(t, 1, errDenied)
		_, err := deleting.get()
		require.ErrorIs(t, err, errDenied)
		hasItems(t, l, "a b c")
		require.Equal(t, []string{"list ", "delete k2"}, s.calls())
	})
}

func TestW8_ADeleteThatTheOriginConfirmsIsGone(t *testing.T) {
	kinds(t, func(t *testing.T, s *catalog, lister freshet.Lister[string]) {
		c := lists(t, s, config{Lister: lister})
		all, b := c.Collection(""), c.Collection("b")
		hasItems(t, all, "a b c")
		hasItems(t, b, "b")
		require.NoError(t, c.Delete(bg, "k2"))
		hasItems(t, all, "a c")
		hasItems(t, b, "")
		require.Equal(t, []string{"list ", "list b", "delete k2"}, s.calls())
	})
}

// "Not found" is the origin's word that the record has left.
func TestW8_ARecordThatTheOriginDoesNotFindLeaves(t *testing.T) {
	kinds(t, func(t *testing.T, s *catalog, lister freshet.Lister[string]) {
		c := lists(t, s, config{Lister: lister})
		l := c.Collection("")
		hasItems(t, l, "a b c")
		s.put("k2", "")
		require.ErrorIs(t, c.Delete(bg, "k2"), freshet.ErrNotFound)
		hasItems(t, l, "a c")
		require.Equal(t, []string{"list ", "delete k2"}, s.calls(), "k2 is not asked for again")
	})
}

// A create joins on commit: what has a Membership is told, at the end; else the
// lists are read anew.
func TestW8_ACreateJoins(t *testing.T) {
	kinds(t, func(t *testing.T, s *catalog, lister freshet.Lister[string]) {
		c := lists(t, s, config{Lister: lister})
		all, b, z := c.Collection(""), c.Collection("b"), c.Collection("z")
		hasItems(t, all, "a b c")
		hasItems(t, b, "b")
		hasItems(t, z, "")
		s.calls()
		w := s.stall(&s.after, "create")
		creating := ask(func() (string, error) { _, v, err := c.Create(bg, "bb"); return v, err })
		require.True(t, creating.waiting())
		hasItems(t, all, "a b c")
		w.open()
		gives(t, creating, "bb")
		hasItems(t, all, "a b c bb")
		hasItems(t, b, "b bb")
		hasItems(t, z, "")
		want := []string{"create bb"}
		if lister == freshet.Lister[string](s) {
			want = append(want, "list ", "list b", "list z")
		}
		require.Equal(t, want, s.calls())
	})
}

func TestW8_ARefusedCreateLeavesTheListsAlone(t *testing.T) {
	kinds(t, func(t *testing.T, s *catalog, lister freshet.Lister[string]) {
		c := lists(t, s, config{Lister: lister})
		hasItems(t, c.Collection(""), "a b c")
		s.before = func(context.Context, string) error { return errDenied }
		_, _, err := c.Create(bg, "d")
		require.ErrorIs(t, err, errDenied)
		hasItems(t, c.Collection(""), "a b c")
		require.Equal(t, []string{"list ", "create d"}, s.calls())
	})
}

// The origin may have applied it: who is in a list is unknown too.
func TestW8_W3_AnUnknownOutcomeHasTheListsReadAnew(t *testing.T) {
	for _, call := range []string{"create", "update", "delete"} {
		t.Run(call, func(t *testing.T) {
			kinds(t, func(t *testing.T, s *catalog, lister freshet.Lister[string]) {
				c := lists(t, s, config{Lister: lister})
				hasItems(t, c.Collection(""), "a b c")
				hasItems(t, c.Collection("x"), "")
				w := s.stall(&s.after, call)
				w.deaf = true // and the origin answers when it was given up
				var err error
				switch call {
				case "create":
					_, _, err = c.Create(bg, "x")
				case "update":
					_, err = c.Update(bg, "k2", "x")
				case "delete":
					err = c.Delete(bg, "k2")
				}
				var failed *freshet.WriteError
				require.ErrorAs(t, err, &failed)
				require.True(t, failed.Unknown)
				want, x := map[string]string{"create": "a b c x", "update": "a x c", "delete": "a c"}[call], "x"
				if call == "delete" {
					x = ""
				}
				hasItems(t, c.Collection(""), want)
				hasItems(t, c.Collection("x"), x)
				s.put("k1", "")
				w.open()
				synctest.Wait()
				hasItems(t, c.Collection("x"), x)
				require.NotContains(t, itemsOf(t, c.Collection("")), "k1", "it came late: read once more")
			})
		})
	}
}

func itemsOf(t *testing.T, l *freshet.Collection[string]) (keys []string) {
	items, err := l.Get(bg)
	require.NoError(t, err)
	for _, i := range items {
		keys = append(keys, i.Key)
	}
	return keys
}

// A write of a member shows in the list at once, and is rolled back there.
func TestW8_AWriteShowsInTheList(t *testing.T) {
	kinds(t, func(t *testing.T, s *catalog, lister freshet.Lister[string]) {
		c := lists(t, s, config{Lister: lister})
		l := c.Collection("")
		hasItems(t, l, "a b c")
		w := s.stall(&s.before, "update")
		updating := ask(func() (string, error) { return c.Update(bg, "k2", "B") })
		require.True(t, updating.waiting())
		hasItems(t, l, "a B c")
		w.pass(t, 1, errDenied)
		require.False(t, updating.waiting())
		hasItems(t, l, "a b c")
		mustSet(t, c, "k1", "set")
		hasItems(t, l, "set b c")
		require.Equal(t, []string{"list ", "update k2"}, s.calls())
	})
}

// A delete and what is written after it change the lists in their order, also
// where the origin's second answer overtakes the first's aftermath.
func TestW8_W2_WritesOfOneKeyChangeTheListsInTheirOrder(t *testing.T) {
	kinds(t, func(t *testing.T, s *catalog, lister freshet.Lister[string]) {
		c := lists(t, s, config{Lister: lister})
		l := c.Collection("")
		s.put("k2", "")
		s.put("k2", "b")
		hasItems(t, l, "a c b")
		for range 50 {
			w := s.stall(&s.before, "delete")
			deleting := ask(func() (string, error) { return "", c.Delete(bg, "k2") })
			require.True(t, deleting.waiting())
			updating := ask(func() (string, error) { return c.Update(bg, "k2", "b") })
			require.True(t, updating.waiting())
			w.open()
			gives(t, deleting, "")
			gives(t, updating, "b")
			hasItems(t, l, "a c b")
		}
	})
}

// A list that was missing, and remembered so, has a member now.
func TestW8_ACreateEndsAListsAbsence(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog()
		s.before = func(_ context.Context, call string) error {
			if call == "list z" && len(s.selects("z")) == 0 {
				return freshet.ErrNotFound
			}
			return nil
		}
		c := lists(t, s, config{Lister: membered{catalog: s}, Freshness: freshet.Freshness{Missing: freshet.Forever}})
		z := c.Collection("z")
		_, err := z.Get(bg)
		require.ErrorIs(t, err, freshet.ErrNotFound)
		_, known := z.Peek()
		require.False(t, known)
		_, _, err = c.Create(bg, "z1")
		require.NoError(t, err)
		hasItems(t, z, "z1")
	})
}

// A key that is none of ours is in no list: it could not be got.
func TestW8_ACreateWithABadKeyJoinsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("a")
		c := lists(t, s, config{Lister: membered{catalog: s}, Writer: badKeys{s}})
		hasItems(t, c.Collection(""), "a")
		_, _, err := c.Create(bg, "b")
		require.ErrorIs(t, err, freshet.ErrBadKey)
		hasItems(t, c.Collection(""), "a")
	})
}

// An Update needs no record (W1): where nothing was known of the key, the origin
// may have made one. The lists that have it already need not be read for that.
func TestW8_AnUpdateOfWhatIsNotKnownMayBeARecordMore(t *testing.T) {
	for _, known := range []string{"nothing", "void"} {
		t.Run(known, func(t *testing.T) {
			kinds(t, func(t *testing.T, s *catalog, lister freshet.Lister[string]) {
				c := lists(t, s, config{Lister: lister})
				if known == "void" {
					require.NoError(t, c.Set(bg, "new", "it was"))
					require.NoError(t, c.Invalidate(bg, "new"))
				}
				all, b := c.Collection(""), c.Collection("b")
				hasItems(t, all, "a b c")
				hasItems(t, b, "b")
				s.calls()
				_, err := c.Update(bg, "new", "bb")
				require.NoError(t, err)
				hasItems(t, all, "a b c bb")
				hasItems(t, b, "b bb")
				want := []string{"update new bb"}
				asked := lister == freshet.Lister[string](s)
				if asked {
					want = append(want, "list ", "list b")
				}
				require.Len(t, s.calls(), len(want))

				require.NoError(t, c.Remove(bg, "k1")) // a member of the one list, and not of the other
				_, err = c.Update(bg, "k1", "aa")
				require.NoError(t, err)
				hasItems(t, all, "aa b c bb")
				hasItems(t, b, "b bb")
				want = []string{"update k1"}
				if asked {
					want = append(want, "list b")
				}
				require.Equal(t, want, s.calls())

				_, err = c.Update(bg, "k1", "a") // it is known
				require.NoError(t, err)
				hasItems(t, b, "b bb")
				require.Equal(t, []string{"update k1"}, s.calls())
			})
		})
	}
}
