package api_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// answering is a Lister of whatever it is.
type answering func(ctx context.Context, query string) ([]freshet.Item[string], error)

func (f answering) List(ctx context.Context, query string) ([]freshet.Item[string], error) {
	return f(ctx, query)
}

// What a Lister answers wrongly fails its list alone; the next demand asks again.
func TestW8_C4_AListerThatFails(t *testing.T) {
	for name, test := range map[string]struct {
		wrong func() ([]freshet.Item[string], error)
		err   func(t *testing.T, err error)
	}{
		"an error": {
			func() ([]freshet.Item[string], error) {
				return []freshet.Item[string]{{Key: "k", Value: "v"}}, errOrigin
			},
			func(t *testing.T, err error) {
				var failed *freshet.FetchError
				require.ErrorAs(t, err, &failed)
				require.Equal(t, "?q", failed.Key)
				require.ErrorIs(t, err, errOrigin)
			},
		},
		"a panic": {
			func() ([]freshet.Item[string], error) { panic("wild") },
			func(t *testing.T, err error) {
				var wild *freshet.PanicError
				require.ErrorAs(t, err, &wild)
			},
		},
		"an empty key": {
			func() ([]freshet.Item[string], error) { return []freshet.Item[string]{{Value: "v"}}, nil },
			func(t *testing.T, err error) { require.ErrorIs(t, err, freshet.ErrBadKey) },
		},
		"a bad key": {
			func() ([]freshet.Item[string], error) {
				return []freshet.Item[string]{{Key: "k", Value: "v"}, {Key: "\xff"}}, nil
			},
			func(t *testing.T, err error) {
				require.ErrorIs(t, err, freshet.ErrBadKey)
				require.ErrorContains(t, err, "item 1")
			},
		},
		"not found": {
			func() ([]freshet.Item[string], error) { return nil, freshet.ErrNotFound },
			func(t *testing.T, err error) { require.ErrorIs(t, err, freshet.ErrNotFound) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				n := 0
				c := lists(t, newCatalog(), config{Lister: answering(func(context.Context, string) ([]freshet.Item[string], error) {
					if n++; n > 1 {
						return []freshet.Item[string]{{Key: "k", Value: "v"}}, nil
					}
					return test.wrong()
				})})
				l := c.Collection("q")
				_, err := l.Get(bg)
				test.err(t, err)
				_, known := l.Peek()
				require.False(t, known)
				hasItems(t, l, "v")
			})
		})
	}
}

func TestW8_WhatAListerMayAnswer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		answer := []freshet.Item[string]{}
		c := lists(t, newCatalog(), config{Lister: answering(func(context.Context, string) ([]freshet.Item[string], error) {
			return answer, nil
		})})
		l := c.Collection("")
		for _, test := range []struct {
			items []freshet.Item[string]
			want  string
		}{
			{nil, ""},
			{[]freshet.Item[string]{}, ""},
			{[]freshet.Item[string]{{Key: "x", Value: "1"}, {Key: "y", Value: "2"}, {Key: "x", Value: "3"}}, "1 2"},
			{[]freshet.Item[string]{{Key: "y", Value: "2"}, {Key: "x", Value: "1"}}, "2 1"},
			{[]freshet.Item[string]{{Key: "?", Value: "a member may be called as a list is"}}, "a member may be called as a list is"},
		} {
			answer = test.items
			items, err := l.Reload(bg).Await(bg)
			require.NoError(t, err)
			require.NotNil(t, items)
			require.Equal(t, test.want, values(items))
			peeksItems(t, l, test.want)
		}
	})
}

func TestW8_Queries(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := lists(t, newCatalog(), config{Lister: answering(func(_ context.Context, query string) ([]freshet.Item[string], error) {
			return []freshet.Item[string]{{Key: fmt.Sprintf("%.3s%d", query, len(query)), Value: query}}, nil
		})})
		for _, query := range []string{"", "?", "a?b=c&d", " ", "ü\n\t", strings.Repeat("q", 4095)} {
			hasItems(t, c.Collection(query), query)
			hasItems(t, c.Collection(query), query, freshet.CachedOnly())
			require.NoError(t, c.Collection(query).Invalidate(bg))
		}
		for name, query := range map[string]string{
			"one too long": strings.Repeat("q", 4096), "a megabyte": strings.Repeat("q", 1<<20),
			"NUL": "a\x00", "not UTF-8": "\xff",
		} {
			l := c.Collection(query)
			_, err := l.Get(bg)
			require.ErrorIs(t, err, freshet.ErrBadKey, name)
			_, err = l.Fetch(bg).Await(bg)
			require.ErrorIs(t, err, freshet.ErrBadKey, name)
			_, err = l.Reload(bg).Await(bg)
			require.ErrorIs(t, err, freshet.ErrBadKey, name)
			_, err = l.Get(bg, freshet.CachedOnly())
			require.ErrorIs(t, err, freshet.ErrBadKey, name)
			require.ErrorIs(t, l.Invalidate(bg), freshet.ErrBadKey, name)
			_, known := l.Peek()
			require.False(t, known, name)
		}
		require.Less(t, c.Len(), 10)
	})
}

