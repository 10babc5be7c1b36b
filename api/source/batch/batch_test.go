package batch_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/source/batch"
	"github.com/freshet-go/freshet/api/source/rest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	bg     = context.Background()
	errBad = errors.New("bad key")
)

type (
	request  = freshet.Request[string]
	response = freshet.Response[string]
	config   = batch.Config[string]
)

// origin keeps the calls that were made of it.
type origin struct {
	mu    sync.Mutex
	calls [][]string
	f     func(ctx context.Context, keys []string) (map[string]string, error)
}

func (o *origin) fetch(ctx context.Context, rs []request) (map[string]response, error) {
	return batch.Keys(func(ctx context.Context, keys []string) (map[string]string, error) {
		o.mu.Lock()
		o.calls = append(o.calls, keys)
		o.mu.Unlock()
		return o.f(ctx, keys)
	})(ctx, rs)
}

func (o *origin) made() [][]string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.calls)
}

func all(_ context.Context, keys []string) (map[string]string, error) {
	values := make(map[string]string)
	for _, key := range keys {
		values[key] = "v" + key
	}
	return values, nil
}

// failing fails every call that has a key of bad in it.
func failing(bad ...string) func(context.Context, []string) (map[string]string, error) {
	return func(ctx context.Context, keys []string) (map[string]string, error) {
		for _, key := range keys {
			if slices.Contains(bad, key) {
				return nil, fmt.Errorf("%w: %s", errBad, key)
			}
		}
		return all(ctx, keys)
	}
}

func bubble(t *testing.T, o *origin, c config, test func(t *testing.T, s *batch.Source[string])) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c.Fetch = o.fetch
		s, err := batch.New(c)
		require.NoError(t, err)
		defer func() {
			require.NoError(t, s.Close(bg))
			require.NoError(t, s.Close(bg), "twice is fine")
		}()
		test(t, s)
	})
}

type reply struct {
	v    response
	err  error
	at   time.Time
	done chan struct{}
}

func ask(ctx context.Context, s *batch.Source[string], key string) *reply {
	r := &reply{done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.v, r.err = s.Fetch(ctx, request{Key: key})
		r.at = time.Now()
	}()
	synctest.Wait() // so that they come in order
	return r
}

func names(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("%03d", i)
	}
	return keys
}

func TestDemandsWithinAWindowAreOneCall(t *testing.T) {
	o := &origin{f: all}
	bubble(t, o, config{}, func(t *testing.T, s *batch.Source[string]) {
		begun := time.Now()
		a := ask(bg, s, "a")
		time.Sleep(time.Millisecond - 1)
		b, again := ask(bg, s, "b"), ask(bg, s, "a")
		require.Empty(t, o.made())
		for _, r := range []*reply{a, b, again} {
			<-r.done
			require.NoError(t, r.err)
			require.Equal(t, time.Millisecond, r.at.Sub(begun))
		}
		require.Equal(t, "vb", b.v.Value)
		require.Equal(t, [][]string{{"a", "b"}}, o.made(), "one call, each key once")
		<-ask(bg, s, "a").done
		require.Len(t, o.made(), 2)
	})
}

func TestAFullBatchDoesNotWait(t *testing.T) {
	o := &origin{f: all}
	bubble(t, o, config{Max: 2, Window: time.Hour}, func(t *testing.T, s *batch.Source[string]) {
		begun := time.Now()
		a, b, c := ask(bg, s, "a"), ask(bg, s, "b"), ask(bg, s, "c")
		<-a.done
		<-b.done
		require.Zero(t, time.Since(begun))
		<-c.done
		require.Equal(t, time.Hour, time.Since(begun), "its own window")
		require.Equal(t, [][]string{{"a", "b"}, {"c"}}, o.made())
	})
}

