package api_test

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

func TestD1_AColdResourceAsksItsStoreFirstAndAStoredValueKeepsItsAge(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newShelf()
		o := &origin{auto: func(_ int, r freshet.Request[string]) (freshet.Response[string], error) {
			return freshet.Response[string]{Value: "v", Validator: "e1", Tags: []string{"t"}}, nil
		}}
		fresh := freshet.Freshness{TTL: time.Minute}
		first := shelved(t, o, s, config{Freshness: fresh})
		mustGet(t, first, "a", "v")
		synctest.Wait()
		require.NoError(t, first.Close(bg))

		time.Sleep(20 * time.Second)
		o2 := &origin{auto: func(_ int, r freshet.Request[string]) (freshet.Response[string], error) {
			require.NotNil(t, r.Last, "the stored value is there for a conditional request")
			require.Equal(t, "e1", r.Last.Validator)
			return freshet.Response[string]{Unchanged: true}, nil
		}}
		second := shelved(t, o2, s, config{Freshness: fresh})
		before := time.Now()
		snap, err := second.Lookup(bg, "a")
		require.NoError(t, err)
		require.Equal(t, "v", snap.Value)
		require.Equal(t, freshet.Fresh, snap.State)
		require.Equal(t, before.Add(-20*time.Second).UnixNano(), snap.At.UnixNano(), "its age is kept")
		require.Zero(t, o2.calls())
		require.EqualValues(t, 1, second.Stats().StoreHits)

		time.Sleep(40*time.Second - 1)
		mustGet(t, second, "a", "v")
		require.Zero(t, o2.calls())
		time.Sleep(1) // a minute after it was read
		mustGet(t, second, "a", "v")
		require.Equal(t, 1, o2.calls(), "revalidated with its validator")
		n, err := second.InvalidateTag(bg, "t")
		require.NoError(t, err)
		require.Equal(t, 1, n, "it kept its tags")
	})
}

// A record that is 30 s old, asked for by those who do not take every age. One
// future answers all who wait for a look-up: the pickiest decides.
func TestD1_MaxAgeTakesAStoredValueThatIsYoungEnough(t *testing.T) {
	maxAge := func(d time.Duration) []freshet.FetchOption { return []freshet.FetchOption{freshet.MaxAge(d)} }
	for name, ask := range map[string]struct {
		first, second []freshet.FetchOption
		lookUps       int
		want          string
	}{
		"younger":                 {maxAge(30*time.Second + 1), nil, 1, "v1"},
		"as old":                  {maxAge(30 * time.Second), nil, 1, "v2"},
		"MaxAge(0)":               {maxAge(0), nil, 0, "v2"},
		"ForceReload":             {[]freshet.FetchOption{freshet.ForceReload()}, nil, 0, "v2"},
		"a pickier one joins":     {nil, maxAge(time.Second), 1, "v2"},
		"a less picky one joins":  {maxAge(time.Second), maxAge(time.Hour), 1, "v2"},
		"one that may have joins": {nil, maxAge(time.Hour), 1, "v1"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s, o := newShelf(), counting()
				first := shelved(t, o, s, config{Freshness: freshet.Freshness{TTL: time.Minute}})
				mustGet(t, first, "a", "v1")
				synctest.Wait()
				require.NoError(t, first.Close(bg))
				time.Sleep(30 * time.Second)

				second := shelved(t, o, s, config{Freshness: freshet.Freshness{TTL: time.Minute}})
				asked, open := s.count("get a"), make(chan struct{})
				s.set(func(context.Context, string) error { <-open; return nil })
				one := get(second, "a", ask.first...)
				synctest.Wait()
				two := get(second, "a", ask.second...)
				synctest.Wait()
				close(open)
				gives(t, one, ask.want)
				gives(t, two, ask.want)
				require.Equal(t, ask.lookUps, s.count("get a")-asked)
			})
		})
	}
}

func TestD1_AStoredValueThatIsTooOldIsConfirmedByTheOrigin(t *testing.T) {
	for name, stale := range map[string]time.Duration{"refused": 0, "stale while revalidate": time.Hour} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s, o := newShelf(), counting()
				fresh := freshet.Freshness{TTL: time.Second, Stale: stale}
				first := shelved(t, o, s, config{Freshness: fresh})
				mustGet(t, first, "a", "v1")
				synctest.Wait()
				require.NoError(t, first.Close(bg))
				time.Sleep(time.Minute)

				second := shelved(t, o, s, config{Freshness: fresh})
				want := "v2"
				if stale > 0 {
					want = "v1" // at once, while it is refreshed
				}
				mustGet(t, second, "a", want)
				require.Equal(t, 2, o.calls())
				mustGet(t, second, "a", "v2")
			})
		})
	}
}

