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

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/source/batch"
)

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
