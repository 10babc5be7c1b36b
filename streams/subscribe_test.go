package streams_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/streams"
)

func TestSubscribeNamesEveryWrongOption(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{})
	_, err := c.Subscribe(t.Context(), nil, streams.Keys("", "a"), streams.Prefix("p"), streams.Kinds(), streams.Kinds(200, 0),
		streams.OnOverflow(9), streams.Refresh(-time.Second), streams.WithSnapshot(), streams.Since("rubbish"))
	require.ErrorIs(t, err, streams.ErrToken)
	for _, part := range []string{
		"toy: subscribe", "option 0 is nil", "the empty key", "Keys and Prefix", "Kinds: none", "Kind(200)", "None is no kind",
		"Overflow(9)", "-1s", "Refresh needs Live", "WithSnapshot and Since",
	} {
		require.ErrorContains(t, err, part)
	}
	require.Equal(t, 1, strings.Count(err.Error(), "freshet: "), "it is said once whose error it is: %v", err)

	_, err = c.Subscribe(t.Context(), streams.Keys())
	require.ErrorContains(t, err, "Keys: none given")
	_, err = c.Subscribe(t.Context(), streams.Live())
	require.ErrorIs(t, err, streams.ErrLiveNeedsKeys)
	_, err = c.Subscribe(t.Context(), streams.Live(), streams.Keys("k"))
	require.ErrorContains(t, err, "Live: this log")
	bare := newLog(t, streams.LogConfig[int]{})
	_, err = bare.Subscribe(t.Context(), streams.WithSnapshot(), streams.OnOverflow(streams.Resync))
	require.ErrorContains(t, err, "WithSnapshot: this log")
	require.ErrorContains(t, err, "Resync")
	require.Zero(t, c.Stats().Subscriptions)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Subscribe(ctx)
	require.ErrorIs(t, err, context.Canceled)
}

func TestFiltersAddUp(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{})
	keys := subscribe(t, c, streams.Keys("a", "b", "a"), streams.Keys("c"), streams.Kinds(streams.Updated), streams.Kinds(streams.Failed))
	prefix := subscribe(t, c, streams.Prefix("x"), streams.Prefix("b"), streams.Since(""))
	all := subscribe(t, c, streams.Prefix(""))
	for i, key := range []string{"a", "b", "bb", "c", "d"} {
		c.set(key, i)
		c.remove(key)
	}
	c.change(streams.Event[int]{Key: "c", Kind: streams.Failed})
	require.Equal(t, []uint64{1, 3, 7, 11}, revisions(t, keys, 4))
	require.Equal(t, []uint64{3, 4, 5, 6}, revisions(t, prefix, 4))
	require.Equal(t, upTo(1, 11), revisions(t, all, 11))
}

// Every kind of a resource can be asked for, alone; the names are those of the design.
func TestEveryKindIsFilteredByItself(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{})
	var names []string
	only := make(map[streams.Kind]*streams.Subscription[int])
	for _, kind := range changes() {
		names = append(names, kind.String())
		only[kind] = subscribe(t, c, streams.Kinds(kind))
	}
	require.Equal(t, "Loaded Updated Revalidated Invalidated Expired Failed Missing Dropped Optimistic Committed RolledBack "+
		"Created Deleted Evicted", strings.Join(names, " "))
	for _, kind := range changes() {
		c.change(streams.Event[int]{Key: "k", Kind: kind})
	}
	c.Close()
	for kind, s := range only {
		for e, err := range s.Events() {
			if err != nil {
				require.ErrorIs(t, err, streams.ErrClosed)
				break
			}
			require.Equal(t, kind, e.Kind)
			require.EqualValues(t, kind, e.Revision, "the first kind is 1")
			delete(only, kind)
		}
	}
	require.Empty(t, only)
}

func TestS6_WatchRegistersBeforeItReturns(t *testing.T) { // behaviour 36
	for i := range 500 {
		c := newToy(t, streams.LogConfig[int]{})
		var opts []streams.Option
		if i%2 == 1 {
			opts = append(opts, streams.Keys("k"))
		}
		if i%4 > 1 {
			opts = append(opts, streams.OnOverflow(streams.DropOldest))
		}
		ctx, cancel := context.WithCancel(t.Context())
		typed := subscribe(t, c, opts...)
		rx := c.Observable(opts...)
		early := rx.Observe(rxgo.WithContext(ctx))
		want := c.set("k", i)
		late := rx.Observe(rxgo.WithContext(ctx))
		require.Equal(t, want, next(t, typed).Revision)
		require.Equal(t, want, (<-early).V.(streams.Event[int]).Revision)
		require.Equal(t, want, (<-late).V.(streams.Event[int]).Revision)
		cancel()
		for range early {
		}
		for range late {
		}
	}
}

