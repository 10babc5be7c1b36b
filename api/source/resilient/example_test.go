package resilient_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/source/resilient"
)

// The origin goes down, a breaker opens, and stale-if-error carries on.
func Example() {
	ctx := context.Background()
	var down atomic.Bool
	var calls atomic.Int64
	origin := freshet.Func(func(context.Context, string) (string, error) {
		calls.Add(1)
		if down.Load() {
			return "", errors.New("connection refused")
		}
		return "Ada", nil
	})
	breaker := circuitbreaker.NewBuilder[freshet.Response[string]]().
		WithFailureThreshold(3). // in a row
		WithDelay(time.Hour).
		OnOpen(func(circuitbreaker.StateChangedEvent) { fmt.Println("the breaker opens") }).
		Build()
	users, err := freshet.New(freshet.Config[string]{
		Name:      "users",
		Source:    resilient.Source(origin, breaker), // or resilient.Defaults[string]()...
		Freshness: freshet.Freshness{TTL: time.Nanosecond, StaleOnError: time.Hour},
	})
	if err != nil {
		panic(err)
	}
	defer users.Close(ctx)

	name, err := users.Get(ctx, "42")
	fmt.Println(name, err)

	down.Store(true)
	for range 5 {
		time.Sleep(2 * time.Millisecond) // the value is no longer fresh
		s, err := users.Lookup(ctx, "42")
		fmt.Println(s.Value, s.State, err, "- open:", errors.Is(s.Err, circuitbreaker.ErrOpen))
	}
	fmt.Println("the origin was called", calls.Load(), "times")

	_, err = users.Reload(ctx, "42").Await(ctx) // who insists on a new value is told
	fmt.Println(err)
	// Output:
	// Ada <nil>
	// Ada Stale <nil> - open: false
	// Ada Stale <nil> - open: false
	// the breaker opens
	// Ada Stale <nil> - open: false
	// Ada Stale <nil> - open: true
	// Ada Stale <nil> - open: true
	// the origin was called 4 times
	// freshet: users/42: circuit breaker open
}
