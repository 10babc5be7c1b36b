package api_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// C4: an Apply that does not return fails its mutation and nothing else, when
// it is shown and when it is replayed.
func TestC4_AnApplyThatDoesNotReturn(t *testing.T) {
	boom := errors.New("boom")
	for name, bad := range map[string]struct {
		f    func()
		want error
	}{
		"panics":       {func() { panic(boom) }, boom},
		"calls Goexit": {runtime.Goexit, freshet.ErrGoexit},
	} {
		t.Run(name+" at once", func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := obliging()
				c := serveWrites(t, counting(), w, config{})
				mustGet(t, c, "k", "v1")
				events := watch(t, c)
				m := mutate(c, "k", mutation{Apply: func(string) (string, error) { bad.f(); return "", nil }})
				refused(t, m, bad.want, false)
				mustGet(t, c, "k", "v1")
				require.Zero(t, w.orders())
				events.tells(t)
				gives(t, mutate(c, "k", appends("+b")), "v1+b")
			})
		})
		for replay, by := range map[string]func(t *testing.T, c *freshet.Cache[string], w *clerk, o *origin){
			"a commit":  func(t *testing.T, _ *freshet.Cache[string], w *clerk, _ *origin) { w.order(t, 1).store("bad") },
			"a refusal": func(t *testing.T, _ *freshet.Cache[string], w *clerk, _ *origin) { w.order(t, 1).refuse(errOrigin) },
			"a Set": func(t *testing.T, c *freshet.Cache[string], _ *clerk, _ *origin) {
				require.NoError(t, c.Set(bg, "k", "bad"))
			},
		} {
			t.Run(name+" on replay over "+replay, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					w, o := &clerk{}, counting()
					c := serveWrites(t, o, w, config{})
					mustGet(t, c, "k", "v1")
					first := mutate(c, "k", appends("+a"))
					runs := 0
					m := mutate(c, "k", mutation{Apply: func(v string) (string, error) {
						if runs++; runs > 1 {
							bad.f()
						}
						return v + "+b", nil
					}})
					last := mutate(c, "k", appends("+d"))
					peeks(t, c, "k", "v1+a+b+d", 3)
					by(t, c, w, o)
					refused(t, m, bad.want, false)
					for n := 1; n <= w.orders(); n++ {
						w.order(t, n).store("end")
						w.orders()
					}
					require.False(t, first.waiting() || last.waiting())
					require.NoError(t, last.err)
					peeks(t, c, "k", map[bool]string{true: "bad", false: "end"}[replay == "a Set" && w.orders() < 2], 0)
				})
			})
		}
	}
}

// Apply may call the cache: it runs on nobody's mailbox.
func TestC4_ApplyAndCommitMayCallTheCache(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serveWrites(t, counting(), obliging(), config{})
		mustGet(t, c, "k", "v1")
		m := mutate(c, "k", mutation{
			Apply: func(v string) (string, error) {
				same, err := c.Get(bg, "k")
				other, err2 := c.Get(bg, "other")
				return v + "," + same + "," + other, errors.Join(err, err2)
			},
			Commit: func(ctx context.Context, v string) (string, error) {
				shown, err := c.Get(ctx, "k")
				if _, err2 := c.Update(ctx, "l", "L"); err2 != nil {
					return "", err2
				}
				return shown + "!", err
			},
		})
		gives(t, m, "v1,v1,v1!")
		mustGet(t, c, "l", "L")
	})
}

// A Commit that never returns holds nobody beyond the timeout; the cache ends
// without it when Close's context does (write_close_test.go).
func TestC4_EqualNewerAndWeighAroundACommit(t *testing.T) {
	boom := errors.New("boom")
	wild := func(v string) bool {
		if v == "bad" {
			panic(boom)
		}
		return true
	}
	for name, c := range map[string]config{
		"Equal": {Equal: func(_, b string) bool { return !wild(b) }},
		"Newer": {Newer: func(a, _ string) bool { return wild(a) }},
		"Weigh": {Weigh: func(_ string, v string) uint32 { wild(v); return 1 }, MaxWeight: 100},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, o := &clerk{}, counting()
				c := serveWrites(t, o, w, c)
				mustGet(t, c, "k", "v1")
				m := mutate(c, "k", appends("+a"))
				w.order(t, 1).store("bad")
				// It was applied; what it answered could not be taken in.
				refused(t, m, boom, true)
				mustGet(t, c, "k", "v2")
				require.Zero(t, c.Stats().Pending)

				if name == "Weigh" {
					refused(t, update(c, "k", "bad"), boom, false)
					require.Equal(t, 1, w.orders(), "it could not be shown")
					mustGet(t, c, "k", "v2")
				}
				r := create(c, "v")
				w.order(t, 2).as("l", "fine")
				require.False(t, r.waiting())
				require.NoError(t, r.err)
				r = create(c, "v")
				w.order(t, 3).as("l", "bad")
				require.False(t, r.waiting())
				require.ErrorIs(t, r.err, boom)
				require.Equal(t, created{"l", "bad"}, r.v)
				mustGet(t, c, "l", "v1") // not what was held before
			})
		})
	}
}

// Every reader shares the value that Apply gets.
func TestW1_CheckApplyFindsAnApplyThatModifiesItsArgument(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := open(t, freshet.Config[[]int]{
			Source: freshet.Func(func(context.Context, string) ([]int, error) { return []int{2, 1}, nil }), CheckApply: true,
		})
		commit := func(_ context.Context, v []int) ([]int, error) { return v, nil }
		_, err := c.Mutate(bg, "k", freshet.Mutation[[]int]{Commit: commit, Apply: func(v []int) ([]int, error) {
			slices.Sort(v)
			return v, nil
		}})
		require.ErrorIs(t, err, freshet.ErrImpure)
		require.ErrorContains(t, err, "test/k")
		v, err := c.Mutate(bg, "l", freshet.Mutation[[]int]{Commit: commit, Apply: func(v []int) ([]int, error) {
			return slices.Sorted(slices.Values(v)), nil
		}})
		require.NoError(t, err)
		require.Equal(t, []int{1, 2}, v)
		nope := errors.New("nope")
		_, err = c.Mutate(bg, "l", freshet.Mutation[[]int]{Commit: commit, Apply: func([]int) ([]int, error) { return nil, nope }})
		require.ErrorIs(t, err, nope)
		_, err = c.Mutate(bg, "l", freshet.Mutation[[]int]{Commit: commit})
		require.NoError(t, err, "without an Apply there is nothing to check")
	})
}

func TestW1_CheckApplyWithAValueThatCannotBeMarshalled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := open(t, freshet.Config[func()]{
			Source: freshet.Func(func(context.Context, string) (func(), error) { return func() {}, nil }), CheckApply: true,
			Equal: func(_, _ func()) bool { return false },
		})
		_, err := c.Mutate(bg, "k", freshet.Mutation[func()]{
			Commit: func(_ context.Context, v func()) (func(), error) { return v, nil },
			Apply:  func(v func()) (func(), error) { return v, nil },
		})
		require.ErrorContains(t, err, "CheckApply cannot marshal")
	})
}
