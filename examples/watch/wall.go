package main

import (
	"context"
	"sync"
	"time"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/examples/internal/show"
	"github.com/freshet-go/freshet/streams"
	"github.com/freshet-go/freshet/streams/streamstest"
)

// wall is the board that everybody sees: it is always on time. Its
// subscription is Live, so as long as it hangs the cache fetches the prices
// again and again.
type wall struct {
	sub      *streams.Subscription[Quote]
	recorder *streamstest.Recorder[Quote]
	done     chan struct{}

	mu       sync.Mutex
	board    *board
	snapshot int           // values before Synced
	events   int           // after it
	slowest  time.Duration // from a change to the board
	err      error
}

func hang(ctx context.Context, cache *freshet.Cache[Quote]) (*wall, error) {
	sub, err := cache.Watch(ctx, streams.Keys(instruments()...), streams.WithSnapshot(),
		streams.Live(), streams.Refresh(refresh))
	if err != nil {
		return nil, err
	}
	w := &wall{sub: sub, board: newBoard(), done: make(chan struct{}),
		recorder: streamstest.NewRecorder(streamstest.Record[Quote]{Name: "the board", Snapshot: true})}
	go w.follow()
	return w, nil
}

func (w *wall) follow() {
	defer close(w.done)
	for e, err := range w.recorder.Tap(w.sub.Events()) {
		w.mu.Lock()
		switch {
		case err != nil:
			w.err = err
		case e.Kind.Control():
		case !w.board.synced:
			w.snapshot++
		default:
			w.events++
			w.slowest = max(w.slowest, time.Since(e.At))
		}
		if err == nil {
			w.board.apply(e)
		}
		w.mu.Unlock()
	}
}

// lines draws the board as it is now.
func (w *wall) lines(scr *show.Screen) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.board.lines(scr)
}

// revision is how far the board is.
func (w *wall) revision() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.board.revision
}

func (w *wall) quotes() map[string]Quote {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.board.quotes()
}

// takeDown ends the subscription, and with it the fetching.
func (w *wall) takeDown() error {
	w.sub.Close()
	<-w.done
	return w.err
}
