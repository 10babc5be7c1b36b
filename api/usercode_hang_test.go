package api_test

import (
	"context"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/store/storetest"
)

// handler is a log handler that runs a function.
type handler func()

func (h handler) Enabled(context.Context, slog.Level) bool  { return true }
func (h handler) Handle(context.Context, slog.Record) error { h(); return nil }
func (h handler) WithAttrs([]slog.Attr) slog.Handler        { return h }
func (h handler) WithGroup(string) slog.Handler             { return h }

// logging is a Runtime whose log handler is h.
func logging(t *testing.T, h handler) *freshet.Runtime {
	t.Helper()
	rt, err := freshet.NewRuntime(freshet.RuntimeConfig{Logger: slog.New(h)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, rt.Close(bg)) })
	return rt
}

// C4, D2: what a log handler does holds up nobody: neither the key that it is
// told of nor those whose deadlines fall due at the same time.
func TestC4_ALogHandlerHoldsNobody(t *testing.T) {
	var c *freshet.Cache[string]
	block := make(chan struct{})
	for name, h := range map[string]handler{
		"blocks":                 func() { <-block },
		"panics":                 func() { panic("boom") },
		"calls Goexit":           func() { runtime.Goexit() },
		"asks for the key":       func() { _, _ = c.Get(bg, "k"); _ = c.Invalidate(bg, "k") },
		"closes, and is awaited": func() { closeWithin(c, time.Second) },
	} {
		for fault, does := range map[string]storetest.Fault{"hangs": {Hang: true}, "fails": {Err: errOrigin}, "panics": {Panic: true}} {
			t.Run(name+" where the Store "+fault, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					block = make(chan struct{})
					defer func() { close(block) }()
					s := newShelf()
					c = open(t, config{Source: counting(), Store: storetest.Faulty(s, storetest.On("", does)), Runtime: logging(t, h)})
					a, b := get(c, "k"), get(c, "l")
					time.Sleep(5 * time.Second)
					for _, r := range []*reply[string]{a, b} {
						require.False(t, r.waiting())
						if name != "closes, and is awaited" {
							require.NoError(t, r.err)
						}
					}
				})
			})
		}
	}
}

func closeWithin[V any](c *freshet.Cache[V], d time.Duration) {
	ctx, cancel := context.WithTimeout(bg, d)
	defer cancel()
	_ = c.Close(ctx)
}

// C4: where Belongs panics and the log handler that is told of it does too.
func TestC4_ALogHandlerThatPanicsOverBelongs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		lister := rule{list: []freshet.Item[string]{{Key: "a", Value: "A"}}, belongs: func() bool { panic("boom") }}
		c := serveWrites(t, counting(), obliging(), config{Lister: lister, Runtime: logging(t, func() { panic("boom") })})
		_, err := c.Collection("").Get(bg)
		require.NoError(t, err)
		gives(t, update(c, "a", "B"), "B")
	})
}

// rule is a Membership.
type rule struct {
	list    []freshet.Item[string]
	belongs func() bool
}

func (r rule) List(context.Context, string) ([]freshet.Item[string], error) { return r.list, nil }
func (r rule) Belongs(string, freshet.Item[string]) bool                    { return r.belongs() }

// codec is a Codec of two functions.
type codec struct {
	marshal   func(string) ([]byte, error)
	unmarshal func([]byte) (string, error)
}

func (c codec) Marshal(v string) ([]byte, error)   { return c.marshal(v) }
func (c codec) Unmarshal(b []byte) (string, error) { return c.unmarshal(b) }

