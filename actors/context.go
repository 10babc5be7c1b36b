package actors

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// flightContext carries the values of the demand that took off, not its
// cancellation, and the flight's deadline (C2). Most sources that answer at
// once never ask whether they were given up: what can be cancelled is made when
// somebody asks.
type flightContext struct {
	values context.Context
	clock  *Clock
	until  lifecycle.Instant
	asked  atomic.Pointer[cancellable] // nil: nobody asked, and it has not ended
}

// cancellable is a context of the standard library, which alone can have a
// cause.
type cancellable struct {
	context.Context
	stop context.CancelCauseFunc
}

func newCancellable(values context.Context) *cancellable {
	ctx, stop := context.WithCancelCause(context.WithoutCancel(values))
	return &cancellable{ctx, stop}
}

// landed is what those contexts ended as that nobody had asked: it has no values.
var landed = func() *cancellable {
	c := newCancellable(context.Background())
	c.stop(nil)
	return c
}()

// begin says when the flight has to be over, before anybody is given its context.
func (c *flightContext) begin(clock *Clock, until lifecycle.Instant) { c.clock, c.until = clock, until }

func (c *flightContext) Deadline() (time.Time, bool) { return c.clock.Time(c.until), true }

func (c *flightContext) Done() <-chan struct{} { return c.real().Done() }

// Value answers for the standard library's context too, which is how that finds
// the cause.
func (c *flightContext) Value(key any) any {
	if real := c.real(); real != landed {
		return real.Value(key)
	}
	return context.WithoutCancel(c.values).Value(key)
}

func (c *flightContext) Err() error {
	asked := c.asked.Load()
	if asked == nil {
		return nil
	}
	err := asked.Err()
	if err != nil && errors.Is(context.Cause(asked), ErrTimeout) {
		return context.DeadlineExceeded
	}
	return err
}

// real is the context that can be cancelled.
func (c *flightContext) real() *cancellable {
	if asked := c.asked.Load(); asked != nil {
		return asked
	}
	made := newCancellable(c.values)
	if c.asked.CompareAndSwap(nil, made) {
		return made
	}
	made.stop(nil)
	return c.asked.Load()
}

// end cancels the context with a cause; nil is context.Canceled. Only the first
// call counts.
func (c *flightContext) end(cause error) {
	if cause == nil && c.asked.CompareAndSwap(nil, landed) {
		return
	}
	c.real().stop(cause)
}
