package api_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// ended is a context that has ended already, as that of a main which has been
// told to stop.
func ended() context.Context {
	ctx, cancel := context.WithCancel(bg)
	cancel()
	return ctx
}

// A cache with nothing to wait for is closed by a context that has ended too.
func TestC5_CloseOfACacheAtRestNeedsNoTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for name, c := range map[string]*freshet.Cache[string]{
			"unused":    serve(t, counting(), config{}),
			"read":      serve(t, counting(), config{}),
			"listed":    serve(t, counting(), config{Lister: answering(func(context.Context, string) ([]freshet.Item[string], error) { return nil, nil })}),
			"written":   serveWrites(t, counting(), &clerk{}, config{}),
			"with tier": shelved(t, counting(), newShelf(), config{}),
			"told":      shelved(t, counting(), &whisperer{shelf: newShelf()}, config{}),
		} {
			if name != "unused" {
				mustGet(t, c, "k", "v1")
				if name == "listed" {
					_, _ = c.Collection("q").Get(bg)
				}
				synctest.Wait()
			}
			require.NoError(t, c.Close(ended()), name)
			require.NoError(t, c.Close(ended()), name)
		}
	})
}

// What Close leaves behind is called by its name: it tells whom to ask.
func TestC5_CloseSaysWhatItLeavesBehind(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newShelf()
		free := make(chan struct{})
		s.set(func(context.Context, string) error { <-free; return freshet.ErrNotFound })
		c := shelved(t, counting(), s, config{})
		require.NoError(t, c.Set(bg, "k", "v"))
		require.NoError(t, c.Set(bg, "l", "v"))
		synctest.Wait()
		err := c.Close(ended())
		require.EqualError(t, err, "freshet: close of test: the Store has yet to acknowledge 2 writes: context canceled")
		close(free)
		require.NoError(t, c.Close(bg))
	})
	bubble(t, func(t *testing.T) {
		o := &origin{deaf: true}
		c := serve(t, o, config{})
		_, _ = get(c, "k"), get(c, "l")
		first, second := o.call(t, 1), o.call(t, 2)
		err := c.Close(ended())
		require.EqualError(t, err, "freshet: close of test: 2 origin calls have not returned: context canceled")
		first.value("late")
		synctest.Wait()
		require.EqualError(t, c.Close(ended()), "freshet: close of test: 1 origin call has not returned: context canceled")
		second.value("late")
		require.NoError(t, c.Close(bg))
	})
}

// Without a Lister too: as a write without a Writer.
func TestC5_ACollectionOfAClosedCacheIsClosed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, counting(), config{})
		require.NoError(t, c.Close(bg))
		l := c.Collection("q")
		_, err := l.Get(bg)
		require.ErrorIs(t, err, freshet.ErrClosed)
		_, err = l.Fetch(bg).Result()
		require.ErrorIs(t, err, freshet.ErrClosed)
		_, err = l.Reload(bg).Result()
		require.ErrorIs(t, err, freshet.ErrClosed)
		_, err = l.Watch(bg)
		require.ErrorIs(t, err, freshet.ErrClosed)
		require.ErrorIs(t, l.Invalidate(bg), freshet.ErrClosed)
	})
}