// O0: whoever comes when the call has begun is in the next one.
func TestO0_NobodyJoinsACallThatHasBegun(t *testing.T) {
	gate := make(chan struct{})
	o := &origin{}
	o.f = func(ctx context.Context, keys []string) (map[string]string, error) {
		if len(o.made()) == 1 {
			<-gate
		}
		return all(ctx, keys)
	}
	synctest.Test(t, func(t *testing.T) {
		gate = make(chan struct{})
		s, err := batch.New(config{Fetch: o.fetch})
		require.NoError(t, err)
		first := ask(bg, s, "a")
		time.Sleep(2 * time.Millisecond)
		second := ask(bg, s, "a")
		<-second.done
		require.Len(t, o.made(), 2)
		close(gate)
		<-first.done
		require.NoError(t, s.Close(bg))
	})
}

// Behaviour 23: one bad key fails alone, at the price of a bisection; several
// at the price of Extra calls at most.
func TestABadKeyFailsAlone(t *testing.T) {
	keys := names(100)
	for _, bad := range [][]string{{"000"}, {"037"}, {"099"}, {"012", "013"}} {
		o := &origin{f: failing(bad...)}
		bubble(t, o, config{}, func(t *testing.T, s *batch.Source[string]) {
			replies := map[string]*reply{}
			for _, key := range keys {
				replies[key] = ask(bg, s, key)
			}
			for _, key := range keys {
				<-replies[key].done
				if slices.Contains(bad, key) {
					require.ErrorIs(t, replies[key].err, errBad)
				} else {
					require.NoError(t, replies[key].err, key)
				}
			}
			require.LessOrEqual(t, len(o.made()), 1+14)
		})
		// GetMany's way.
		o = &origin{f: failing(bad...)}
		bubble(t, o, config{}, func(t *testing.T, s *batch.Source[string]) {
			found, err := s.FetchMany(bg, requests(keys...))
			require.Len(t, found, 100-len(bad))
			var many *freshet.ManyError
			require.ErrorAs(t, err, &many)
			require.Len(t, many.Errs, len(bad))
		})
	}
}

// An origin that is down is not asked once for each key.
func TestAnOriginThatIsDownIsSpared(t *testing.T) {
	for _, c := range []struct {
		err   error
		extra int
		calls int
	}{
		{errBad, 0, 15},
		{errBad, -1, 1},
		{&rest.StatusError{Status: 503}, 0, 1},
		{&rest.StatusError{Status: 422}, 0, 15},
		{context.DeadlineExceeded, 0, 1},
	} {
		o := &origin{f: func(context.Context, []string) (map[string]string, error) { return nil, c.err }}
		bubble(t, o, config{Extra: c.extra}, func(t *testing.T, s *batch.Source[string]) {
			var replies []*reply
			for _, key := range names(100) {
				replies = append(replies, ask(bg, s, key))
			}
			for _, r := range replies {
				<-r.done
				require.ErrorIs(t, r.err, c.err)
			}
			require.Len(t, o.made(), c.calls)
		})
	}
}

func TestWhatAnAnswerLeavesOutIsAskedForOnceMore(t *testing.T) {
	only := func(keep string) func(context.Context, []string) (map[string]string, error) {
		return func(ctx context.Context, keys []string) (map[string]string, error) {
			if len(keys) == 1 {
				return all(ctx, keys)
			}
			return map[string]string{keep: "v" + keep}, nil
		}
	}
	o := &origin{f: only("a")}
	bubble(t, o, config{}, func(t *testing.T, s *batch.Source[string]) {
		a, b := ask(bg, s, "a"), ask(bg, s, "b")
		<-a.done
		<-b.done
		require.NoError(t, b.err)
		require.Equal(t, [][]string{{"a", "b"}, {"b"}}, o.made())
	})
	o = &origin{f: func(context.Context, []string) (map[string]string, error) { return nil, nil }}
	bubble(t, o, config{}, func(t *testing.T, s *batch.Source[string]) {
		a, b := ask(bg, s, "a"), ask(bg, s, "b")
		<-a.done
		<-b.done
		require.ErrorIs(t, a.err, batch.ErrUnanswered)
		require.NotErrorIs(t, b.err, freshet.ErrNotFound, "it is not thereby missing")
		require.Len(t, o.made(), 2)
		found, err := s.FetchMany(bg, requests("a"))
		require.NoError(t, err, "the cache asks again by itself")
		require.Empty(t, found)
	})
	bubble(t, o, config{AbsentIsMissing: true}, func(t *testing.T, s *batch.Source[string]) {
		a := ask(bg, s, "a")
		<-a.done
		require.ErrorIs(t, a.err, freshet.ErrNotFound)
		_, err := s.FetchMany(bg, requests("a"))
		require.ErrorIs(t, err, freshet.ErrNotFound)
	})
}

