package api_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

func TestW8_C5_Close(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("a", "b")
		c := lists(t, s, config{})
		hasItems(t, c.Collection("b"), "b")
		require.NoError(t, c.Remove(bg, "k2"))
		s.stall(&s.before, "")
		list := c.Collection("").Fetch(bg)     // waits for the list
		members := c.Collection("b").Fetch(bg) // waits for a member
		waits := ask(func() ([]freshet.Item[string], error) { return c.Collection("").Get(bg) })
		require.True(t, waits.waiting())
		require.NoError(t, c.Close(bg))
		_, err := list.Result()
		require.ErrorIs(t, err, freshet.ErrClosed)
		_, err = members.Result()
		require.ErrorIs(t, err, freshet.ErrClosed)
		_, err = waits.get()
		require.ErrorIs(t, err, freshet.ErrClosed)
		isClosed(t, c.Collection("b"))
		require.NoError(t, c.Close(bg))
	})
}

func isClosed(t *testing.T, l *freshet.Collection[string]) {
	t.Helper()
	_, err := l.Get(bg)
	require.ErrorIs(t, err, freshet.ErrClosed)
	_, err = l.Get(bg, freshet.CachedOnly())
	require.ErrorIs(t, err, freshet.ErrClosed)
	_, err = l.Fetch(bg).Result()
	require.ErrorIs(t, err, freshet.ErrClosed)
	_, err = l.Reload(bg).Result()
	require.ErrorIs(t, err, freshet.ErrClosed)
	require.ErrorIs(t, l.Invalidate(bg), freshet.ErrClosed)
	_, known := l.Peek()
	require.False(t, known)
}

// Lists do not wait for the writes that Close waits for.
func TestW8_C5_CloseWithAWriteInTheAir(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("a", "b")
		rt, err := freshet.NewRuntime(freshet.RuntimeConfig{})
		require.NoError(t, err)
		c := lists(t, s, config{Runtime: rt})
		hasItems(t, c.Collection("a"), "a")
		writing := s.stall(&s.before, "update")
		update := ask(func() (string, error) { return c.Update(bg, "k2", "A") })
		require.True(t, update.waiting())
		s.mu.Lock()
		updates := s.before
		loads := s.stall(&s.before, "list")
		loading := s.before
		s.before = func(ctx context.Context, call string) error {
			return errors.Join(updates(ctx, call), loading(ctx, call))
		}
		s.mu.Unlock()
		list := c.Collection("").Fetch(bg)
		require.Equal(t, 1, loads.seen())
		s.calls()
		closing := ask(func() (string, error) { return "", c.Close(bg) })
		require.True(t, closing.waiting(), "for the write")
		_, err = list.Result()
		require.ErrorIs(t, err, freshet.ErrClosed)
		isClosed(t, c.Collection(""))
		isClosed(t, c.Collection("a"))
		require.Empty(t, s.calls())

		heir := lists(t, newCatalog("new"), config{Runtime: rt}) // of its name
		writing.open()
		gives(t, update, "A")
		gives(t, closing, "")
		hasItems(t, heir.Collection(""), "new")
		_, err = freshet.New(config{Name: "test", Source: s, Runtime: rt})
		require.ErrorContains(t, err, "already", "the heir still has the name")
		require.NoError(t, rt.Close(bg))
		isClosed(t, heir.Collection(""))
	})
}

// A Lister that does not return is told of, as a source is.
func TestW8_C5_CloseWithAHungLister(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("a")
		c := lists(t, s, config{})
		w := s.stall(&s.before, "list")
		w.deaf = true
		f := c.Collection("").Fetch(bg)
		require.Equal(t, 1, w.seen())
		ctx, cancel := context.WithTimeout(bg, time.Second)
		defer cancel()
		require.ErrorIs(t, c.Close(ctx), context.DeadlineExceeded)
		_, err := f.Result()
		require.ErrorIs(t, err, freshet.ErrClosed)
		again := ask(func() (string, error) { return "", c.Close(bg) })
		require.True(t, again.waiting())
		w.open()
		gives(t, again, "")
	})
}
