package resilient_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/hedgepolicy"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"github.com/failsafe-go/failsafe-go/timeout"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/source/resilient"
	"github.com/freshet-go/freshet/api/source/rest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	bg      = context.Background()
	errDown = errors.New("the origin is down")
)

type (
	request  = freshet.Request[string]
	response = freshet.Response[string]
	item     = freshet.Item[string]
)

// script answers its nth call with the nth step, the last for ever.
type script struct {
	calls atomic.Int64
	steps []func(ctx context.Context) (response, error)
}

func (s *script) Fetch(ctx context.Context, _ request) (response, error) {
	n := int(s.calls.Add(1))
	return s.steps[min(n, len(s.steps))-1](ctx)
}

func ok(context.Context) (response, error) { return response{Value: "v"}, nil }
func fails(err error) func(context.Context) (response, error) {
	return func(context.Context) (response, error) { return response{}, err }
}

func scripted(steps ...func(context.Context) (response, error)) *script { return &script{steps: steps} }

func TestDefaultsTryAgainWhatMayFareBetter(t *testing.T) {
	for _, c := range []struct {
		err   error
		calls int64
	}{
		{errDown, 3},
		{context.DeadlineExceeded, 3},
		{freshet.ErrTimeout, 3},
		{&rest.StatusError{Status: 503}, 3},
		{&rest.StatusError{Status: 500}, 3},
		{&rest.StatusError{Status: 429}, 3},
		{&rest.StatusError{Status: 408}, 3},
		{fmt.Errorf("wrapped: %w", &rest.StatusError{Status: 400}), 1},
		{&rest.StatusError{Status: 403}, 1},
		{&rest.StatusError{Status: 404}, 1},
		{&rest.StatusError{Status: 410}, 1},
		{freshet.ErrNotFound, 1},
		{fmt.Errorf("no user 42: %w", freshet.ErrNotFound), 1},
		{freshet.ErrBadKey, 1},
		{context.Canceled, 1},
		{freshet.ErrSuperseded, 1},
		{&rest.BodyError{Why: "it is HTML"}, 1},
		{&rest.StatusError{Status: 503, RetryAfter: time.Minute}, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := scripted(fails(c.err))
			_, err := resilient.Source[string](s, resilient.Defaults[string]()...).Fetch(bg, request{Key: "k"})
			require.ErrorIs(t, err, c.err)
			require.Equal(t, c.calls, s.calls.Load(), "%v", c.err)
		})
	}
}

func TestTheWaitGrowsAndHonoursRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 50 {
			var at []time.Duration
			begun := time.Now()
			note := func(err error) func(context.Context) (response, error) {
				return func(context.Context) (response, error) {
					at = append(at, time.Since(begun))
					return response{Value: "v"}, err
				}
			}
			s := scripted(note(errDown), note(&rest.StatusError{Status: 503, RetryAfter: 2 * time.Second}), note(nil))
			_, err := resilient.Source[string](s, resilient.Defaults[string]()...).Fetch(bg, request{})
			require.NoError(t, err)
			require.Len(t, at, 3)
			require.GreaterOrEqual(t, at[1], 50*time.Millisecond)
			require.LessOrEqual(t, at[1], 100*time.Millisecond)
			require.GreaterOrEqual(t, at[2]-at[1], 2*time.Second+100*time.Millisecond, "never before Retry-After")
			require.LessOrEqual(t, at[2]-at[1], 2*time.Second+200*time.Millisecond)
		}
	})
}

// To wait for longer than there is time only makes the failure late.
func TestARetryThatWouldComeTooLateIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scripted(fails(&rest.StatusError{Status: 503, RetryAfter: 3 * time.Second}))
		ctx, cancel := context.WithTimeout(bg, 2*time.Second)
		defer cancel()
		begun := time.Now()
		_, err := resilient.Source[string](s, resilient.Defaults[string]()...).Fetch(ctx, request{})
		var status *rest.StatusError
		require.ErrorAs(t, err, &status)
		require.Zero(t, time.Since(begun))
	})
}

