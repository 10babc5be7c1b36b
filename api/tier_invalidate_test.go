package api_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// whisperer is a shelf on which others write too.
type whisperer struct {
	*shelf
	listening func()     // called by OnInvalidate
	stopping  func()     // called by stop
	mu        sync.Mutex // held while tell is called, as the contract asks
	tell      func(freshet.Invalidation)
	stops     int
}

func (w *whisperer) OnInvalidate(f func(freshet.Invalidation)) (stop func()) {
	if w.listening != nil {
		w.listening()
	}
	w.tell = f
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.stops++
		if w.stopping != nil {
			w.stopping()
		}
	}
}

func (w *whisperer) whisper(i freshet.Invalidation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tell(i)
}

func TestO6_WhatOthersInvalidateExpiresByItself(t *testing.T) {
	for name, test := range map[string]struct {
		said    freshet.Invalidation
		expired []string
	}{
		"keys":     {freshet.Invalidation{Keys: []string{"a/1", "b/1", "not resident", "", "\x00"}}, []string{"a/1", "b/1"}},
		"prefixes": {freshet.Invalidation{Prefixes: []string{"a/", "c"}}, []string{"a/1", "a/2", "c"}},
		"both":     {freshet.Invalidation{Keys: []string{"b/1"}, Prefixes: []string{"a/"}}, []string{"a/1", "a/2", "b/1"}},
		"all":      {freshet.Invalidation{Prefixes: []string{""}}, []string{"a/1", "a/2", "b/1", "c"}},
		"lost":     {freshet.Invalidation{Lost: true}, []string{"a/1", "a/2", "b/1", "c"}},
		"nothing":  {freshet.Invalidation{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := &whisperer{shelf: newShelf()}
				c := shelved(t, counting(), w, config{Freshness: freshet.Freshness{StaleOnError: time.Hour}})
				for _, key := range []string{"a/1", "a/2", "b/1", "c"} {
					require.NoError(t, c.Set(bg, key, "set"))
				}
				erases := w.count("delete") + w.count("prefix")
				w.whisper(test.said)
				var expired []string
				for _, key := range []string{"a/1", "a/2", "b/1", "c"} {
					if snap, _ := c.Peek(key); snap.State == freshet.Stale {
						expired = append(expired, key)
					}
				}
				require.Equal(t, test.expired, expired)
				require.Equal(t, 4, c.Len(), "nothing was made for what is not here")
				require.Equal(t, erases, w.count("delete")+w.count("prefix"), "an erase would be heard by the others, and so on")
				for _, key := range test.expired {
					mustGet(t, c, key, "v1")
				}
			})
		})
	}
}

func TestC5_ACacheThatIsClosedListensNoMore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &whisperer{shelf: newShelf()}
		c := shelved(t, counting(), w, config{})
		mustGet(t, c, "a", "v1")
		require.NoError(t, c.Close(bg))
		require.NoError(t, c.Close(bg))
		require.Equal(t, 1, w.stops)
		w.whisper(freshet.Invalidation{Keys: []string{"a"}, Lost: true}) // a Store that does not keep its word
	})
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		w := &whisperer{shelf: newShelf(), stopping: func() { <-release }}
		c := shelved(t, counting(), w, config{})
		ctx, cancel := context.WithTimeout(bg, time.Second)
		defer cancel()
		require.ErrorIs(t, c.Close(ctx), context.DeadlineExceeded, "a stop that hangs holds Close no longer than its context")
		close(release)
		require.NoError(t, c.Close(bg))
	})
}

func TestC4_AStoreThatPanicsWhenItIsListenedTo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &whisperer{shelf: newShelf(), listening: func() { panic(errOrigin) }}
		c := config{Name: "c", Source: counting(), Store: w}
		_, err := freshet.New(c)
		require.ErrorIs(t, err, errOrigin)
		require.ErrorAs(t, err, new(*freshet.PanicError))

		w.listening, w.stopping = nil, func() { panic(errOrigin) }
		cache, err := freshet.New(c)
		require.NoError(t, err)
		require.NoError(t, cache.Close(bg))
	})
}

func TestACacheThatCannotBeMadeListensNoMore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &whisperer{shelf: newShelf()}
		rt, err := freshet.NewRuntime(freshet.RuntimeConfig{})
		require.NoError(t, err)
		defer func() { require.NoError(t, rt.Close(bg)) }()
		c := config{Name: "twice", Source: counting(), Runtime: rt}
		_, err = freshet.New(c)
		require.NoError(t, err)
		c.Store = w
		_, err = freshet.New(c)
		require.Error(t, err)
		require.Zero(t, w.count("get"))
		require.Equal(t, 1, w.stops)
	})
}

// A look-up has read the record when another process erases it, and comes back
// after that was told: there was nothing to expire yet.
func TestO6_WhatOthersInvalidateDuringALookUpIsNotKept(t *testing.T) {
	for name, said := range map[string]freshet.Invalidation{
		"key": {Keys: []string{"a"}}, "prefix": {Prefixes: []string{""}}, "lost": {Lost: true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, o := &whisperer{shelf: newShelf()}, &origin{}
				first := shelved(t, counting(), w.shelf, config{Name: "first"})
				mustGet(t, first, "a", "v1")
				require.True(t, w.has("a"))
				c := shelved(t, o, lateReader{w}, config{StoreTimeout: time.Hour})
				reply := get(c, "a")
				synctest.Wait()
				require.NoError(t, w.Delete(bg, "a", time.Now()))
				time.Sleep(1) // what is read in that very instant is erased too
				w.whisper(said)
				o.call(t, 1).value("v2")
				gives(t, reply, "v2")
				time.Sleep(time.Minute) // the look-up comes back
				mustGet(t, c, "a", "v2")
				require.True(t, w.has("a"))
				require.Zero(t, c.Stats().StoreHits, "it was not believed")
			})
		})
	}
}

// lateReader takes a second to bring what it has read.
type lateReader struct{ *whisperer }

func (l lateReader) Get(ctx context.Context, key string) (freshet.Record, error) {
	r, err := l.whisperer.Get(ctx, key)
	time.Sleep(time.Second)
	return r, err
}