func TestW8_WithoutALister(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := open(t, config{Source: newCatalog("a"), Writer: newCatalog()})
		l := c.Collection("")
		_, err := l.Get(bg)
		require.ErrorIs(t, err, freshet.ErrNoLister)
		_, err = l.Fetch(bg).Await(bg)
		require.ErrorIs(t, err, freshet.ErrNoLister)
		_, err = l.Reload(nil).Result() //nolint:staticcheck // nil is Background
		require.ErrorIs(t, err, freshet.ErrNoLister)
		require.ErrorIs(t, l.Invalidate(bg), freshet.ErrNoLister)
		_, err = l.Watch(bg)
		require.ErrorIs(t, err, freshet.ErrNoLister)
		_, known := l.Peek()
		require.False(t, known)
		_, _, err = c.Create(bg, "b")
		require.NoError(t, err)
		require.NoError(t, c.Delete(bg, "k1"))
	})
	_, err := freshet.New(config{Name: "x", Source: newCatalog(), Lister: (*catalog)(nil)})
	require.ErrorContains(t, err, "Lister is a nil")
}

// A hundred thousand members, all of them in memory, and a bound far below that.
func TestW8_AHundredThousandMembers(t *testing.T) {
	const n = 100_000
	items := make([]freshet.Item[string], n)
	for i := range items {
		items[i] = freshet.Item[string]{Key: fmt.Sprint("k", i), Value: fmt.Sprint(i)}
	}
	lister := answering(func(context.Context, string) ([]freshet.Item[string], error) { return items, nil })
	t.Run("in memory", func(t *testing.T) {
		c := lists(t, newCatalog(), config{Lister: lister})
		all, err := c.Collection("").Get(bg)
		require.NoError(t, err)
		require.Equal(t, items, all)
		require.Equal(t, n, c.Len())
		require.ErrorIs(t, c.Delete(bg, "k7"), freshet.ErrNotFound, "the catalog knows none")
		all, err = c.Collection("").Get(bg, freshet.CachedOnly())
		require.NoError(t, err)
		require.Len(t, all, n-1)
	})
	t.Run("far more than the bound", func(t *testing.T) {
		few := items[:n/20]
		lister := answering(func(context.Context, string) ([]freshet.Item[string], error) { return few, nil })
		source := &bulkEcho{}
		c := lists(t, newCatalog(), config{Lister: lister, Source: source, MaxEntries: 100})
		all, err := c.Collection("").Get(bg)
		require.NoError(t, err)
		require.Equal(t, few, all)
		require.Equal(t, int64(1), source.calls.Load(), "one call for all that were evicted")
		require.LessOrEqual(t, source.keys.Load(), int64(len(few)-90), "and for nothing else")
		eventually(t, func() bool { return c.Len() <= 100 })
	})
}

// bulkEcho answers each key with itself, less its first letter.
type bulkEcho struct{ calls, keys atomic.Int64 }

func (e *bulkEcho) Fetch(_ context.Context, r freshet.Request[string]) (freshet.Response[string], error) {
	return freshet.Response[string]{Value: r.Key[1:]}, nil
}

func (e *bulkEcho) FetchMany(_ context.Context, rs []freshet.Request[string]) (map[string]freshet.Response[string], error) {
	e.calls.Add(1)
	e.keys.Add(int64(len(rs)))
	all := make(map[string]freshet.Response[string], len(rs))
	for _, r := range rs {
		all[r.Key] = freshet.Response[string]{Value: r.Key[1:]}
	}
	return all, nil
}

// A list's load holds a place at the gate, and seeding needs none: one place is
// enough for lists, members and writes together (F11).
func TestW8_F11_ListsShareTheGate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("a", "b", "c")
		inAir, most := 0, 0
		s.before = func(context.Context, string) error {
			inAir++
			most = max(most, inAir)
			time.Sleep(time.Second)
			inAir--
			return nil
		}
		c := lists(t, s, config{MaxFlights: 1, MaxEntries: 1, Source: bulkCatalog{s}})
		var all []*reply[[]freshet.Item[string]]
		for _, query := range []string{"", "a", "b", ""} {
			all = append(all, ask(func() ([]freshet.Item[string], error) { return c.Collection(query).Get(bg) }))
		}
		written := ask(func() (string, error) { return c.Update(bg, "k3", "C") })
		for i, want := range []string{"a b C", "a", "b", "a b C"} {
			items, err := all[i].get()
			require.NoError(t, err)
			require.Equal(t, strings.ToLower(want), strings.ToLower(values(items)))
		}
		_, err := written.get()
		require.NoError(t, err)
		require.Equal(t, 1, most)
	})
}

// C4, M4: a seed whose Weigh panics fails the list and leaves no resource behind.
func TestW8_C4_ASeedThatPanicsLeavesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("bad")
		c := lists(t, s, config{MaxWeight: 100, Weigh: func(string, string) uint32 { panic("no scales") }})
		_, err := c.Collection("").Get(bg)
		var wild *freshet.PanicError
		require.ErrorAs(t, err, &wild)
		require.Zero(t, c.Len())
	})
}
