package api_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

func tagged(v string, tags ...string) freshet.Response[string] {
	return freshet.Response[string]{Value: v, Tags: tags}
}

// A Set brings another value of the same record: it goes on carrying its tags.
func TestO6_WhatIsSetKeepsItsTags(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, counting(), config{})
		marked := func() int {
			n, err := c.InvalidateTag(bg, "x")
			require.NoError(t, err)
			return n
		}
		require.NoError(t, c.Put(bg, "k", freshet.Response[string]{Value: "a", Tags: []string{"x"}}))
		require.NoError(t, c.Set(bg, "k", "b"))
		require.Equal(t, 1, marked())
		s, _ := c.Peek("k")
		require.Equal(t, freshet.Stale, s.State)
		require.NoError(t, c.Put(bg, "k", freshet.Response[string]{Value: "c"}))
		require.Equal(t, 1, marked(), "also after what it was set over was void")
		require.NoError(t, c.Put(bg, "k", freshet.Response[string]{Value: "d", Tags: []string{}}))
		require.Zero(t, marked())
		mustGet(t, c, "k", "d")
	})
}

func TestO0_InvalidateTag(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := counting()
		c := serve(t, o, config{})
		require.NoError(t, c.Put(bg, "a", tagged("a", "red")))
		require.NoError(t, c.Put(bg, "b", tagged("b", "red", "blue", "red")))
		require.NoError(t, c.Put(bg, "c", tagged("c", "blue")))
		require.NoError(t, c.Set(bg, "d", "d"))
		n, err := c.InvalidateTag(bg, "red", "unheard of")
		require.NoError(t, err)
		require.Equal(t, 2, n)
		mustGet(t, c, "c", "c", freshet.CachedOnly())
		mustGet(t, c, "d", "d", freshet.CachedOnly())
		for _, key := range []string{"a", "b"} {
			_, err := c.Get(bg, key, freshet.CachedOnly())
			require.ErrorIs(t, err, freshet.ErrNotCached)
			mustGet(t, c, key, "v1") // the new answer carries no tag
		}
		n, err = c.InvalidateTag(bg, "red", "blue")
		require.NoError(t, err)
		require.Equal(t, 1, n, "only c still carries one")
		n, err = c.InvalidateTag(bg)
		require.NoError(t, err)
		require.Zero(t, n)
	})
}

// Nobody knew that the response would carry the tag: not those who joined the
// flight after the invalidation either. They all get a newer one.
func TestO0_ATagInvalidatedDuringTheFlight(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{})
		events := watch(t, c)
		early := get(c, "k")
		require.Equal(t, 1, o.calls())
		n, err := c.InvalidateTag(bg, "red")
		require.NoError(t, err)
		require.Zero(t, n)
		late := get(c, "k")
		require.Equal(t, 1, o.calls())
		o.call(t, 1).respond(tagged("from before", "red"))
		require.True(t, early.waiting())
		require.True(t, late.waiting())
		o.call(t, 2).respond(tagged("from after", "red"))
		gives(t, early, "from after")
		gives(t, late, "from after")
		events.tells(t, "Dropped ->- barrier", "Loaded ->from after flight")
		n, err = c.InvalidateTag(bg, "red")
		require.NoError(t, err)
		require.Equal(t, 1, n)
	})
}

// A response with another tag is good all the same.
func TestO0_AnotherTagDuringTheFlight(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{})
		r := get(c, "k")
		require.Equal(t, 1, o.calls())
		_, err := c.InvalidateTag(bg, "red")
		require.NoError(t, err)
		o.call(t, 1).respond(tagged("v", "blue"))
		gives(t, r, "v")
		require.Equal(t, 1, o.calls())
	})
}

// With the guard spent the flight cannot be taken over when it lands, so who
// comes after the invalidation must not have joined it.
func TestO0_ATagInvalidatedWhileTheGuardIsSpent(t *testing.T) {
	for name, cfg := range map[string]config{"spent": {MaxSupersede: 1}, "queue": {Reload: freshet.ReloadQueue}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				o := &origin{deaf: true}
				c := serve(t, o, cfg)
				early := get(c, "k")
				flight := o.calls()
				if cfg.Reload == freshet.ReloadSupersede {
					c.Reload(bg, "k")
					flight = o.calls()
				}
				_, err := c.InvalidateTag(bg, "red")
				require.NoError(t, err)
				late := get(c, "k")
				require.Equal(t, flight, o.calls())
				o.call(t, flight).respond(tagged("from before", "red"))
				gives(t, early, "from before") // it began before the invalidation
				require.True(t, late.waiting())
				_, err = c.Get(bg, "k", freshet.CachedOnly())
				require.ErrorIs(t, err, freshet.ErrNotCached)
				o.call(t, flight+1).respond(tagged("from after", "red"))
				gives(t, late, "from after")
			})
		})
	}
}

