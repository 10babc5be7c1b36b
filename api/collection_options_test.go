package api_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

func TestW8_F10_CachedOnlyNeverFlies(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("a", "b")
		c := lists(t, s, config{})
		l := c.Collection("")
		_, err := l.Get(bg, freshet.CachedOnly())
		require.ErrorIs(t, err, freshet.ErrNotCached)
		hasItems(t, l, "a b")
		hasItems(t, l, "a b", freshet.CachedOnly())
		require.NoError(t, c.Remove(bg, "k1"))
		items, err := l.Get(bg, freshet.CachedOnly())
		require.Equal(t, "b", values(items), "what there is, beside the error")
		var many *freshet.ManyError
		require.ErrorAs(t, err, &many)
		require.ErrorIs(t, many.Errs["k1"], freshet.ErrNotCached)
		_, err = l.Get(bg, freshet.CachedOnly(), freshet.ForceReload())
		require.ErrorContains(t, err, "exclude each other")
		require.Equal(t, []string{"list "}, s.calls())
	})
}

func TestW8_F10_MaxAgeAndForceReloadAreAboutTheList(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("a")
		c := lists(t, s, config{})
		l := c.Collection("")
		hasItems(t, l, "a")
		time.Sleep(time.Second)
		hasItems(t, l, "a", freshet.MaxAge(2*time.Second))
		require.Equal(t, []string{"list "}, s.calls())
		s.put("k1", "a2")
		s.add("b")
		hasItems(t, l, "a2 b", freshet.MaxAge(time.Second))
		require.Equal(t, []string{"list "}, s.calls())
		s.put("k2", "b2")
		hasItems(t, l, "a2 b2", freshet.ForceReload())
		require.Equal(t, []string{"list "}, s.calls())
	})
}

func TestW8_C2_WithTimeoutBoundsTheList(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("a")
		w := s.stall(&s.before, "")
		c := lists(t, s, config{})
		start := time.Now()
		_, err := c.Collection("").Get(bg, freshet.WithTimeout(time.Second))
		require.ErrorIs(t, err, freshet.ErrTimeout)
		require.Equal(t, time.Second, time.Since(start))
		w.open()
		hasItems(t, c.Collection(""), "a")
		require.NoError(t, c.Invalidate(bg, "k1"))
		s.stall(&s.before, "fetch")
		start = time.Now()
		_, err = c.Collection("").Get(bg, freshet.WithTimeout(time.Second))
		require.ErrorIs(t, err, freshet.ErrTimeout)
		require.Equal(t, time.Second, time.Since(start), "and its members")
	})
}

func TestW8_C1_ACallersContextEndsItsWaitAlone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("a")
		w := s.stall(&s.before, "list")
		c := lists(t, s, config{})
		ctx, cancel := context.WithCancel(bg)
		l := c.Collection("")
		first := ask(func() ([]freshet.Item[string], error) { return l.Get(ctx) })
		second := ask(func() ([]freshet.Item[string], error) { return l.Get(bg) })
		require.True(t, second.waiting())
		cancel()
		_, err := first.get()
		require.ErrorIs(t, err, context.Canceled)
		w.open()
		items, err := second.get()
		require.NoError(t, err)
		require.Equal(t, "a", values(items))
		items, err = l.Get(ctx)
		require.NoError(t, err, "what is known needs no wait")
		require.Equal(t, "a", values(items))
		require.Equal(t, []string{"list "}, s.calls())
	})
}

// Only what was evicted is fetched, in one call where the source can; what fails
// is named, and what is missing is left out.
func TestW8_OnlyTheMissingMembersAreFetched(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("a", "b", "c", "d", "e")
		c := lists(t, s, config{Source: bulkCatalog{s}})
		l := c.Collection("")
		hasItems(t, l, "a b c d e")
		s.calls()
		require.NoError(t, c.Remove(bg, "k2", "k4"))
		hasItems(t, l, "a b c d e")
		require.Equal(t, []string{"many k2,k4"}, s.calls())
		require.NoError(t, c.Remove(bg, "k2", "k4"))
		s.put("k4", "")
		hasItems(t, l, "a b c e")
		require.Equal(t, []string{"many k2,k4"}, s.calls())
		require.NoError(t, c.Remove(bg, "k1"))
		hasItems(t, l, "a b c e")
	})
}

