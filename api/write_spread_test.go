package api_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// spreading is a mutation that makes everything under p/ and with tag t stale.
func spreading(commit func(ctx context.Context, v string) (string, error)) mutation {
	return mutation{Apply: appends("+a").Apply, Commit: commit, Tags: []string{"t"}, Prefixes: []string{"p/"}}
}

// A mutation's tags and prefixes are invalidated when its commit lands, not
// before, and not where it was refused.
func TestW3_ACommitInvalidatesWhatItMakesStale(t *testing.T) {
	for name, k := range map[string]struct {
		outcome func(*order)
		void    bool
	}{
		"committed": {func(o *order) { o.store("A") }, true},
		"unknown":   {func(o *order) { o.refuse(freshet.ErrUnknown) }, true},
		"refused":   {func(o *order) { o.refuse(errOrigin) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, o := &clerk{}, counting()
				c := serveWrites(t, o, w, config{})
				require.NoError(t, c.Set(bg, "k", "v"))
				require.NoError(t, c.Put(bg, "tagged", freshet.Response[string]{Value: "v0", Tags: []string{"t"}}))
				require.NoError(t, c.Set(bg, "p/1", "v0"))
				require.NoError(t, c.Set(bg, "q/1", "v0"))
				first := mutate(c, "k", appends("+"))
				m := mutate(c, "k", spreading(nil))
				w.order(t, 1).store("v+")
				gives(t, first, "v+")
				require.True(t, m.waiting())
				mustGet(t, c, "tagged", "v0")
				mustGet(t, c, "p/1", "v0")
				k.outcome(w.order(t, 2))
				require.False(t, m.waiting())
				// It holds when Mutate has returned.
				want := "v0"
				if k.void {
					want = "v1"
				}
				mustGet(t, c, "tagged", want)
				mustGet(t, c, "p/1", want)
				mustGet(t, c, "q/1", "v0")
			})
		})
	}
}

// A read of a resource that the commit makes stale and that was in the air as it
// landed may be from before it.
func TestW3_WhatACommitMakesStaleIsReadAgainWhereAReadIsInTheAir(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := obliging(), &origin{deaf: true}
		c := serveWrites(t, o, w, config{})
		require.NoError(t, c.Set(bg, "k", "v"))
		prefixed, tagged := get(c, "p/1"), get(c, "x")
		require.Equal(t, 2, o.calls())
		gives(t, mutate(c, "k", spreading(nil)), "v+a")
		for _, call := range []*call{o.call(t, 1), o.call(t, 2)} {
			call.respond(freshet.Response[string]{Value: "old", Tags: []string{"t"}})
		}
		require.True(t, prefixed.waiting() && tagged.waiting())
		require.Equal(t, 4, o.calls())
		o.call(t, 3).value("new")
		o.call(t, 4).value("new")
		gives(t, prefixed, "new")
		gives(t, tagged, "new")
	})
}

// The mutation's lists of names are its own: a caller may reuse the slices.
func TestW3_TagsAndPrefixesAreCopied(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &clerk{}
		c := serveWrites(t, counting(), w, config{})
		mustGet(t, c, "p/1", "v1")
		mustGet(t, c, "q/1", "v1")
		m := mutation{Prefixes: []string{"p/"}}
		r := mutate(c, "k", m)
		m.Prefixes[0] = "q/"
		w.order(t, 1).store("v")
		gives(t, r, "v")
		mustGet(t, c, "p/1", "v2")
		mustGet(t, c, "q/1", "v1")
	})
}

// A prefix that covers the mutation's own key: what the commit brought is read
// again too.
func TestW3_AMutationMayMakeItsOwnKeyStale(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := obliging(), counting()
		c := serveWrites(t, o, w, config{})
		mustGet(t, c, "p/k", "v1")
		gives(t, mutate(c, "p/k", spreading(nil)), "v1+a")
		mustGet(t, c, "p/k", "v2")
	})
}