// A tag's barrier is remembered though nobody carries it, however many tags
// come and go meanwhile.
func TestO0_ATagsBarrierIsNotForgotten(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{})
		r := get(c, "k")
		require.Equal(t, 1, o.calls())
		_, err := c.InvalidateTag(bg, "red")
		require.NoError(t, err)
		for i := range 5000 {
			tag := fmt.Sprint("tag", i)
			require.NoError(t, c.Put(bg, "other", tagged("x", tag)))
			_, err := c.InvalidateTag(bg, tag)
			require.NoError(t, err)
		}
		o.call(t, 1).respond(tagged("from before", "red"))
		require.True(t, r.waiting())
		o.call(t, 2).value("from after")
		gives(t, r, "from after")
	})
}

// A set that carries an invalidated tag is newer than the invalidation.
func TestO0_ASetAfterTheTagsInvalidation(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, &origin{}, config{})
		_, err := c.InvalidateTag(bg, "red")
		require.NoError(t, err)
		require.NoError(t, c.Put(bg, "k", tagged("v", "red")))
		mustGet(t, c, "k", "v", freshet.CachedOnly())
	})
}

func TestO0_InvalidatePrefix(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{deaf: true}
		c := serve(t, o, config{})
		for _, key := range []string{"user/1", "user/2", "users", "post/1"} {
			require.NoError(t, c.Set(bg, key, "v"))
		}
		loading := get(c, "user/3")
		require.Equal(t, 1, o.calls())
		n, err := c.InvalidatePrefix(bg, "user/")
		require.NoError(t, err)
		require.Equal(t, 3, n)
		mustGet(t, c, "users", "v", freshet.CachedOnly())
		mustGet(t, c, "post/1", "v", freshet.CachedOnly())
		_, err = c.Get(bg, "user/1", freshet.CachedOnly())
		require.ErrorIs(t, err, freshet.ErrNotCached)
		o.call(t, 1).value("from before")
		require.True(t, loading.waiting(), "what is loading is covered too")
		o.call(t, 2).value("from after")
		gives(t, loading, "from after")
		n, err = c.InvalidatePrefix(bg, "")
		require.NoError(t, err)
		require.Equal(t, 5, n, "the empty prefix is everything")
		n, err = c.InvalidatePrefix(bg, "nobody")
		require.NoError(t, err)
		require.Zero(t, n)
	})
}

// Keys come and go while a prefix and a tag are invalidated: whoever asks after
// the invalidation returned is never answered with what was read before it.
func TestO0_InvalidationsRaceCreation(t *testing.T) {
	var truth atomic.Int64
	source := freshet.Func(func(context.Context, string) (int64, error) {
		v := truth.Load()
		if v%3 == 0 {
			time.Sleep(time.Microsecond)
		}
		return v, nil
	})
	for name, invalidate := range map[string]func(*freshet.Cache[int64]) error{
		"prefix": func(c *freshet.Cache[int64]) error { _, err := c.InvalidatePrefix(bg, "k"); return err },
		"tag":    func(c *freshet.Cache[int64]) error { _, err := c.InvalidateTag(bg, "all"); return err },
	} {
		t.Run(name, func(t *testing.T) {
			c := open(t, freshet.Config[int64]{Source: allTagged{source}, MaxEntries: 8})
			var wg sync.WaitGroup
			var over atomic.Bool
			for g := range 6 {
				wg.Go(func() {
					for i := g; !over.Load(); i++ {
						least := truth.Load() // invalidated or about to be: see below
						if v, err := c.Get(bg, fmt.Sprint("k", i%20)); err != nil || v < least-1 {
							t.Errorf("%d, %v: want at least %d", v, err, least-1)
							return
						}
					}
				})
			}
			for range 1500 {
				truth.Add(1)
				if err := invalidate(c); err != nil {
					t.Error(err)
				}
				least := truth.Load()
				if v, err := c.Get(bg, "k7"); err != nil || v < least {
					t.Errorf("%d, %v: want %d", v, err, least)
				}
			}
			over.Store(true)
			wg.Wait()
		})
	}
}

// allTagged puts the tag "all" on every response.
type allTagged struct{ freshet.Source[int64] }

func (s allTagged) Fetch(ctx context.Context, r freshet.Request[int64]) (freshet.Response[int64], error) {
	resp, err := s.Source.Fetch(ctx, r)
	resp.Tags = []string{"all"}
	return resp, err
}
