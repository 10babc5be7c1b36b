package resilient

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/budget"
	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/ratelimiter"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"github.com/failsafe-go/failsafe-go/timeout"

	freshet "github.com/freshet-go/freshet/api"
)

// What Defaults are made of.
const (
	Retries     = 2                      // after the first try
	FirstDelay  = 100 * time.Millisecond // doubled for each further retry
	LongestWait = 5 * time.Second        // a longer Retry-After is not waited for

	Places    = 64          // calls in the air
	PlaceWait = time.Second // for one of them; then bulkhead.ErrFull

	BreakRate   = 0.5              // of the calls of BreakWithin that failed,
	BreakCalls  = 10               // if there were so many,
	BreakWithin = 30 * time.Second // opens the breaker
	BreakFor    = 10 * time.Second // until it lets probes through,
	BreakProbes = 2                // of which as many have to succeed
)

// Defaults is a sensible stack for reads: retries, a bulkhead, a breaker.
// Each call makes a new one; one stack is one origin's.
func Defaults[V any]() []failsafe.Policy[freshet.Response[V]] {
	return []failsafe.Policy[freshet.Response[V]]{
		Retry[freshet.Response[V]](),
		bulkhead.NewBuilder[freshet.Response[V]](Places).WithMaxWaitTime(PlaceWait).Build(),
		Breaker[freshet.Response[V]](),
	}
}

// WriteDefaults is a sensible stack for writes: a bulkhead and a breaker, and
// no retries.
func WriteDefaults[V any]() []failsafe.Policy[freshet.Item[V]] {
	return []failsafe.Policy[freshet.Item[V]]{
		bulkhead.NewBuilder[freshet.Item[V]](Places).WithMaxWaitTime(PlaceWait).Build(),
		Breaker[freshet.Item[V]](),
	}
}

// Retry is the retry policy of Defaults, whose last error is returned as it
// is.
func Retry[R any]() retrypolicy.RetryPolicy[R] {
	return retrypolicy.NewBuilder[R]().
		HandleIf(func(_ R, err error) bool { return Retryable(err) && retryIn(err) <= LongestWait }).
		WithMaxRetries(Retries).
		WithDelayFunc(func(try failsafe.ExecutionAttempt[R]) time.Duration { return delay(try.Retries(), try.LastError()) }).
		ReturnLastFailure().
		Build()
}

// delay is how long to wait after retries retries. It has its jitter here:
// failsafe's would shorten what Retry-After asks for too.
func delay(retries int, err error) time.Duration {
	d := FirstDelay << min(retries, 10)
	d = d/2 + rand.N(d/2+1)
	if asked := retryIn(err); asked > 0 {
		return asked + d // those who were all told the same come one after another
	}
	return d
}

// Breaker is the circuit breaker of Defaults. It counts what Retryable says is
// the origin's trouble; an absent record is a success. A call that was cut
// short is neither, which failsafe-go cannot say: it counts as a success, but
// as a failure where it was a probe, which then proved nothing.
func Breaker[R any]() circuitbreaker.CircuitBreaker[R] {
	var breaker circuitbreaker.CircuitBreaker[R]
	breaker = circuitbreaker.NewBuilder[R]().
		HandleIf(func(_ R, err error) bool { return trouble(err) || cutShort(err) && breaker.IsHalfOpen() }).
		WithFailureRateThreshold(BreakRate, BreakCalls, BreakWithin).
		WithSuccessThreshold(BreakProbes).
		WithDelay(BreakFor).
		Build()
	return breaker
}

// Retryable says whether another try may fare better than the one that failed
// with err. See the package comment.
func Retryable(err error) bool {
	if err == nil || cutShort(err) {
		return false
	}
	for _, never := range []error{
		freshet.ErrNotFound, freshet.ErrBadKey, freshet.ErrReadOnly, freshet.ErrGoexit,
		circuitbreaker.ErrOpen, bulkhead.ErrFull, ratelimiter.ErrExceeded, budget.ErrExceeded, retrypolicy.ErrExceeded,
	} {
		if errors.Is(err, never) {
			return false
		}
	}
	var panicked *freshet.PanicError
	if errors.As(err, &panicked) {
		return false
	}
	var says interface{ Retryable() bool }
	if errors.As(err, &says) {
		return says.Retryable()
	}
	return true
}

// trouble says whether err speaks against the origin: also one that is not worth
// another try only because there is no time to wait as long as it asks.
func trouble(err error) bool {
	var late *lateError
	if errors.As(err, &late) {
		err = late.error
	}
	return Retryable(err)
}

// cutShort says whether a call ended because nobody wanted it any more. A
// deadline is not that: the origin was too slow.
func cutShort(err error) bool {
	if errors.Is(err, timeout.ErrExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	return errors.Is(err, context.Canceled) || errors.Is(err, freshet.ErrSuperseded) ||
		errors.Is(err, freshet.ErrAbandoned) || errors.Is(err, freshet.ErrClosed)
}

// retryIn is how long err asks to be left alone.
func retryIn(err error) time.Duration {
	var says interface{ RetryIn() time.Duration }
	if errors.As(err, &says) {
		return says.RetryIn()
	}
	return 0
}
