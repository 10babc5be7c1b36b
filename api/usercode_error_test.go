package api_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// wildError is an error that was a nil pointer when it became one: whoever
// looks into it panics.
type wildError struct{ cause error }

func (e *wildError) Error() string { return e.cause.Error() }
func (e *wildError) Unwrap() error { return e.cause }

// wild is what a function returns that has a *wildError for its own result.
func wild() error {
	var none *wildError
	return none
}

// bulk is a BulkSource of two functions.
type bulk struct {
	freshet.Source[string]
	many func([]freshet.Request[string]) (map[string]freshet.Response[string], error)
}

func (b bulk) FetchMany(_ context.Context, rs []freshet.Request[string]) (map[string]freshet.Response[string], error) {
	return b.many(rs)
}

// C4: an error whose methods panic fails the operation that returned it, and the
// program lives on.
func TestC4_AnErrorWhoseMethodsPanic(t *testing.T) {
	calls := map[string]func(t *testing.T, err error) error{
		"a fetch": func(t *testing.T, bad error) error {
			c := open(t, config{Source: freshet.Func(func(context.Context, string) (string, error) { return "", bad })})
			_, err := c.Get(bg, "k")
			require.ErrorAs(t, err, new(*freshet.FetchError))
			return err
		},
		"a bulk fetch": func(t *testing.T, bad error) error {
			c := open(t, config{Source: bulk{counting(), func([]freshet.Request[string]) (map[string]freshet.Response[string], error) {
				return nil, bad
			}}})
			_, err := c.GetMany(bg, []string{"k", "l"})
			mustGet(t, c, "k", "v1")
			return err
		},
		"a key of a bulk fetch": func(t *testing.T, bad error) error {
			c := open(t, config{Source: bulk{counting(), func([]freshet.Request[string]) (map[string]freshet.Response[string], error) {
				return map[string]freshet.Response[string]{"l": {Value: "L"}}, &freshet.ManyError{Errs: map[string]error{"k": bad}}
			}}})
			_, err := c.GetMany(bg, []string{"k", "l"})
			mustGet(t, c, "l", "L")
			return err
		},
		"a list": func(t *testing.T, bad error) error {
			c := open(t, config{Source: counting(), Lister: listerFunc(func() ([]freshet.Item[string], error) { return nil, bad })})
			_, err := c.Collection("").Get(bg)
			return err
		},
		"a commit": func(t *testing.T, bad error) error {
			c := serveWrites(t, counting(), obliging(), config{})
			m := mutate(c, "k", mutation{Commit: func(context.Context, string) (string, error) { return "", bad }})
			require.False(t, m.waiting())
			require.ErrorIs(t, m.err, freshet.ErrUnknown, "what it said nobody knows")
			gives(t, mutate(c, "k", appends("+b")), "v2+b")
			return m.err
		},
		"a commit that came late": func(t *testing.T, bad error) error {
			c := serveWrites(t, counting(), obliging(), config{Timeout: time.Second})
			m := mutate(c, "k", mutation{Commit: func(context.Context, string) (string, error) {
				time.Sleep(2 * time.Second)
				return "", bad
			}})
			time.Sleep(3 * time.Second)
			failsWith(t, m, freshet.ErrTimeout)
			gives(t, mutate(c, "k", appends("+b")), "v2+b")
			return nil
		},
		"a create": func(t *testing.T, bad error) error {
			w := &clerk{auto: func(int, *order) (string, string, error) { return "", "", bad }}
			c := serveWrites(t, counting(), w, config{})
			r := create(c, "v")
			require.False(t, r.waiting())
			return r.err
		},
		"an Apply": func(t *testing.T, bad error) error {
			w := obliging()
			c := serveWrites(t, counting(), w, config{})
			m := mutate(c, "k", mutation{Apply: func(string) (string, error) { return "", bad }})
			require.False(t, m.waiting())
			require.Zero(t, w.orders())
			return m.err
		},
		"a Store": func(t *testing.T, bad error) error {
			c := open(t, config{Source: counting(), Store: badStore{bad}})
			mustGet(t, c, "k", "v1")
			synctest.Wait()
			require.NoError(t, c.Remove(bg, "k"))
			_, err := c.InvalidatePrefix(bg, "")
			require.NoError(t, err)
			synctest.Wait()
			require.GreaterOrEqual(t, c.Stats().StoreErrors, uint64(3))
			mustGet(t, c, "k", "v2")
			return nil
		},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				err := call(t, wild())
				if name == "a Store" || name == "a commit that came late" {
					require.NoError(t, err)
					return
				}
				require.ErrorAs(t, err, new(*freshet.PanicError))
				require.NotPanics(t, func() { _ = err.Error() })
				require.NotErrorIs(t, err, freshet.ErrNotFound)
			})
		})
	}
}

