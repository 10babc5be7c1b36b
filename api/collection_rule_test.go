package api_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// With a Membership a record that was changed moves to the lists it belongs to
// now, when that is confirmed.
func TestW8_AnUpdateChangesItsLists(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("open 1", "open 2")
		c := lists(t, s, config{Lister: membered{catalog: s}})
		pending, done := c.Collection("open"), c.Collection("done")
		hasItems(t, pending, "open 1 open 2")
		hasItems(t, done, "")
		w := s.stall(&s.before, "update")
		updating := ask(func() (string, error) { return c.Update(bg, "k1", "done 1") })
		require.True(t, updating.waiting())
		hasItems(t, pending, "done 1 open 2")
		w.open()
		gives(t, updating, "done 1")
		hasItems(t, pending, "open 2")
		hasItems(t, done, "done 1")
		require.Equal(t, []string{"list open", "list done", "update k1"}, s.calls())
	})
}

type badKeys struct{ *catalog }

func (b badKeys) Create(context.Context, string) (key, stored string, err error) { return "", "b", nil }

// Belongs is user code: what it does not tell, the origin is asked.
func TestW8_C4_AMembershipThatDoesNotReturn(t *testing.T) {
	for name, wild := range wildly() {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := newCatalog("a")
				var called atomic.Int64
				c := lists(t, s, config{Lister: membered{s, func(query string, item freshet.Item[string]) bool {
					called.Add(1)
					if query == "" {
						wild()
					}
					return true
				}}})
				all, z := c.Collection(""), c.Collection("z")
				hasItems(t, all, "a")
				hasItems(t, z, "")
				s.calls()
				_, _, err := c.Create(bg, "b")
				require.NoError(t, err)
				hasItems(t, all, "a b")
				hasItems(t, z, "b")
				require.Equal(t, []string{"create b", "list "}, s.calls())
				require.Equal(t, int64(2), called.Load())
			})
		})
	}
}

func wildly() map[string]func() {
	return map[string]func(){"panics": func() { panic("wild") }, "exits": runtime.Goexit}
}

// One that hangs holds nobody up for longer than an origin may, and Close as
// long as its context says.
func TestW8_C4_AMembershipThatHangs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("a")
		release := make(chan struct{})
		c := lists(t, s, config{Lister: membered{s, func(string, freshet.Item[string]) bool {
			<-release
			return false
		}}})
		hasItems(t, c.Collection(""), "a")
		hasItems(t, c.Collection("a"), "a")
		_, _, err := c.Create(bg, "ab")
		require.NoError(t, err)
		hasItems(t, c.Collection(""), "a ab")
		hasItems(t, c.Collection("a"), "a ab")
		close(release)
	})
}