func TestAnErrorOfAKeyIsThatKeys(t *testing.T) {
	o := &origin{f: func(context.Context, []string) (map[string]string, error) {
		return map[string]string{"a": "va"}, &freshet.ManyError{Errs: map[string]error{"b": errBad, "c": freshet.ErrNotFound}}
	}}
	bubble(t, o, config{}, func(t *testing.T, s *batch.Source[string]) {
		a, b, c := ask(bg, s, "a"), ask(bg, s, "b"), ask(bg, s, "c")
		<-a.done
		<-b.done
		<-c.done
		require.NoError(t, a.err)
		require.ErrorIs(t, b.err, errBad)
		require.ErrorIs(t, c.err, freshet.ErrNotFound)
		require.Len(t, o.made(), 1)
	})
}

// C1, C3: who leaves does not disturb the rest; when all have left the call is
// cancelled, or never made.
func TestC1_MembersLeave(t *testing.T) {
	cancelled := make(chan error, 1)
	o := &origin{f: func(ctx context.Context, keys []string) (map[string]string, error) {
		select {
		case <-time.After(time.Second):
			return all(ctx, keys)
		case <-ctx.Done():
			cancelled <- context.Cause(ctx)
			return nil, ctx.Err()
		}
	}}
	bubble(t, o, config{}, func(t *testing.T, s *batch.Source[string]) {
		cancelled = make(chan error, 1)
		early, leaveEarly := context.WithCancelCause(bg)
		late, leaveLate := context.WithCancelCause(bg)
		a, b, c := ask(early, s, "a"), ask(late, s, "b"), ask(bg, s, "c")
		leaveEarly(freshet.ErrSuperseded)
		<-a.done
		require.ErrorIs(t, a.err, freshet.ErrSuperseded)
		time.Sleep(500 * time.Millisecond)
		leaveLate(freshet.ErrAbandoned)
		<-b.done
		require.ErrorIs(t, b.err, freshet.ErrAbandoned)
		<-c.done
		require.NoError(t, c.err)
		require.Equal(t, [][]string{{"b", "c"}}, o.made(), "who left before the call is not in it")

		ctx, leave := context.WithCancelCause(bg)
		a = ask(ctx, s, "a")
		leave(freshet.ErrSuperseded)
		<-a.done
		time.Sleep(time.Minute)
		require.Len(t, o.made(), 1, "nobody wanted it any more")

		ctx, leave = context.WithCancelCause(bg)
		a = ask(ctx, s, "a")
		time.Sleep(2 * time.Millisecond)
		leave(freshet.ErrSuperseded)
		<-a.done
		require.ErrorIs(t, <-cancelled, freshet.ErrSuperseded)

		_, err := s.Fetch(ctx, request{Key: "a"})
		require.ErrorIs(t, err, freshet.ErrSuperseded)
		require.Len(t, o.made(), 2, "whose context has ended does not join")
	})
}

