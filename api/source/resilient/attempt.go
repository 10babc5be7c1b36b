package resilient

import (
	"context"
	"runtime/debug"
	"time"

	freshet "github.com/freshet-go/freshet/api"
)

// attempt runs one try where a panic or Goexit cannot harm its caller.
func attempt[T any](ctx context.Context, f func(context.Context) (T, error)) (T, error) {
	type outcome struct {
		v   T
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		o := outcome{err: freshet.ErrGoexit}
		defer func() {
			if r := recover(); r != nil {
				o.err = &freshet.PanicError{Value: r, Stack: debug.Stack()}
			}
			done <- o
		}()
		v, err := f(ctx)
		_ = Retryable(err) // the error's methods, where they can do no harm either
		o = outcome{v, tooLate(ctx, err)}
	}()
	o := <-done
	return o.v, o.err
}

// lateError is an error that asks for more patience than there is time.
type lateError struct{ error }

func (e *lateError) Unwrap() error { return e.error }
func (*lateError) Retryable() bool { return false }

func tooLate(ctx context.Context, err error) error {
	wait := retryIn(err)
	if wait <= 0 {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= wait {
		return &lateError{err}
	}
	return err
}