func TestD1_AReloadDoesNotAskTheStore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, o := newShelf(), counting()
		c := shelved(t, o, s, config{})
		v, err := c.Reload(bg, "a").Await(bg)
		require.NoError(t, err)
		require.Equal(t, "v1", v)
		require.Zero(t, s.count("get"))
	})
}

func TestD2_AStoreThatFailsCostsACountedMissAndNothingElse(t *testing.T) {
	for name, fault := range map[string]func(context.Context, string) error{
		"error":  func(context.Context, string) error { return errors.New("disk on fire") },
		"panic":  func(context.Context, string) error { panic("store") },
		"goexit": func(context.Context, string) error { runtime.Goexit(); return nil },
		"hangs until cancelled": func(ctx context.Context, _ string) error {
			<-ctx.Done()
			return ctx.Err()
		},
		"hangs for ever": func(context.Context, string) error {
			time.Sleep(time.Hour)
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s, o := newShelf(), counting()
				s.before = fault
				c := shelved(t, o, s, config{StoreTimeout: time.Second})
				start := time.Now()
				mustGet(t, c, "a", "v1")
				require.LessOrEqual(t, time.Since(start), time.Second, "at most its own timeout")
				start = time.Now()
				mustGet(t, c, "a", "v1")
				require.Zero(t, time.Since(start), "nothing to a hit")
				time.Sleep(2 * time.Second)
				require.GreaterOrEqual(t, c.Stats().StoreErrors, uint64(2), "the look-up and the write are counted")
				time.Sleep(2 * time.Hour)
			})
		})
	}
}

func TestD2_GarbageInTheStoreIsAMiss(t *testing.T) {
	for name, value := range map[string][]byte{
		"nothing":         nil,
		"short":           {1, 2},
		"corrupt JSON":    append(make([]byte, 0), 1, 0, 0, 0, 0, 0, 0, 1, 0, '{', '"'),
		"newer format":    append([]byte{2}, make([]byte, 20)...),
		"TTL of nonsense": {1, 255, 255, 255, 255, 255, 255, 255, 255, '"', 'x', '"'},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s, o := newShelf(), counting()
				s.records["a"] = freshet.Record{Value: value, ReadAt: time.Now()}
				c := shelved(t, o, s, config{})
				mustGet(t, c, "a", "v1")
				require.EqualValues(t, 1, c.Stats().StoreErrors)
			})
		})
	}
}

func TestD3_AnExpiredRecordIsAMiss(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, o := newShelf(), counting()
		first := shelved(t, o, s, config{Freshness: freshet.Freshness{TTL: time.Second}})
		mustGet(t, first, "a", "v1")
		synctest.Wait()
		require.NoError(t, first.Close(bg))
		require.False(t, s.records["a"].ExpiresAt.IsZero(), "expiry is part of the one write")
		time.Sleep(24 * time.Hour)
		second := shelved(t, o, s, config{Freshness: freshet.Freshness{TTL: time.Second, Stale: 48 * time.Hour}})
		mustGet(t, second, "a", "v2")
	})
}

func TestD2_AStoreThatHangsCostsOneTimeoutHoweverManyAsk(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, o := newShelf(), counting()
		s.before = func(ctx context.Context, call string) error {
			if strings.HasPrefix(call, "get") {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}
		c := shelved(t, o, s, config{StoreTimeout: time.Second})
		start := time.Now()
		values, err := c.GetMany(bg, keysOf(1000))
		require.NoError(t, err)
		require.Len(t, values, 1000)
		require.LessOrEqual(t, time.Since(start), time.Second)

		s.set(nil) // it is well again, and found out within a timeout
		time.Sleep(time.Second + 1)
		mustGet(t, c, "x", "v1")
		gets := s.count("get")
		mustGet(t, c, "y", "v1")
		mustGet(t, c, "z", "v1")
		require.Equal(t, gets+2, s.count("get"))
	})
}

func TestD1_AHundredThousandLookUpsWaitTheirTurn(t *testing.T) {
	s, o := newShelf(), counting()
	const n = 100_000
	keys := make([]string, n)
	first := shelved(t, o, s, config{Name: "first"})
	for i := range keys {
		keys[i] = "key-" + strconv.Itoa(i)
		require.NoError(t, first.Set(bg, keys[i], "set"))
	}
	require.NoError(t, first.Close(bg))
	second := shelved(t, o, s, config{Name: "second", StoreTimeout: 10 * time.Second})
	values, err := second.GetMany(bg, keys)
	require.NoError(t, err)
	require.Len(t, values, n)
	require.EqualValues(t, n, second.Stats().StoreHits)
	require.Zero(t, second.Stats().Flights)
}
