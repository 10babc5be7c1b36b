package streams

import (
	"context"
	"fmt"
	"runtime/debug"
)

// PanicError is what a handler panicked with (C4).
type PanicError struct {
	Value any
	Stack []byte // of the goroutine, at the panic
}

func (e *PanicError) Error() string { return fmt.Sprintf("freshet: the handler panicked: %v", e.Value) }

// Unwrap is the value of the panic, where that is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Each calls fn with every event until the subscription or ctx ends or fn answers an error. It takes the subscription
// over: when it returns, the subscription has ended, and the error is the cause that its Err tells; nil where the
// subscription was closed by its own Close. A panic of fn is that subscription's end with *PanicError, and nobody
// else's; runtime.Goexit in fn is its end with ErrGoexit. fn runs on the caller's goroutine, under no lock: it may call
// the cache, may subscribe, may close the subscription, and if it never returns it holds up nobody but this loop.
func Each[V any](ctx context.Context, sub *Subscription[V], fn func(Event[V]) error) error {
	for {
		e, err := sub.Next(ctx)
		if err == nil {
			err = guard(sub, fn, e)
		}
		if err != nil {
			sub.end(err)
			if sub.closedOwn() {
				return nil
			}
			return sub.Err()
		}
	}
}

// guard calls fn and turns its panic into an error.
func guard[V any](sub *Subscription[V], fn func(Event[V]) error, e Event[V]) (err error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if r := recover(); r != nil {
			err = &PanicError{Value: r, Stack: debug.Stack()}
			return
		}
		sub.end(ErrGoexit) // nobody will be there to hear an answer
	}()
	err = fn(e)
	returned = true
	return err
}
