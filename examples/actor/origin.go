package main

import (
	"context"
	"fmt"
	"sync"

	freshet "github.com/freshet-go/freshet/api"
)

// Flight is a line of the board.
type Flight struct{ To, State string }

// origin is the system that owns the flights.
type origin struct {
	mu      sync.Mutex
	flights map[string]Flight
	called  int
}

func newOrigin() *origin {
	return &origin{flights: map[string]Flight{
		"BA117": {To: "New York JFK", State: "on time"},
		"LX318": {To: "Zurich", State: "delayed"},
	}}
}

// flight is the cache's source.
func (o *origin) flight(_ context.Context, key string) (Flight, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.called++
	f, ok := o.flights[key]
	if !ok {
		return f, fmt.Errorf("flight %s: %w", key, freshet.ErrNotFound)
	}
	return f, nil
}

func (o *origin) edit(key, state string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f := o.flights[key]
	f.State = state
	o.flights[key] = f
}

func (o *origin) calls() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.called
}
