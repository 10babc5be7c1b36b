package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/freshet-go/freshet/streams"
)

// feed brings one client's confirmed writes to another one, as a message queue
// behind the origin would. What is not confirmed is nobody else's business.
type feed struct {
	from, to *client
	sub      *streams.Subscription[Todo]
	done     chan struct{}

	mu     sync.Mutex
	passed uint64        // the revision of the last event that was dealt with
	news   chan struct{} // closed, and replaced, when passed moves
	err    error
}

func startFeed(ctx context.Context, from, to *client) (*feed, error) {
	sub, err := from.cache.Watch(ctx)
	if err != nil {
		return nil, err
	}
	f := &feed{from: from, to: to, sub: sub, done: make(chan struct{}), news: make(chan struct{})}
	go f.run(ctx)
	return f, nil
}

func (f *feed) run(ctx context.Context) {
	defer close(f.done)
	for e, err := range f.sub.Events() {
		if err == nil {
			switch e.Kind {
			case streams.Committed, streams.Created, streams.Deleted:
				err = f.to.hear(ctx, e.Kind, e.Key)
			}
		}
		f.mu.Lock()
		f.passed, f.err = e.Revision, errors.Join(f.err, err)
		close(f.news)
		f.news = make(chan struct{})
		f.mu.Unlock()
	}
}

// await waits until everything that happened up to a revision is known to the
// other side.
func (f *feed) await(ctx context.Context, revision uint64) error {
	for {
		f.mu.Lock()
		passed, news, err := f.passed, f.news, f.err
		f.mu.Unlock()
		switch {
		case err != nil:
			return fmt.Errorf("the feed from %s to %s: %w", f.from.name, f.to.name, err)
		case passed >= revision:
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (f *feed) close() {
	f.sub.Close()
	<-f.done
}
