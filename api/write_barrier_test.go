package api_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// W3, O0: what is learned or declared void while a commit flies is
// younger than the commit's answer.

func TestW7_ASetDuringMutationsReplacesTheBaseUnderThem(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, counting()
		c := serveWrites(t, o, w, config{})
		mustGet(t, c, "k", "v1")
		events := watch(t, c)
		a, b := mutate(c, "k", appends("+a")), mutate(c, "k", appends("+b"))
		require.NoError(t, c.Set(bg, "k", "set"))
		mustGet(t, c, "k", "set+a+b")
		events.tells(t, "Optimistic v1>v1+a", "Optimistic v1+a>v1+a+b", "Updated v1+a+b>set+a+b set")

		w.asks(t, 1, "update", "k", "v1+a").store("A")
		gives(t, a, "A")
		mustGet(t, c, "k", "set+b") // the value that was set stays, and a is done
		w.asks(t, 2, "update", "k", "set+b").refuse(errOrigin)
		refused(t, b, errOrigin, false)
		mustGet(t, c, "k", "set")
		require.Equal(t, 1, o.calls())
		events.tells(t, "Committed set+a+b>set+b", "RolledBack set+b>set")
	})
}

func TestW3_AnInvalidationDuringACommitIsNotLost(t *testing.T) {
	for name, invalidate := range map[string]func(c *freshet.Cache[string]) error{
		"Invalidate":       func(c *freshet.Cache[string]) error { return c.Invalidate(bg, "p/k") },
		"InvalidatePrefix": func(c *freshet.Cache[string]) error { _, err := c.InvalidatePrefix(bg, "p/"); return err },
		"InvalidateTag":    func(c *freshet.Cache[string]) error { _, err := c.InvalidateTag(bg, "t"); return err },
		"Remove":           func(c *freshet.Cache[string]) error { return c.Remove(bg, "p/k") },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, o := &clerk{}, &origin{}
				c := serveWrites(t, o, w, config{})
				require.NoError(t, c.Put(bg, "p/k", freshet.Response[string]{Value: "v", Tags: []string{"t"}}))
				m := mutate(c, "p/k", appends("+a"))
				require.NoError(t, invalidate(c))
				g := get(c, "p/k")
				require.True(t, g.waiting(), "what is shown stands on what is void")
				require.Zero(t, o.calls(), "W4")
				w.order(t, 1).store("v+a")
				gives(t, m, "v+a")
				require.True(t, g.waiting(), "the commit may be older than the invalidation")
				o.call(t, 1).value("new")
				gives(t, g, "new")
				require.Equal(t, 1, o.calls())
				require.Zero(t, c.Stats().Pending)
			})
		})
	}
}

// With nobody waiting it is the next demand that reads.
func TestW3_AfterAnInvalidationDuringACommitTheNextDemandReads(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, counting()
		c := serveWrites(t, o, w, config{})
		mustGet(t, c, "k", "v1")
		events := watch(t, c)
		m := mutate(c, "k", appends("+a"))
		require.NoError(t, c.Invalidate(bg, "k"))
		w.order(t, 1).store("A")
		gives(t, m, "A")
		require.Equal(t, 1, o.calls())
		s, _ := c.Peek("k")
		require.Equal(t, freshet.Stale, s.State)
		mustGet(t, c, "k", "v2")
		events.tells(t, "Optimistic v1>v1+a", "Invalidated v1+a>v1+a", "Committed v1+a>A", "Updated A>v2 flight")
	})
}

// What stands on no base stays visible through an invalidation.
func TestO6_AnUpdateStaysVisibleThroughAnInvalidation(t *testing.T) {
	for name, declare := range map[string]func(c *freshet.Cache[string]) error{
		"Invalidate": func(c *freshet.Cache[string]) error { return c.Invalidate(bg, "k") },
		"Remove":     func(c *freshet.Cache[string]) error { return c.Remove(bg, "k") },
		"Expire":     func(c *freshet.Cache[string]) error { return c.Expire(bg, "k") },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, o := &clerk{}, counting()
				c := serveWrites(t, o, w, config{})
				mustGet(t, c, "k", "v1")
				u := update(c, "k", "mine")
				require.NoError(t, declare(c))
				mustGet(t, c, "k", "mine")
				require.Equal(t, 1, o.calls())
				peeks(t, c, "k", "mine", 1)
				w.order(t, 1).refuse(errOrigin)
				refused(t, u, errOrigin, false)
				mustGet(t, c, "k", "v2") // what is below is void, or has ended
			})
		})
	}
}

