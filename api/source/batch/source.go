package batch

import (
	"context"
	"sync"

	freshet "github.com/freshet-go/freshet/api"
)

// Source gathers demands into batches. It is safe for concurrent use.
type Source[V any] struct {
	config Config[V]
	life   context.Context // ends with Close
	end    context.CancelCauseFunc
	calls  sync.WaitGroup

	mu   sync.Mutex
	open *batch[V] // the one that can be joined; nil: none
}

var _ freshet.BulkSource[any] = (*Source[any])(nil)

// Fetch joins a batch and waits for its part of the answer, no longer than
// ctx.
func (s *Source[V]) Fetch(ctx context.Context, r freshet.Request[V]) (freshet.Response[V], error) {
	var none freshet.Response[V]
	if ctx.Err() != nil {
		return none, context.Cause(ctx)
	}
	m := &member[V]{done: make(chan outcome[V], 1)}
	if !s.join(ctx, r, m) {
		return none, freshet.ErrClosed
	}
	select {
	case o := <-m.done:
		return o.response, o.err
	case <-ctx.Done():
		s.leave(m, context.Cause(ctx))
		return none, context.Cause(ctx)
	case <-s.life.Done():
		return none, freshet.ErrClosed
	}
}

// join puts m into the open batch and says whether there can be one.
func (s *Source[V]) join(ctx context.Context, r freshet.Request[V], m *member[V]) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life.Err() != nil {
		return false
	}
	if s.open == nil {
		s.open = s.newBatch()
	}
	b := s.open
	b.add(ctx, r, m)
	if len(b.requests) >= s.config.Max {
		s.departLocked(b)
	}
	return true
}

// due is the end of b's window.
func (s *Source[V]) due(b *batch[V]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == b {
		s.departLocked(b)
	}
}

// departLocked makes b a call.
func (s *Source[V]) departLocked(b *batch[V]) {
	s.open = nil
	b.window.Stop()
	s.calls.Add(1)
	go s.run(b)
}

// leave takes m out. When it was the last the batch is given up.
func (s *Source[V]) leave(m *member[V], cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := m.batch
	m.gone = true
	if b.staying--; b.staying > 0 {
		return
	}
	if s.open == b {
		s.open = nil
		b.window.Stop()
	}
	b.stop(cause)
}

// wanted are those of rs whose members have not all left.
func (s *Source[V]) wanted(b *batch[V], rs []freshet.Request[V]) []freshet.Request[V] {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := make([]freshet.Request[V], 0, len(rs))
	for _, r := range rs {
		for _, m := range b.members[r.Key] {
			if !m.gone {
				kept = append(kept, r)
				break
			}
		}
	}
	return kept
}

// Close fails those who wait with ErrClosed, and returns when every call has
// ended, or, with ctx's cause, when ctx ends before that, because a call ignores
// its context. Closing twice is fine.
func (s *Source[V]) Close(ctx context.Context) error {
	s.mu.Lock()
	s.end(freshet.ErrClosed)
	if b := s.open; b != nil {
		s.open = nil
		b.window.Stop()
		b.stop(freshet.ErrClosed)
	}
	s.mu.Unlock()
	ended := make(chan struct{})
	go func() { s.calls.Wait(); close(ended) }()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