// C4: a panic or Goexit fails its own try, and leaves bulkhead and breaker as
// they were; under a hedge it would otherwise end the process.
func TestC4_APanicLeavesThePoliciesAsTheyWere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		panics := func(context.Context) (response, error) { panic(errDown) }
		exits := func(context.Context) (response, error) { runtime.Goexit(); panic("unreachable") }
		s := scripted(panics, exits, panics, exits, ok)
		breaker := circuitbreaker.NewBuilder[response]().WithFailureThreshold(100).Build()
		src := resilient.Source[string](s, hedgepolicy.NewWithDelay[response](time.Hour), bulkhead.New[response](1), breaker)
		for range 2 {
			_, err := src.Fetch(bg, request{})
			var panicked *freshet.PanicError
			require.ErrorAs(t, err, &panicked)
			require.ErrorIs(t, err, errDown)
			_, err = src.Fetch(bg, request{})
			require.ErrorIs(t, err, freshet.ErrGoexit)
		}
		r, err := src.Fetch(bg, request{})
		require.NoError(t, err)
		require.Equal(t, "v", r.Value)
		require.Equal(t, uint(4), breaker.Metrics().Failures())
	})
}

func TestTheBreakerOpensForTheOriginsTroubleAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		steps := []func(context.Context) (response, error){}
		for range 50 {
			steps = append(steps, fails(freshet.ErrNotFound), fails(&rest.StatusError{Status: 403}), fails(context.Canceled))
		}
		s := scripted(append(steps, fails(&rest.StatusError{Status: 502}))...)
		breaker := resilient.Breaker[response]()
		src := resilient.Source[string](s, breaker)
		for range 150 {
			_, err := src.Fetch(bg, request{})
			require.Error(t, err)
			require.True(t, breaker.IsClosed())
		}
		time.Sleep(time.Minute)
		for n := 0; breaker.IsClosed(); n++ {
			require.Less(t, n, 20)
			_, _ = src.Fetch(bg, request{})
		}
		before := s.calls.Load()
		_, err := src.Fetch(bg, request{})
		require.ErrorIs(t, err, circuitbreaker.ErrOpen)
		require.Equal(t, before, s.calls.Load(), "an open breaker spares the origin")
		require.False(t, resilient.Retryable(err))
	})
}

// Within a flight's time there is none to wait as long as such an origin asks.
func TestTheBreakerOpensForAnOriginThatAsksForMoreTimeThanThereIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scripted(fails(&rest.StatusError{Status: 503, RetryAfter: 2 * time.Minute}))
		source := resilient.Source[string](s, resilient.Defaults[string]()...)
		fetch := func() error {
			ctx, cancel := context.WithTimeout(bg, 10*time.Second)
			defer cancel()
			_, err := source.Fetch(ctx, request{Key: "k"})
			return err
		}
		for range resilient.BreakCalls {
			require.ErrorAs(t, fetch(), new(*rest.StatusError))
		}
		require.ErrorIs(t, fetch(), circuitbreaker.ErrOpen)
		require.EqualValues(t, resilient.BreakCalls, s.calls.Load(), "and none was tried again")
	})
}

// A probe that is cut short proves nothing.
func TestAProbeThatIsCutShortDoesNotCloseTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scripted(fails(freshet.ErrSuperseded))
		breaker := resilient.Breaker[response]()
		src := resilient.Source[string](s, breaker)
		breaker.Open()
		time.Sleep(resilient.BreakFor)
		for range 5 {
			_, _ = src.Fetch(bg, request{})
			require.False(t, breaker.IsClosed())
		}
		s.steps = []func(context.Context) (response, error){ok}
		time.Sleep(resilient.BreakFor)
		for range resilient.BreakProbes {
			_, err := src.Fetch(bg, request{})
			require.NoError(t, err)
		}
		require.True(t, breaker.IsClosed())
	})
}

func TestWhatAPolicySaysIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := func(ctx context.Context) (response, error) { <-ctx.Done(); return response{}, context.Cause(ctx) }
		_, err := resilient.Source[string](scripted(hang), timeout.New[response](time.Second)).Fetch(bg, request{})
		require.ErrorIs(t, err, timeout.ErrExceeded)
		_, err = resilient.Source[string](scripted(fails(errDown)), retrypolicy.NewWithDefaults[response]()).Fetch(bg, request{})
		require.ErrorIs(t, err, retrypolicy.ErrExceeded)
		require.ErrorIs(t, err, errDown)
		full := bulkhead.New[response](1)
		require.True(t, full.TryAcquirePermit())
		_, err = resilient.Source[string](scripted(ok), full).Fetch(bg, request{})
		require.ErrorIs(t, err, bulkhead.ErrFull)
		// The cause of a context that ended, which failsafe does not know.
		ctx, cancel := context.WithCancelCause(bg)
		time.AfterFunc(time.Second, func() { cancel(freshet.ErrSuperseded) })
		_, err = resilient.Source[string](scripted(hang), resilient.Defaults[string]()...).Fetch(ctx, request{})
		require.ErrorIs(t, err, freshet.ErrSuperseded)
	})
}

