package resilient

import (
	"context"
	"errors"
	"sync"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/timeout"

	freshet "github.com/freshet-go/freshet/api"
)

// Writer is w under policies, the first outermost. Their result is the record
// as the origin stored it, under its key; a Delete's has no value. Nothing is
// repeated unless a policy repeats it. A policy that is nil is none; without
// policies it is w itself.
func Writer[V any](w freshet.Writer[V], policies ...failsafe.Policy[freshet.Item[V]]) freshet.Writer[V] {
	if policies = given(policies); w == nil || len(policies) == 0 {
		return w
	}
	return &writer[V]{w: w, executor: failsafe.With(policies...)}
}

type writer[V any] struct {
	w        freshet.Writer[V]
	executor failsafe.Executor[freshet.Item[V]]
}

// Create is the writer's.
func (w *writer[V]) Create(ctx context.Context, value V) (string, V, error) {
	item, err := w.do(ctx, func(ctx context.Context) (freshet.Item[V], error) {
		key, stored, err := w.w.Create(ctx, value)
		return freshet.Item[V]{Key: key, Value: stored}, err
	})
	return item.Key, item.Value, err
}

// Update is the writer's.
func (w *writer[V]) Update(ctx context.Context, key string, value V) (V, error) {
	item, err := w.do(ctx, func(ctx context.Context) (freshet.Item[V], error) {
		stored, err := w.w.Update(ctx, key, value)
		return freshet.Item[V]{Key: key, Value: stored}, err
	})
	return item.Value, err
}

// Delete is the writer's.
func (w *writer[V]) Delete(ctx context.Context, key string) error {
	_, err := w.do(ctx, func(ctx context.Context) (freshet.Item[V], error) {
		return freshet.Item[V]{Key: key}, w.w.Delete(ctx, key)
	})
	return err
}

// do runs one write and keeps in mind whether any try may have been applied.
func (w *writer[V]) do(ctx context.Context, write func(context.Context) (freshet.Item[V], error)) (freshet.Item[V], error) {
	var (
		mu      sync.Mutex // two tries may end at once, under a hedge
		pending int
		unclear bool
	)
	item, err := w.executor.WithContext(ctx).GetWithExecution(
		func(try failsafe.Execution[freshet.Item[V]]) (freshet.Item[V], error) {
			mu.Lock()
			pending++
			mu.Unlock()
			item, err := attempt(try.Context(), write)
			mu.Lock()
			defer mu.Unlock()
			pending--
			if undecided(err) || err != nil && try.Context().Err() != nil {
				unclear = true
			}
			return item, err
		})
	mu.Lock()
	defer mu.Unlock()
	err = cause(ctx, err)
	if err != nil && (unclear || pending > 0) && !errors.Is(err, freshet.ErrUnknown) {
		err = &unknownError{err}
	}
	return item, err
}

// undecided says whether a write that failed with err may have been applied.
func undecided(err error) bool {
	if err == nil {
		return false
	}
	var panicked *freshet.PanicError
	return errors.Is(err, freshet.ErrUnknown) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) ||
		errors.Is(err, timeout.ErrExceeded) || errors.Is(err, freshet.ErrGoexit) || errors.As(err, &panicked)
}

// unknownError adds to an error that an earlier try may have been applied.
type unknownError struct{ error }

func (e *unknownError) Unwrap() []error { return []error{e.error, freshet.ErrUnknown} }