// D2: a Codec that hangs, for however many keys, costs their records alone.
func TestD2_ACodecThatHangsHoldsNoOtherKey(t *testing.T) {
	bubble(t, func(t *testing.T) {
		block := make(chan struct{})
		defer close(block)
		s := newShelf()
		c := open(t, config{Source: freshet.Func(func(_ context.Context, k string) (string, error) { return k, nil }), Store: s, Codec: codec{
			marshal: func(v string) ([]byte, error) {
				if v != "good" {
					<-block
				}
				return []byte(v), nil
			},
			unmarshal: func(b []byte) (string, error) { return string(b), nil },
		}})
		for i := range 40 {
			k := string(rune('a' + i))
			mustGet(t, c, k, k)
		}
		mustGet(t, c, "good", "good")
		time.Sleep(time.Minute)
		_, err := s.Get(bg, "good")
		require.NoError(t, err)
		require.EqualValues(t, 40, c.Stats().StoreErrors)
	})
}

// C2, C4: what looks at the answer of a commit and does not return holds the
// key's writers and readers no longer than the origin may.
func TestC4_ACallbackThatBlocksOverACommit(t *testing.T) {
	block := make(chan struct{})
	hangs := func(v string) {
		if v == "bad" {
			<-block
		}
	}
	for name, cfg := range map[string]config{
		"Equal": {Equal: func(a, b string) bool { hangs(b); return a == b }},
		"Newer": {Newer: func(a, _ string) bool { hangs(a); return true }},
		"Weigh": {Weigh: func(_, v string) uint32 { hangs(v); return 1 }, MaxWeight: 100},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				block = make(chan struct{})
				defer func() { close(block) }()
				c := serveWrites(t, counting(), obliging(), cfg)
				mustGet(t, c, "k", "v1")
				bad := mutate(c, "k", mutation{Commit: func(context.Context, string) (string, error) { return "bad", nil }})
				next := mutate(c, "k", appends("+b"))
				read := get(c, "k", freshet.ForceReload())
				require.True(t, bad.waiting())
				mustGet(t, c, "l", "v1")
				time.Sleep(10*time.Second + time.Millisecond)
				refused(t, bad, freshet.ErrTimeout, true)
				require.ErrorContains(t, bad.err, "user code did not return in 10s")
				gives(t, next, "v2+b")
				require.False(t, read.waiting())
				require.Zero(t, c.Stats().Pending)
			})
		})
	}
}

// C4: an Apply that does not return when it is run again fails its mutation,
// and holds up a Set of the key no longer than an origin may.
func TestC4_AnApplyThatBlocksOnReplay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		block := make(chan struct{})
		defer close(block)
		w := &clerk{}
		c := serveWrites(t, counting(), w, config{Timeout: time.Minute})
		mustGet(t, c, "k", "v1")
		first := mutate(c, "k", appends("+a"))
		var once sync.Once
		bad := mutate(c, "k", mutation{Apply: func(v string) (string, error) {
			free := false
			if once.Do(func() { free = true }); !free {
				<-block
			}
			return v + "+b", nil
		}})
		last := mutate(c, "k", appends("+c"))
		peeks(t, c, "k", "v1+a+b+c", 3)
		w.order(t, 1).store("stored")
		time.Sleep(2*time.Minute + time.Second)
		refused(t, bad, freshet.ErrTimeout, false)
		gives(t, first, "stored")
		w.order(t, 2).store("end")
		gives(t, last, "end")
		mustGet(t, c, "k", "end")
	})
}

// What a Store is given is its own, and what it gives is not kept.
func TestD2_AStoreThatModifiesTags(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newShelf()
		o := &origin{auto: func(int, freshet.Request[string]) (freshet.Response[string], error) {
			return freshet.Response[string]{Value: "v", Tags: []string{"b", "a"}}, nil
		}}
		c := shelved(t, o, &sorting{shelf: s}, config{})
		mustGet(t, c, "k", "v")
		synctest.Wait()
		n, err := c.InvalidateTag(bg, "b")
		require.NoError(t, err)
		require.Equal(t, 1, n)
	})
}

// sorting is a Store that modifies the tags of what it is given.
type sorting struct{ *shelf }

func (s *sorting) Set(ctx context.Context, key string, r freshet.Record) error {
	slices.Sort(r.Tags)
	clear(r.Tags)
	return s.shelf.Set(ctx, key, r)
}