func TestNothingAroundNothing(t *testing.T) {
	s := scripted(ok)
	require.Same(t, s, resilient.Source[string](s))
	require.Nil(t, resilient.Source[string](nil, resilient.Defaults[string]()...))
	require.Nil(t, resilient.Writer[string](nil, resilient.WriteDefaults[string]()...))
}

// A policy that is switched off may be nil.
func TestAPolicyThatIsNilIsNone(t *testing.T) {
	s := scripted(fails(errDown), ok)
	require.Same(t, s, resilient.Source[string](s, nil))
	synctest.Test(t, func(t *testing.T) {
		given := []failsafe.Policy[response]{nil, resilient.Retry[response](), nil}
		r, err := resilient.Source[string](s, given...).Fetch(t.Context(), request{Key: "k"})
		require.NoError(t, err)
		require.Equal(t, "v", r.Value)
		require.Nil(t, given[0], "the caller's policies are the caller's")
	})
	w := &pen{}
	require.Same(t, w, resilient.Writer[string](w, nil))
}

// many is a BulkSource.
type many struct {
	*script
	bulk []func(rs []request) (map[string]response, error)
	n    atomic.Int64
}

func (m *many) FetchMany(_ context.Context, rs []request) (map[string]response, error) {
	n := int(m.n.Add(1))
	return m.bulk[min(n, len(m.bulk))-1](rs)
}

// Behaviour 23: a partial answer is an answer, and tried again by nobody here.
func TestABulkSourceStaysOne(t *testing.T) {
	rs := []request{{Key: "a"}, {Key: "b"}}
	down := func([]request) (map[string]response, error) { return nil, errDown }
	full := func([]request) (map[string]response, error) { return map[string]response{"a": {}, "b": {}}, nil }
	partial := func([]request) (map[string]response, error) {
		return map[string]response{"a": {}}, &freshet.ManyError{Errs: map[string]error{"b": errDown}}
	}
	missing := func([]request) (map[string]response, error) {
		return nil, &freshet.ManyError{Errs: map[string]error{"a": freshet.ErrNotFound, "b": errDown}}
	}
	hopeless := func([]request) (map[string]response, error) {
		return nil, &freshet.ManyError{Errs: map[string]error{"a": errDown, "b": errDown}}
	}
	for name, c := range map[string]struct {
		bulk  []func([]request) (map[string]response, error)
		calls int64
		found int
		err   error
	}{
		"down, then up":     {[]func([]request) (map[string]response, error){down, full}, 2, 2, nil},
		"down":              {[]func([]request) (map[string]response, error){down}, 3, 0, errDown},
		"partial":           {[]func([]request) (map[string]response, error){partial}, 1, 1, errDown},
		"one is missing":    {[]func([]request) (map[string]response, error){missing}, 1, 0, freshet.ErrNotFound},
		"all fail, then up": {[]func([]request) (map[string]response, error){hopeless, full}, 2, 2, nil},
		"all fail":          {[]func([]request) (map[string]response, error){hopeless}, 3, 0, errDown},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := &many{script: scripted(ok), bulk: c.bulk}
				src, isBulk := resilient.Source[string](m, resilient.Defaults[string]()...).(freshet.BulkSource[string])
				require.True(t, isBulk)
				found, err := src.FetchMany(bg, rs)
				require.Equal(t, c.calls, m.n.Load())
				require.Len(t, found, c.found)
				if c.err != nil {
					require.ErrorIs(t, err, c.err)
				} else {
					require.NoError(t, err)
				}
			})
		})
	}
	_, isBulk := resilient.Source[string](scripted(ok), resilient.Defaults[string]()...).(freshet.BulkSource[string])
	require.False(t, isBulk)
}
