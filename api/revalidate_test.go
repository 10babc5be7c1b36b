package api_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

func TestF9_AnEqualResponseRenewsFreshness(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{Freshness: freshet.Freshness{TTL: time.Minute}, Equal: strings.EqualFold})
		events := watch(t, c)
		require.NoError(t, c.Set(bg, "k", "value"))
		before, _ := c.Peek("k")
		time.Sleep(time.Minute)
		r := get(c, "k")
		o.call(t, 1).value("VALUE")
		gives(t, r, "value") // what is held stays
		after, _ := c.Peek("k")
		require.Greater(t, after.Seq, before.Seq)
		require.Greater(t, after.Revision, before.Revision)
		time.Sleep(time.Minute - 1)
		mustGet(t, c, "k", "value")
		require.NoError(t, c.Set(bg, "k", "Value"))
		events.tells(t, "Loaded ->value set", "Revalidated value>value flight", "Revalidated value>value set")
	})
}

func TestF9_UnchangedRenewsFreshness(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{Freshness: freshet.Freshness{TTL: time.Minute}})
		events := watch(t, c)
		first := get(c, "k")
		require.Nil(t, o.call(t, 1).Last)
		o.call(t, 1).respond(freshet.Response[string]{Value: "v", Validator: "etag-1", Tags: []string{"t"}})
		gives(t, first, "v")
		learned := time.Now()
		time.Sleep(time.Minute)
		r := get(c, "k")
		last := o.call(t, 2).Last // what a conditional request needs
		require.NotNil(t, last)
		require.Equal(t, "v", last.Value)
		require.Equal(t, "etag-1", last.Validator)
		require.True(t, learned.Equal(last.At))
		o.call(t, 2).respond(freshet.Response[string]{Value: "ignored", Unchanged: true, TTL: time.Hour})
		gives(t, r, "v")
		s, _ := c.Peek("k")
		require.Equal(t, "etag-1", s.Validator, "kept, where the answer brings none")
		time.Sleep(time.Hour - 1)
		mustGet(t, c, "k", "v")
		n, err := c.InvalidateTag(bg, "t")
		require.NoError(t, err)
		require.Equal(t, 1, n, "the tags are kept too")
		// What is void serves conditional requests still.
		r = get(c, "k")
		require.NotNil(t, o.call(t, 3).Last)
		o.call(t, 3).respond(freshet.Response[string]{Unchanged: true, Validator: "etag-2"})
		gives(t, r, "v")
		mustGet(t, c, "k", "v", freshet.CachedOnly())
		s, _ = c.Peek("k")
		require.Equal(t, "etag-2", s.Validator)
		events.tells(t, "Loaded ->v flight", "Revalidated v>v flight", "Invalidated v>v", "Revalidated v>v flight")
	})
}

// Bad input: nothing is held that could be unchanged.
func TestF9_UnchangedWithNothingHeldFailsTheFlight(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{})
		r := get(c, "k")
		o.call(t, 1).respond(freshet.Response[string]{Value: "v", Unchanged: true})
		failsWith(t, r, freshet.ErrUnchanged)
	})
}

// "Unchanged" speaks of what was held at take-off, and of that alone: it must
// not renew a value that came between.
func TestF9_UnchangedOfAnotherValue(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{deaf: true}
		c := serve(t, o, config{Reload: freshet.ReloadQueue})
		require.NoError(t, c.Set(bg, "k", "old"))
		r := get(c, "k", freshet.ForceReload())
		require.Equal(t, "old", o.call(t, 1).Last.Value)
		require.NoError(t, c.Set(bg, "k", "new"))
		gives(t, r, "new")
		o.call(t, 1).respond(freshet.Response[string]{Unchanged: true})
		o.calls()
		mustGet(t, c, "k", "new")
	})
}

// The default Equal works on what == cannot compare, and on what it cannot
// compare safely.
func TestF9_TheDefaultEqual(t *testing.T) {
	same := func(name string, change func() error, revision func() uint64, kind func() string, want string) {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, change())
			before := revision()
			require.NoError(t, change())
			require.Equal(t, before+1, revision())
			require.Equal(t, want, kind())
		})
	}
	slices, next := typed(t, func() []int { return []int{1, 2} })
	same("slice", slices.change, slices.revision, next, "Revalidated")
	// An interface may hold what == panics on.
	anys, next := typed(t, func() any { return map[string]int{"a": 1} })
	same("interface", anys.change, anys.revision, next, "Revalidated")
	structs, next := typed(t, func() struct{ V any } { return struct{ V any }{[]int{1}} })
	same("struct with an interface", structs.change, structs.revision, next, "Revalidated")
	pointers, next := typed(t, func() *int { return new(int) })
	same("pointer", pointers.change, pointers.revision, next, "Updated")
	nan, next := typed(t, math.NaN)
	same("NaN", nan.change, nan.revision, next, "Updated")
}

type typedCache struct {
	change   func() error
	revision func() uint64
}

// typed is a cache of any type, and the kind of its last event.
func typed[V any](t *testing.T, make func() V) (typedCache, func() string) {
	t.Helper()
	c := open(t, freshet.Config[V]{Source: freshet.Func(notFound[V])})
	sub, err := c.Watch(t.Context())
	require.NoError(t, err)
	t.Cleanup(sub.Close)
	return typedCache{
			change: func() error { return c.Set(bg, "k", make()) },
			revision: func() uint64 {
				s, _ := c.Peek("k")
				return s.Revision
			},
		}, func() (kind string) {
			for range 2 {
				e, err := sub.Next(bg)
				require.NoError(t, err)
				kind = e.Kind.String()
			}
			return kind
		}
}