func TestTheCallHasTheLatestDeadlineAndNoValues(t *testing.T) {
	type key struct{}
	var deadline time.Time
	var has bool
	o := &origin{f: func(ctx context.Context, keys []string) (map[string]string, error) {
		deadline, has = ctx.Deadline()
		if ctx.Value(key{}) != nil {
			return nil, errors.New("a member's value")
		}
		return all(ctx, keys)
	}}
	bubble(t, o, config{}, func(t *testing.T, s *batch.Source[string]) {
		ctx1, cancel1 := context.WithTimeout(context.WithValue(bg, key{}, 1), time.Minute)
		defer cancel1()
		ctx2, cancel2 := context.WithTimeout(bg, time.Hour)
		defer cancel2()
		a, b := ask(ctx1, s, "a"), ask(ctx2, s, "b")
		<-a.done
		<-b.done
		require.NoError(t, a.err)
		want, _ := ctx2.Deadline()
		require.True(t, has && want.Equal(deadline))
		a, b = ask(ctx1, s, "a"), ask(bg, s, "b")
		<-a.done
		<-b.done
		require.False(t, has)
	})
}

// C4: a panic or Goexit fails the members of its call, and no later one.
func TestC4_PanicAndGoexitFailTheMembers(t *testing.T) {
	for _, many := range []bool{false, true} {
		n := 0
		o := &origin{f: func(ctx context.Context, keys []string) (map[string]string, error) {
			switch n++; n {
			case 1:
				panic(errBad)
			case 2:
				runtime.Goexit()
			}
			return all(ctx, keys)
		}}
		bubble(t, o, config{}, func(t *testing.T, s *batch.Source[string]) {
			get := func() error {
				if many {
					_, err := s.FetchMany(bg, requests("a", "b"))
					return err
				}
				a, b := ask(bg, s, "a"), ask(bg, s, "b")
				<-a.done
				<-b.done
				require.Equal(t, a.err == nil, b.err == nil)
				return a.err
			}
			err := get()
			var panicked *freshet.PanicError
			require.ErrorAs(t, err, &panicked)
			require.ErrorIs(t, err, errBad)
			require.ErrorIs(t, get(), freshet.ErrGoexit)
			require.NoError(t, get())
		})
	}
}

func requests(keys ...string) []request {
	rs := make([]request, len(keys))
	for i, key := range keys {
		rs[i].Key = key
	}
	return rs
}

// GetMany of a cache goes straight through: no window, calls of Max keys.
func TestGetManyGoesStraightThrough(t *testing.T) {
	o := &origin{f: all}
	bubble(t, o, config{Window: time.Hour, Max: 10}, func(t *testing.T, s *batch.Source[string]) {
		c, err := freshet.New(freshet.Config[string]{Name: "test", Source: s})
		require.NoError(t, err)
		begun := time.Now()
		found, err := c.GetMany(bg, append(names(25), "000"))
		require.NoError(t, err)
		require.Len(t, found, 25)
		require.Zero(t, time.Since(begun))
		sizes := []int{}
		for _, call := range o.made() {
			sizes = append(sizes, len(call))
		}
		slices.Sort(sizes)
		require.Equal(t, []int{5, 10, 10}, sizes)
		require.NoError(t, c.Close(bg))
	})
}

// A key that two caches demand holding different values is asked for without
// a validator: Unchanged would mean two things.
func TestAKeyDemandedTwiceIsAskedForOnce(t *testing.T) {
	held := func(seq uint64, validator string) *freshet.Snapshot[string] {
		return &freshet.Snapshot[string]{Seq: seq, Validator: validator}
	}
	for _, c := range []struct {
		a, b *freshet.Snapshot[string]
		kept bool
	}{
		{nil, nil, true}, {held(1, "x"), held(1, "x"), true}, {held(1, "x"), held(2, "x"), false},
		{held(1, "x"), held(1, "y"), false}, {held(1, "x"), nil, false}, {nil, held(1, "x"), false},
	} {
		synctest.Test(t, func(t *testing.T) {
			var got []request
			s, err := batch.New(config{Fetch: func(_ context.Context, rs []request) (map[string]response, error) {
				got = rs
				return map[string]response{"k": {}}, nil
			}})
			require.NoError(t, err)
			var wg sync.WaitGroup
			for i, last := range []*freshet.Snapshot[string]{c.a, c.b} {
				wg.Go(func() { _, _ = s.Fetch(bg, request{Key: "k", Seq: uint64(i) + 1, Last: last}) })
			}
			wg.Wait()
			require.Len(t, got, 1)
			require.Equal(t, uint64(2), got[0].Seq)
			if c.kept {
				require.Equal(t, c.a, got[0].Last)
			} else {
				require.Nil(t, got[0].Last)
			}
			require.NoError(t, s.Close(bg))
		})
	}
}

