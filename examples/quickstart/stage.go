package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/examples/internal/show"
)

// scene is one thing to show.
type scene interface {
	title() string
	play(ctx context.Context, st *stage) error // do it, measure it, print it
	claims() []show.Claim                      // what was shown, checked
}

// stage is what the scenes share: an origin and the caches in front of it.
type stage struct {
	options
	scr      *show.Screen
	dice     *rand.Rand
	airports []Airport
	origin   *origin
	runtime  *freshet.Runtime
	caches   []*subject // all of them, in the order of the counters' show.Columns

	polite    *subject // what a service would have
	unguarded *subject // every reload flies; a client that ignores cancellation
	guarded   *subject // the same client behind the default storm guard
}

// subject is a cache and the client that is its source.
type subject struct {
	name   string
	cache  *freshet.Cache[Airport]
	client *client
}

// How long what was learned may be served.
const (
	ttl          = 1500 * time.Millisecond
	staleOnError = time.Minute
)

// reloads is how many reloads a storm has.
const reloads = 10

func newStage(opts options, scr *show.Screen) (*stage, error) {
	records, err := airports()
	if err != nil {
		return nil, err
	}
	st := &stage{options: opts, scr: scr, dice: dice(opts.seed), airports: records}
	if st.origin, err = startOrigin(records); err != nil {
		return nil, err
	}
	if st.runtime, err = freshet.NewRuntime(freshet.RuntimeConfig{Logger: slog.New(slog.DiscardHandler)}); err != nil {
		return nil, errors.Join(err, st.close())
	}
	// The zero Config keeps values for ever and has the guard at 3.
	var errs [3]error
	st.polite, errs[0] = st.open(false, freshet.Config[Airport]{
		Name:      "airports",
		Freshness: freshet.Freshness{TTL: ttl, StaleOnError: staleOnError},
	})
	st.unguarded, errs[1] = st.open(true, freshet.Config[Airport]{Name: "unguarded", MaxSupersede: reloads})
	st.guarded, errs[2] = st.open(true, freshet.Config[Airport]{Name: "guarded"})
	if err := errors.Join(errs[:]...); err != nil {
		return nil, errors.Join(err, st.close())
	}
	return st, nil
}

// open makes a cache of the stage's runtime with a client of its own.
func (st *stage) open(deaf bool, c freshet.Config[Airport]) (*subject, error) {
	s := &subject{name: c.Name, client: newClient(st.origin.url, deaf)}
	c.Runtime, c.Source = st.runtime, s.client
	var err error
	if s.cache, err = freshet.New(c); err != nil {
		return nil, err
	}
	st.caches = append(st.caches, s)
	return s, nil
}

// close ends the caches, then the origin.
func (st *stage) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var errs []error
	originErr := st.origin.down() // what a deaf client still waits for ends too
	if st.runtime != nil {
		if err := st.runtime.Close(ctx); err != nil {
			errs = append(errs, fmt.Errorf("the caches did not close: %w", err))
		}
	}
	for _, s := range st.caches {
		s.client.http.CloseIdleConnections()
	}
	return errors.Join(append(errs, originErr)...)
}

// paced is d at the pace of this run.
func (st *stage) paced(d time.Duration) time.Duration {
	return time.Duration(float64(d) * st.pace)
}

// uneven is a latency between least and most.
func (st *stage) uneven(least, most time.Duration) time.Duration {
	return st.paced(least + time.Duration(st.dice.Int64N(int64(most-least))))
}

// rest waits for d.
func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// after is a turn that comes when what it waits for is closed.
func after(closed <-chan struct{}) turn {
	return func(ctx context.Context, _ int) error {
		select {
		case <-closed:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// until waits until done, looking every few milliseconds: for what has no
// signal of its own.
func until(ctx context.Context, done func() bool) error {
	for !done() {
		if err := rest(ctx, 2*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}