// C4: also where it is what user code panicked with.
func TestC4_APanicWithAnErrorWhoseMethodsPanic(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serveWrites(t, &origin{auto: func(n int, r freshet.Request[string]) (freshet.Response[string], error) {
			if r.Key == "k" {
				panic(wild())
			}
			return freshet.Response[string]{Value: "v"}, nil
		}}, obliging(), config{})
		_, err := c.Get(bg, "k")
		require.ErrorAs(t, err, new(*freshet.PanicError))
		require.NotErrorIs(t, err, freshet.ErrNotFound)
		m := mutate(c, "l", mutation{Commit: func(context.Context, string) (string, error) { panic(wild()) }})
		require.False(t, m.waiting())
		require.ErrorIs(t, m.err, freshet.ErrUnknown)
		require.ErrorContains(t, m.err, "wildError")
	})
}

// leaver is an error that ends the goroutine of whoever looks into it.
type leaver struct{}

func (leaver) Error() string { return "boom" }
func (leaver) Is(error) bool { runtime.Goexit(); return false }

// C4: also where looking into it ends the goroutine that the panic would be told on.
func TestC4_APanicWithAnErrorWhoseMethodsCallGoexit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serveWrites(t, &origin{auto: func(n int, r freshet.Request[string]) (freshet.Response[string], error) {
			if r.Key == "k" {
				panic(leaver{})
			}
			return freshet.Response[string]{Value: "v"}, nil
		}}, obliging(), config{})
		_, err := c.Get(bg, "k")
		require.ErrorAs(t, err, new(*freshet.PanicError))
		m := mutate(c, "l", mutation{Apply: func(string) (string, error) { panic(leaver{}) }})
		require.False(t, m.waiting())
		require.ErrorAs(t, m.err, new(*freshet.PanicError))
	})
}

// A bulk call whose error is a nil *ManyError names no key: what it brought is
// good, the rest is fetched one by one.
func TestGetMany_AnErrorThatNamesNobody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := open(t, config{Source: bulk{counting(), func([]freshet.Request[string]) (map[string]freshet.Response[string], error) {
			var none *freshet.ManyError
			return map[string]freshet.Response[string]{"l": {Value: "L"}, "other": {Value: "O"}}, none
		}}})
		values, err := c.GetMany(bg, []string{"k", "l"})
		require.NoError(t, err)
		require.Equal(t, map[string]string{"k": "v1", "l": "L"}, values)
		require.Equal(t, 2, c.Len(), "nobody asked for the other")
	})
}

// listerFunc lists without looking at the query.
type listerFunc func() ([]freshet.Item[string], error)

func (f listerFunc) List(context.Context, string) ([]freshet.Item[string], error) { return f() }

// badStore answers everything with an error.
type badStore struct{ err error }

func (s badStore) Get(context.Context, string) (freshet.Record, error) {
	return freshet.Record{}, s.err
}
func (s badStore) Set(context.Context, string, freshet.Record) error     { return s.err }
func (s badStore) Delete(context.Context, string, time.Time) error       { return s.err }
func (s badStore) DeletePrefix(context.Context, string, time.Time) error { return s.err }
func (s badStore) Close() error                                          { return errors.ErrUnsupported }
