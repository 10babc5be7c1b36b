package main

import (
	"context"
	"slices"
	"sync"

	"github.com/freshet-go/freshet/streams"
)

// recorder watches one key of a cache and keeps what became of its flights.
type recorder struct {
	sub  *streams.Subscription[Airport]
	done chan struct{}

	mu   sync.Mutex
	ends []streams.Event[Airport] // one a flight, in the order of the stream
	err  error
}

// record begins to watch: what happens from now on is recorded.
func record(ctx context.Context, s *subject, key string) (*recorder, error) {
	sub, err := s.cache.Watch(ctx, streams.Keys(key), streams.Kinds(
		streams.Loaded, streams.Updated, streams.Revalidated, streams.Failed, streams.Dropped))
	if err != nil {
		return nil, err
	}
	r := &recorder{sub: sub, done: make(chan struct{})}
	go r.run()
	return r, nil
}

func (r *recorder) run() {
	defer close(r.done)
	for e, err := range r.sub.Events() {
		r.mu.Lock()
		switch {
		case err != nil:
			r.err = err
		case !e.Kind.Control():
			r.ends = append(r.ends, e)
		}
		r.mu.Unlock()
	}
}

// events is what was recorded so far.
func (r *recorder) events() []streams.Event[Airport] {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.ends)
}

// dropped is how many answers were dropped so far.
func (r *recorder) dropped() int {
	n := 0
	for _, e := range r.events() {
		if e.Kind == streams.Dropped {
			n++
		}
	}
	return n
}

// stop ends the recording.
func (r *recorder) stop() error {
	r.sub.Close()
	<-r.done
	return r.err
}
