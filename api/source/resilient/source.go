package resilient

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/failsafe-go/failsafe-go"

	freshet "github.com/freshet-go/freshet/api"
)

// Source is src under policies, the first outermost. It is a BulkSource where
// src is one. A policy that is nil is none; without policies it is src itself.
func Source[V any](src freshet.Source[V], policies ...failsafe.Policy[freshet.Response[V]]) freshet.Source[V] {
	if policies = given(policies); src == nil || len(policies) == 0 {
		return src
	}
	s := &source[V]{src: src, executor: failsafe.With(policies...)}
	if bulk, ok := src.(freshet.BulkSource[V]); ok {
		return &bulkSource[V]{source: s, bulk: bulk}
	}
	return s
}

// given is policies without those that are nil.
func given[R any](policies []failsafe.Policy[R]) []failsafe.Policy[R] {
	return slices.DeleteFunc(slices.Clone(policies), func(p failsafe.Policy[R]) bool { return p == nil })
}

type source[V any] struct {
	src      freshet.Source[V]
	executor failsafe.Executor[freshet.Response[V]]
}

// Fetch is the source's, as often as the policies say.
func (s *source[V]) Fetch(ctx context.Context, r freshet.Request[V]) (freshet.Response[V], error) {
	response, err := s.executor.WithContext(ctx).GetWithExecution(
		func(try failsafe.Execution[freshet.Response[V]]) (freshet.Response[V], error) {
			return attempt(try.Context(), func(ctx context.Context) (freshet.Response[V], error) {
				return s.src.Fetch(ctx, r)
			})
		})
	return response, cause(ctx, err)
}

// cause is why ctx ended, where that is what err says: failsafe knows only
// that it did.
func cause(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && err == ctx.Err() { //nolint:errorlint // its very own, bare
		return context.Cause(ctx)
	}
	return err
}

type bulkSource[V any] struct {
	*source[V]
	bulk freshet.BulkSource[V]
}

// FetchMany is the source's, under the policies as one execution.
func (s *bulkSource[V]) FetchMany(ctx context.Context, rs []freshet.Request[V]) (map[string]freshet.Response[V], error) {
	var (
		mu      sync.Mutex // two tries may end at once, under a hedge
		best    map[string]freshet.Response[V]
		partial error
	)
	_, err := s.executor.WithContext(ctx).GetWithExecution(
		func(try failsafe.Execution[freshet.Response[V]]) (freshet.Response[V], error) {
			var none freshet.Response[V]
			found, err := attempt(try.Context(), func(ctx context.Context) (map[string]freshet.Response[V], error) {
				return s.bulk.FetchMany(ctx, rs)
			})
			var many *freshet.ManyError
			if errors.As(err, &many) && !hopeless(many, found, rs) {
				mu.Lock()
				defer mu.Unlock()
				best, partial = maps.Clone(found), err
				return none, nil
			}
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				best, partial = maps.Clone(found), nil
			}
			return none, err
		})
	mu.Lock()
	defer mu.Unlock()
	if err != nil {
		return nil, cause(ctx, err)
	}
	return maps.Clone(best), partial
}

// hopeless says whether every key failed for a reason worth another try.
func hopeless[V any](many *freshet.ManyError, found map[string]freshet.Response[V], rs []freshet.Request[V]) bool {
	if len(found) > 0 {
		return false
	}
	for _, r := range rs {
		if err := many.Errs[r.Key]; err == nil || !Retryable(err) {
			return false
		}
	}
	return true
}