func TestCloseFailsWhoWaitsAndWaitsForTheCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		deaf := make(chan struct{})
		s, err := batch.New(config{Fetch: func(context.Context, []request) (map[string]response, error) {
			<-deaf
			return nil, errBad
		}})
		require.NoError(t, err)
		inCall := ask(bg, s, "a")
		time.Sleep(2 * time.Millisecond)
		waiting := ask(bg, s, "b")
		ctx, cancel := context.WithTimeout(bg, time.Second)
		defer cancel()
		require.ErrorIs(t, s.Close(ctx), context.DeadlineExceeded, "the call ignores its context")
		for _, r := range []*reply{inCall, waiting} {
			<-r.done
			require.ErrorIs(t, r.err, freshet.ErrClosed)
		}
		_, err = s.Fetch(bg, request{Key: "a"})
		require.ErrorIs(t, err, freshet.ErrClosed)
		_, err = s.FetchMany(bg, requests("a"))
		require.ErrorIs(t, err, freshet.ErrClosed)
		close(deaf)
		require.NoError(t, s.Close(bg))
	})
}

func TestNewNamesEveryWrongField(t *testing.T) {
	_, err := batch.New(config{Window: -1, Max: -1})
	for _, field := range []string{"Fetch", "Window", "Max"} {
		require.ErrorContains(t, err, field)
	}
	_, err = batch.New(config{Fetch: batch.Keys[string](nil)})
	require.ErrorContains(t, err, "Fetch is required")
}

// Everybody gets an answer, each of the own key, whoever leaves meanwhile.
func TestStressBatch(t *testing.T) {
	s, err := batch.New(config{Max: 16, Window: 100 * time.Microsecond, Fetch: batch.Keys(
		func(ctx context.Context, keys []string) (map[string]string, error) {
			if slices.ContainsFunc(keys, func(key string) bool { return strings.HasSuffix(key, "7") }) {
				return nil, errBad
			}
			return all(ctx, keys)
		})})
	require.NoError(t, err)
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			for j := range 100 {
				ctx, cancel := context.WithCancel(bg)
				if j%5 == 0 {
					time.AfterFunc(50*time.Microsecond, cancel)
				}
				key := fmt.Sprint(i*100 + j)
				r, err := s.Fetch(ctx, request{Key: key})
				if err == nil && r.Value != "v"+key {
					t.Errorf("%q for %q", r.Value, key)
				}
				if err != nil && !errors.Is(err, errBad) && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				cancel()
			}
		})
	}
	wg.Wait()
	require.NoError(t, s.Close(bg))
}

func TestFetchManyAsksForAKeyOnce(t *testing.T) {
	o := &origin{f: all}
	bubble(t, o, config{}, func(t *testing.T, s *batch.Source[string]) {
		found, err := s.FetchMany(bg, requests("a", "b", "a"))
		require.NoError(t, err)
		require.Len(t, found, 2)
		require.Equal(t, [][]string{{"a", "b"}}, o.made())
		found, err = s.FetchMany(bg, nil)
		require.NoError(t, err)
		require.Empty(t, found)
		require.Len(t, o.made(), 1)
	})
}
