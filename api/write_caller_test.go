package api_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// Behaviour 29.
func TestW6_ACallerThatLeavesDoesNotEndItsWrite(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &clerk{}
		c := serveWrites(t, counting(), w, config{})
		mustGet(t, c, "k", "v1")
		events := watch(t, c)
		why := errors.New("the user went away")
		ctx, leave := context.WithCancelCause(bg)
		a := ask(func() (string, error) { return c.Mutate(ctx, "k", appends("+a")) })
		require.True(t, a.waiting())
		b := ask(func() (string, error) { return "", c.Delete(ctx, "l") })
		n := ask(func() (string, error) { key, _, err := c.Create(ctx, "n"); return key, err })
		queued := ask(func() (string, error) { return c.Update(ctx, "k", "Q") })
		require.True(t, queued.waiting())
		leave(why)
		for _, r := range []*reply[string]{a, b, n, queued} {
			failsWith(t, r, context.Canceled)
			require.ErrorIs(t, r.err, why)
			var failed *freshet.WriteError
			require.False(t, errors.As(r.err, &failed), "it did not fail: nobody knows yet")
		}
		require.Equal(t, 4, c.Stats().Pending)
		require.NoError(t, w.order(t, 1).ctx.Err(), "C2")
		for i := 1; i <= 4; i++ {
			switch o := w.order(t, i); o.what {
			case "create":
				o.as("n", "n")
			default:
				o.store(o.value)
			}
		}
		mustGet(t, c, "k", "Q")
		mustGet(t, c, "n", "n")
		synctest.Wait()
		require.Zero(t, c.Stats().Pending)
		told := map[string][]string{}
		for _, e := range events.take() {
			told[e.Key] = append(told[e.Key], e.Kind.String())
		}
		require.Equal(t, map[string][]string{
			"k": {"Optimistic", "Optimistic", "Committed", "Committed"}, "l": {"Optimistic", "Deleted"}, "n": {"Created"},
		}, told)
	})
}

func TestW6_TheCommitsContextCarriesValuesAndADeadline(t *testing.T) {
	type name struct{}
	bubble(t, func(t *testing.T) {
		var read context.Context
		o := &origin{}
		w := &clerk{}
		c := serveWrites(t, o, w, config{Timeout: time.Minute})
		ctx, leave := context.WithTimeout(context.WithValue(bg, name{}, "Ann"), time.Second)
		defer leave()
		m := ask(func() (string, error) { return c.Mutate(ctx, "k", appends("+a")) })
		require.True(t, m.waiting())
		read = o.call(t, 1).ctx
		require.Equal(t, "Ann", read.Value(name{}), "the read that comes first is Ann's")
		o.call(t, 1).value("v")
		commit := w.order(t, 1).ctx
		require.Equal(t, "Ann", commit.Value(name{}))
		until, ok := commit.Deadline()
		require.True(t, ok)
		require.Equal(t, time.Minute, time.Until(until))
		time.Sleep(2 * time.Second)
		failsWith(t, m, context.DeadlineExceeded)
		require.NoError(t, commit.Err())
		queued := ask(func() (string, error) { return c.Update(bg, "k", "b") })
		require.True(t, queued.waiting())
		w.order(t, 1).refuse(freshet.ErrUnknown)
		require.Equal(t, "Ann", o.call(t, 2).ctx.Value(name{}), "so is the one that her write made necessary")
		o.call(t, 2).value("v")
		w.order(t, 2).store("b")
		gives(t, queued, "b")
	})
}

func TestW6_WithoutAWriterACacheIsReadOnly(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := counting()
		c := serve(t, o, config{})
		events := watch(t, c)
		for name, call := range allWrites(c) {
			require.ErrorIs(t, call(bg, "k"), freshet.ErrReadOnly, name)
		}
		require.Zero(t, c.Len())
		require.Zero(t, c.Stats().Pending)
		require.Zero(t, o.calls())
		events.tells(t)

		// A Mutation that brings its own Commit needs none.
		v, err := c.Mutate(bg, "k", mutation{Apply: appends("+a").Apply, Commit: func(_ context.Context, v string) (string, error) {
			return v + "!", nil
		}})
		require.NoError(t, err)
		require.Equal(t, "v1+a!", v)
	})
}

// allWrites are the calls of a cache that write.
func allWrites(c *freshet.Cache[string]) map[string]func(ctx context.Context, key string) error {
	return map[string]func(context.Context, string) error{
		"Create": func(ctx context.Context, _ string) error { _, _, err := c.Create(ctx, "v"); return err },
		"Update": func(ctx context.Context, key string) error { _, err := c.Update(ctx, key, "v"); return err },
		"Delete": func(ctx context.Context, key string) error { return c.Delete(ctx, key) },
		"Mutate": func(ctx context.Context, key string) error { _, err := c.Mutate(ctx, key, appends("+")); return err },
	}
}

func TestW6_WhereTheContextHasEndedNothingIsWritten(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := obliging(), counting()
		c := serveWrites(t, o, w, config{})
		events := watch(t, c)
		why := errors.New("too late")
		ctx, cancel := context.WithCancelCause(bg)
		cancel(why)
		for name, call := range allWrites(c) {
			err := call(ctx, "k")
			require.ErrorIs(t, err, context.Canceled, name)
			require.ErrorIs(t, err, why, name)
		}
		require.Zero(t, w.orders()+o.calls()+c.Len()+c.Stats().Pending)
		events.tells(t)
	})
}

func TestW6_BadKeysAndNilContexts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := obliging()
		c := serveWrites(t, counting(), w, config{})
		for name, call := range allWrites(c) {
			if name == "Create" {
				continue
			}
			for _, key := range []string{"", "a\x00b", "\xff"} {
				require.ErrorIs(t, call(bg, key), freshet.ErrBadKey, name)
			}
		}
		require.Zero(t, w.orders()+c.Len()+c.Stats().Pending)
		for name, call := range allWrites(c) {
			if name != "Create" {
				require.NoError(t, call(nil, "k"), name)
			}
		}
		synctest.Wait()
	})
}
