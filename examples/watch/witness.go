package main

import (
	"context"
	"sync"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/streams"
)

// witness keeps every event of a cache from its beginning: what the readers
// saw is held against it.
type witness struct {
	sub  *streams.Subscription[Quote]
	done chan struct{}

	mu    sync.Mutex
	truth []streams.Event[Quote]
	err   error
}

func call(ctx context.Context, cache *freshet.Cache[Quote]) (*witness, error) {
	sub, err := cache.Watch(ctx)
	if err != nil {
		return nil, err
	}
	w := &witness{sub: sub, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		for e, err := range sub.Events() {
			w.mu.Lock()
			switch {
			case err != nil:
				w.err = err
			case !e.Kind.Control():
				w.truth = append(w.truth, e)
			}
			w.mu.Unlock()
		}
	}()
	return w, nil
}

// revision is how far the witness is.
func (w *witness) revision() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.truth) == 0 {
		return 0
	}
	return w.truth[len(w.truth)-1].Revision
}

// dismiss ends the watch and returns what happened.
func (w *witness) dismiss() ([]streams.Event[Quote], error) {
	w.sub.Close()
	<-w.done
	return w.truth, w.err
}