func TestW8_AMemberThatFailsDoesNotBreakTheList(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("a", "b", "c")
		c := lists(t, s, config{})
		l := c.Collection("")
		hasItems(t, l, "a b c")
		require.NoError(t, c.Remove(bg, "k1", "k3"))
		s.before = func(_ context.Context, call string) error {
			if call == "fetch k3" {
				return errOrigin
			}
			return nil
		}
		items, err := l.Get(bg)
		require.Equal(t, "a b", values(items))
		var many *freshet.ManyError
		require.ErrorAs(t, err, &many)
		require.Len(t, many.Errs, 1)
		require.ErrorIs(t, many.Errs["k3"], errOrigin)
		_, err = l.Fetch(bg).Await(bg)
		require.ErrorAs(t, err, &many)
		peeksItems(t, l, "a b")
		s.before = nil
		hasItems(t, l, "a b c")
	})
}

// A member that the source says is missing is left out, as long as that is
// remembered without another call; Remove keeps the membership.
func TestW8_AMissingMemberIsLeftOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("a", "b", "c")
		c := lists(t, s, config{Freshness: freshet.Freshness{Missing: time.Minute}})
		l := c.Collection("")
		hasItems(t, l, "a b c")
		s.put("k2", "")
		require.NoError(t, c.Invalidate(bg, "k2"))
		hasItems(t, l, "a c")
		hasItems(t, l, "a c")
		hasItems(t, l, "a c", freshet.CachedOnly())
		peeksItems(t, l, "a c")
		require.Equal(t, []string{"list ", "fetch k2"}, s.calls())
		s.put("k2", "b2")
		require.NoError(t, c.Remove(bg, "k2"))
		hasItems(t, l, "a b2 c")
	})
}

func TestW8_Fetch(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("a")
		c := lists(t, s, config{})
		l := c.Collection("")
		w := s.stall(&s.before, "list")
		f := l.Fetch(bg)
		synctest.Wait()
		_, err := f.Result()
		require.ErrorIs(t, err, freshet.ErrPending)
		require.Zero(t, f.Seq())
		w.open()
		items, err := f.Await(bg)
		require.NoError(t, err)
		require.Equal(t, "a", values(items))
		require.NotZero(t, f.Seq())
		again := l.Fetch(nil) //nolint:staticcheck // nil is Background
		select {
		case <-again.Done():
		default:
			t.Fatal("what is known is settled at once")
		}
		require.Equal(t, f.Seq(), again.Seq())
		reloaded := l.Reload(bg)
		_, err = reloaded.Await(bg)
		require.NoError(t, err)
		require.Greater(t, reloaded.Seq(), f.Seq(), "O1")
		_, err = l.Fetch(bg, freshet.MaxAge(-1)).Result()
		require.Error(t, err)
		ctx, cancel := context.WithCancel(context.WithValue(bg, ctxValue{}, 7))
		cancel()
		s.before = func(ctx context.Context, _ string) error {
			if ctx.Value(ctxValue{}) != 7 || ctx.Err() != nil {
				return errors.New("values, and no cancellation")
			}
			return nil
		}
		_, err = l.Fetch(ctx, freshet.ForceReload()).Await(bg)
		require.NoError(t, err, "C2")
	})
}

type ctxValue struct{}

// With AbortAbandoned the last who leaves ends the load, or the members' fetches.
func TestW8_C3_AbortAbandoned(t *testing.T) {
	for _, abort := range []bool{true, false} {
		bubble(t, func(t *testing.T) {
			s := newCatalog("a", "b")
			c := lists(t, s, config{AbortAbandoned: abort})
			l := c.Collection("")
			leave := func(f *freshet.Future[[]freshet.Item[string]]) {
				t.Helper()
				ctx, cancel := context.WithCancel(bg)
				one := ask(func() ([]freshet.Item[string], error) { return f.Await(ctx) })
				other := ask(func() ([]freshet.Item[string], error) { return f.Await(ctx) })
				require.True(t, one.waiting())
				require.True(t, other.waiting())
				require.Equal(t, 1, c.Stats().InFlight)
				cancel()
				require.False(t, one.waiting())
				require.False(t, other.waiting())
				_, err := f.Result()
				if !abort {
					require.Equal(t, 1, c.Stats().InFlight)
					require.ErrorIs(t, err, freshet.ErrPending)
					return
				}
				require.Zero(t, c.Stats().InFlight)
				require.ErrorIs(t, err, freshet.ErrAbandoned)
			}
			w := s.stall(&s.before, "list")
			f := l.Fetch(bg)
			leave(f)
			kept := l.Fetch(bg) // and nobody awaits it yet
			w.open()
			synctest.Wait()
			_, err := kept.Result()
			require.NoError(t, err)
			require.NoError(t, c.Remove(bg, "k1"))
			w = s.stall(&s.before, "fetch")
			leave(l.Fetch(bg))
			w.open()
			hasItems(t, l, "a b")
		})
	}
}
