package api_test

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"sync/atomic"
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

// meddler is an error whose Is does something.
type meddler func(target error)

func (meddler) Error() string          { return "refused" }
func (f meddler) Is(target error) bool { f(target); return false }

// C4: an error is looked into where user code may run. What its methods do there
// fails the operation that returned it: they may call the cache, for that very
// key, and one that does not return, or panics over another target than the
// first, holds neither the key nor the program.
func TestC4_AnErrorWhoseMethodsDoAnything(t *testing.T) {
	var c *freshet.Cache[string]
	over := func(what error, do func()) meddler {
		return func(target error) {
			if target == what {
				do()
			}
		}
	}
	for name, bad := range map[string]struct {
		err     func() error
		want    error // nil: what err is
		unknown bool
	}{
		"calls the cache": {func() error {
			return meddler(func(error) {
				require.NoError(t, c.Expire(bg, "k"))
				_, _ = c.Peek("k")
			})
		}, nil, false},
		"blocks over ErrUnknown":  {func() error { return over(freshet.ErrUnknown, func() { time.Sleep(time.Hour) }) }, freshet.ErrTimeout, true},
		"panics over ErrUnknown":  {func() error { return over(freshet.ErrUnknown, func() { panic("a bug") }) }, freshet.ErrUnknown, true},
		"exits over ErrUnknown":   {func() error { return over(freshet.ErrUnknown, runtime.Goexit) }, freshet.ErrGoexit, true},
		"blocks over ErrNotFound": {func() error { return over(freshet.ErrNotFound, func() { time.Sleep(time.Hour) }) }, freshet.ErrTimeout, true},
		"panics over ErrNotFound, the second time": {func() error {
			n := 0
			return over(freshet.ErrNotFound, func() {
				if n++; n > 1 {
					panic("a bug")
				}
			})
		}, freshet.ErrUnknown, true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c = serveWrites(t, counting(), obliging(), config{
					Lister: listerFunc(func() ([]freshet.Item[string], error) { return nil, nil }),
				})
				_, err := c.Collection("").Get(bg)
				require.NoError(t, err)
				mustGet(t, c, "k", "v1")
				err = bad.err()
				m := mutate(c, "k", mutation{Commit: func(context.Context, string) (string, error) { return "", err }})
				time.Sleep(time.Minute)
				require.False(t, m.waiting())
				var failed *freshet.WriteError
				require.ErrorAs(t, m.err, &failed)
				require.Equal(t, bad.unknown, failed.Unknown)
				if bad.want == nil {
					require.EqualError(t, failed.Err, "refused")
				} else {
					require.ErrorIs(t, failed, bad.want)
				}
				gives(t, update(c, "k", "next"), "next")
				mustGet(t, c, "k", "next")
				time.Sleep(2 * time.Hour)
			})
		})
	}
}

// C4: those of a Store's errors hold no worker: other records are written.
func TestC4_AStoresErrorWhoseMethodsDoNotReturn(t *testing.T) {
	for name, do := range map[string]func(){
		"block": func() { time.Sleep(time.Hour) },
		"panic": func() { panic("a bug") },
		"exit":  runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				bad := meddler(func(target error) {
					if target == context.DeadlineExceeded {
						do()
					}
				})
				var kept atomic.Bool
				c := open(t, config{Source: counting(), Store: setStore{badStore{freshet.ErrNotFound}, func(key string) error {
					if key == "good" {
						kept.Store(true)
						return nil
					}
					return bad
				}}})
				for i := range 100 {
					mustGet(t, c, strconv.Itoa(i), "v1")
				}
				mustGet(t, c, "good", "v1")
				time.Sleep(time.Minute)
				require.True(t, kept.Load())
				time.Sleep(2 * time.Hour)
			})
		})
	}
}

// setStore is a badStore but for Set.
type setStore struct {
	badStore
	set func(key string) error
}

func (s setStore) Set(_ context.Context, key string, _ freshet.Record) error { return s.set(key) }
