// Actor shows a plain protoactor actor that talks to the resources of a cache:
//
//	go run ./examples/actor
//
// It knows them by their PIDs, Cache.Ref(key), sends them Demand, Reload and
// Invalidate, and is answered with a value or an error.
package main

import (
	"context"
	"flag"
	"io"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/examples/internal/show"
)

func main() { show.Main(run) }

const usage = `Usage: go run ./examples/actor

Has an actor of protoactor talk to the resources of a cache, and prints what it
asks and what it is answered.
`

// run is the whole program: it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("actor", flag.ContinueOnError)
	if code, goOn := show.Parse(flags, usage, args, nil, stdout, stderr); !goOn {
		return code
	}
	bounded, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return show.Exit(ctx, "actor", talk(bounded, stdout), stderr)
}

func talk(ctx context.Context, out io.Writer) error {
	if ctx.Err() != nil { // or the talk, which is short, might still win the race
		return context.Cause(ctx)
	}
	// The system is ours, with our actors in it. The runtime teaches it to find
	// the resources of its caches, so it comes before anything else.
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}))
	runtime, err := freshet.NewRuntime(freshet.RuntimeConfig{ActorSystem: system})
	if err != nil {
		return err
	}
	origin := newOrigin()
	cache, err := freshet.New(freshet.Config[Flight]{
		Name:    "flights",
		Source:  freshet.Func(origin.flight),
		Runtime: runtime,
	})
	if err != nil {
		return err
	}

	done := make(chan struct{})
	pid := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor {
		return &board{out: out, cache: cache, origin: origin, steps: steps, done: done}
	}))
	select {
	case <-done:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if closeErr := runtime.Close(ctx); err == nil {
		err = closeErr
	}
	if stopErr := system.Root.StopFuture(pid).Wait(); err == nil {
		err = stopErr
	}
	return err
}