func TestS11_LiveObservesForAsLongAsItLasts(t *testing.T) {
	type call struct {
		keys    []string
		refresh time.Duration
	}
	var calls []call
	released := 0
	var l *streams.Log[int]
	cfg := streams.LogConfig[int]{Cache: "live", Observe: func(keys []string, refresh time.Duration) (func(), error) {
		if keys[0] == "bad" {
			return nil, errors.New("no such luck")
		}
		calls = append(calls, call{keys, refresh})
		l.Append(&streams.Event[int]{Key: keys[0], Kind: streams.Loaded}, 0, nil) // what observing sets off is delivered
		return func() { released++ }, nil
	}}
	l = newLog(t, cfg)
	ctx, cancel := context.WithCancel(t.Context())
	a, err := l.Subscribe(ctx, streams.Keys("a", "b"), streams.Live())
	require.NoError(t, err)
	b := subscribe(t, l, streams.Keys("b"), streams.Live(), streams.Refresh(time.Minute))
	require.Equal(t, []call{{[]string{"a", "b"}, 0}, {[]string{"b"}, time.Minute}}, calls)
	require.Equal(t, streams.Loaded, next(t, a).Kind)
	require.Equal(t, streams.Loaded, next(t, b).Kind)
	require.Zero(t, released)
	b.Close()
	b.Close()
	require.Equal(t, 1, released)
	cancel()
	_, err = a.Next(context.Background())
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 2, released)

	_, err = l.Subscribe(t.Context(), streams.Keys("bad"), streams.Live())
	require.ErrorContains(t, err, "live: observe: no such luck")
	require.Zero(t, l.Stats().Subscriptions)
}

func TestS10_ContextEndsAWaitAndASubscription(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newToy(t, streams.LogConfig[int]{})
		boom := errors.New("boom")
		ctx, cancel := context.WithCancelCause(t.Context())
		s, err := c.Subscribe(ctx)
		require.NoError(t, err)

		wait, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		_, err = s.Next(wait)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NoError(t, s.Err(), "only the wait ended")
		c.set("k", 1)
		_, err = s.Next(wait)
		require.ErrorIs(t, err, context.DeadlineExceeded, "an ended context is told first")
		require.EqualValues(t, 1, next(t, s).Revision)

		time.AfterFunc(time.Second, func() { cancel(boom) })
		_, err = s.Next(t.Context())
		require.ErrorIs(t, err, boom)
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, err, s.Err())
		synctest.Wait()
		require.Zero(t, c.Stats().Subscriptions)

		// It is noticed at once, with events still to be had, and by a subscription that nobody reads.
		ctx, cancel = context.WithCancelCause(t.Context())
		s, err = c.Subscribe(ctx)
		require.NoError(t, err)
		unread, err := c.Subscribe(ctx, streams.Keys("k"))
		require.NoError(t, err)
		for i := range 10 {
			c.set("k", i)
		}
		next(t, s)
		cancel(nil)
		_, err = s.Next(t.Context())
		require.ErrorIs(t, err, context.Canceled)
		synctest.Wait()
		require.ErrorIs(t, unread.Err(), context.Canceled)
		require.Zero(t, c.Stats().Subscriptions)
	})
}

func TestNextFromSeveralGoroutinesSharesTheEvents(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{History: 1 << 14})
	s := subscribe(t, c)
	const n = 5000
	var mu sync.Mutex
	seen := make(map[uint64]int)
	ctx, cancel := context.WithCancel(t.Context())
	take := func(at *uint64, e streams.Event[int]) {
		if e.Revision <= *at {
			t.Errorf("revision %d after %d in one goroutine", e.Revision, *at)
		}
		*at = e.Revision
		mu.Lock()
		defer mu.Unlock()
		if seen[e.Revision]++; len(seen) == n {
			cancel()
		}
	}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			var at uint64
			for {
				e, err := s.Next(ctx)
				if err != nil {
					return
				}
				take(&at, e)
			}
		})
		wg.Go(func() {
			var at uint64
			for e, err := range s.Events() {
				if err != nil {
					t.Error(err)
				}
				if take(&at, e); ctx.Err() != nil {
					return
				}
			}
		})
	}
	wg.Go(func() {
		for i := range n {
			c.set("k", i)
			_ = s.Token()
		}
		<-ctx.Done()
		s.Close()
	})
	wg.Wait()
	require.Len(t, seen, n)
	for revision, times := range seen {
		require.Equal(t, 1, times, "revision %d", revision)
	}
}

func TestS10_LeavingTheLoopFreesEverything(t *testing.T) { // behaviour 38
	c := newToy(t, streams.LogConfig[int]{})
	leave := map[string]func(*streams.Subscription[int]){
		"break": func(s *streams.Subscription[int]) {
			for range s.Events() {
				break
			}
		},
		"panic": func(s *streams.Subscription[int]) {
			defer func() { _ = recover() }()
			for range s.Events() {
				panic("handler")
			}
		},
		"close within": func(s *streams.Subscription[int]) {
			n := 0
			for _, err := range s.Events() {
				require.NoError(t, err, "one's own Close is no error")
				s.Close()
				n++
			}
			require.Equal(t, 1, n)
		},
	}
	for name, f := range leave {
		other := subscribe(t, c)
		s := subscribe(t, c, streams.Keys("k"))
		for i := range 100 {
			c.set("k", i)
		}
		f(s)
		require.ErrorIs(t, s.Err(), streams.ErrClosed, name)
		require.Len(t, revisions(t, other, 100), 100, "nobody else is disturbed")
		other.Close()
		require.Zero(t, c.Stats().Subscriptions, name)
	}
	s := subscribe(t, c)
	s.Close()
	for range s.Events() {
		t.Error("nothing is to come after Close")
	}
}

func TestEventsTellsTheCauseAsItsLastPair(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{History: 2})
	s := subscribe(t, c)
	for i := range 3 {
		c.set("k", i)
	}
	for range 2 {
		pairs := 0
		for e, err := range s.Events() {
			pairs++
			require.Zero(t, e)
			require.ErrorIs(t, err, streams.ErrLagged)
		}
		require.Equal(t, 1, pairs)
	}
}
