package actors

import (
	"context"
	"errors"
	"sync"
	"time"
)

// flightContext carries the values of the demand that took off, not its
// cancellation, and the flight's deadline (C2). Most sources that answer at
// once never ask whether they were given up: what can be cancelled is made when
// somebody asks.
type flightContext struct {
	values   context.Context
	deadline time.Time

	mu    sync.Mutex
	asked *cancellable // nil: nobody asked yet
	cause error        // why it ended; nil: it has not
}

// cancellable is a context of the standard library.
type cancellable struct {
	context.Context
	stop context.CancelCauseFunc
}

func (c *flightContext) Deadline() (time.Time, bool) { return c.deadline, true }

func (c *flightContext) Done() <-chan struct{} { return c.real().Done() }

// Value hands out the standard library's own context too, which is how it finds
// the cause.
func (c *flightContext) Value(key any) any { return c.real().Value(key) }

func (c *flightContext) Err() error {
	c.mu.Lock()
	cause, asked := c.cause, c.asked
	c.mu.Unlock()
	switch {
	case asked != nil && asked.Err() == nil, cause == nil:
		return nil
	case errors.Is(cause, ErrTimeout):
		return context.DeadlineExceeded
	}
	return context.Canceled
}

// real is the context that can be cancelled.
func (c *flightContext) real() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked == nil {
		ctx, stop := context.WithCancelCause(context.WithoutCancel(c.values))
		if c.asked = (&cancellable{ctx, stop}); c.cause != nil {
			stop(c.cause)
		}
	}
	return c.asked.Context
}

// end cancels the context with a cause; nil is context.Canceled. Only the first
// call counts.
func (c *flightContext) end(cause error) {
	if cause == nil {
		cause = context.Canceled
	}
	c.mu.Lock()
	if c.cause == nil {
		c.cause = cause
	}
	asked, cause := c.asked, c.cause
	c.mu.Unlock()
	if asked != nil {
		asked.stop(cause)
	}
}