// O10: pending mutations stay, and what they stand on is read again.
func TestO10_RemoveKeepsPendingMutations(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, &origin{}
		c := serveWrites(t, o, w, config{})
		require.NoError(t, c.Set(bg, "k", "v"))
		a, b := mutate(c, "k", appends("+a")), mutate(c, "k", appends("+b"))
		require.NoError(t, c.Remove(bg, "k"))
		require.Equal(t, 2, c.Stats().Pending)
		w.order(t, 1).store("A")
		gives(t, a, "A")
		require.Equal(t, 1, w.orders(), "there is nothing to write b on")
		o.call(t, 1).value("A")
		w.asks(t, 2, "update", "k", "A+b").store("B")
		gives(t, b, "B")
		mustGet(t, c, "k", "B")
	})
}

func TestW3_AQueuedMutationReadsWhatWasInvalidatedBeforeItCommits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, &origin{}
		c := serveWrites(t, o, w, config{})
		require.NoError(t, c.Set(bg, "k", "v"))
		a, b := mutate(c, "k", appends("+a")), mutate(c, "k", appends("+b"))
		require.NoError(t, c.Invalidate(bg, "k"))
		w.order(t, 1).store("A")
		gives(t, a, "A")
		require.Equal(t, 1, w.orders())
		o.call(t, 1).value("new")
		w.asks(t, 2, "update", "k", "new+b").store("B")
		gives(t, b, "B")
		mustGet(t, c, "k", "B")
		require.Equal(t, 1, o.calls())
	})
}

// O9 holds for a commit's answer too: an origin whose write answers with an
// older version than was read since. It has applied the write, so what it has
// now nobody knows: it is read.
func TestO9_ACommitsAnswerThatIsOlderDoesNotReplaceAnything(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, &origin{}
		c := serveWrites(t, o, w, config{Newer: func(a, b string) bool { return a > b }})
		require.NoError(t, c.Set(bg, "k", "5"))
		u := update(c, "k", "7")
		w.order(t, 1).store("4")
		gives(t, u, "4")
		s, _ := c.Peek("k")
		require.Equal(t, "5", s.Value)
		require.Equal(t, freshet.Stale, s.State)
		f := c.Fetch(bg, "k")
		o.call(t, 1).value("7")
		v, err := f.Await(bg)
		require.NoError(t, err)
		require.Equal(t, "7", v)
	})
}

// A version may be a time in seconds, or what was sent come back: what the origin
// has after a write is shown though it is not newer, as long as it is not older.
// Else the next Mutate would start from the value before, and the write be lost.
func TestO9_ACommitsAnswerTakesThePlaceOfItsEqual(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, &origin{}
		c := serveWrites(t, o, w, config{Newer: func(a, b string) bool { return a[0] > b[0] }})
		require.NoError(t, c.Set(bg, "k", "1a"))
		m := mutate(c, "k", appends("b"))
		w.asks(t, 1, "update", "k", "1ab").store("1ab")
		gives(t, m, "1ab")
		mustGet(t, c, "k", "1ab")
		m = mutate(c, "k", appends("c"))
		w.asks(t, 2, "update", "k", "1abc").store("1abc")
		gives(t, m, "1abc")
		mustGet(t, c, "k", "1abc")
		made := create(c, "1z")
		w.order(t, 3).as("k", "1z")
		_, err := made.get()
		require.NoError(t, err)
		mustGet(t, c, "k", "1z")
		require.NoError(t, c.Set(bg, "k", "1s"))
		mustGet(t, c, "k", "1z")
	})
}

// Behaviour 17 for writes: a Set that falls between Optimistic and the read that
// is owed.
func TestO7_ASetAfterAnUnknownOutcomeIsWhatIsKnown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, &origin{deaf: true}
		c := serveWrites(t, o, w, config{})
		require.NoError(t, c.Set(bg, "k", "v"))
		a, b := mutate(c, "k", appends("+a")), mutate(c, "k", appends("+b"))
		w.order(t, 1).refuse(freshet.ErrUnknown)
		refused(t, a, freshet.ErrUnknown, true)
		require.Equal(t, 1, o.calls())
		require.NoError(t, c.Set(bg, "k", "set"))
		mustGet(t, c, "k", "set+b")
		w.asks(t, 2, "update", "k", "set+b").store("B")
		gives(t, b, "B")
		o.call(t, 1).value("old")
		synctest.Wait()
		mustGet(t, c, "k", "B")
	})
}
