// Watch is a price board that follows a live cache, and a reader that is too
// slow for it on purpose:
//
//	go run ./examples/watch
//
// Whatever it prints it has measured, and whatever it claims it has checked:
// it exits with 1 and says what was not true if one of its claims fails.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"github.com/freshet-go/freshet/examples/internal/show"
)

func main() { show.Main(run) }

// patience bounds a whole run: on any machine that can show this at all it is
// far more than enough.
const patience = time.Minute

const usage = `Usage: go run ./examples/watch [flags]

Follows the prices of an HTTP origin on the loopback interface through a cache,
and shows what becomes of a reader that is slow, away, or away for too long.
Exits with 1 if anything it shows is not true.

Flags:
`

// run is the whole program and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("watch", flag.ContinueOnError)
	seed := flags.Uint64("seed", 1, "`seed` of the market: another seed is another course of prices")
	noColor := flags.Bool("no-color", false, "no colours, as with NO_COLOR in the environment")
	if code, goOn := show.Parse(flags, usage, args, nil, stdout, stderr); !goOn {
		return code
	}
	scr := show.New(stdout, show.Options{NoColor: *noColor, Margin: "   "})
	return show.Exit(ctx, "watch", play(ctx, *seed, scr), stderr)
}

// play opens the market, tells the story and checks it.
func play(ctx context.Context, seed uint64, scr *show.Screen) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("it is not done after %v: something hangs", patience))
	defer cancel()
	begun := time.Now()
	f, err := openFloor(seed)
	if err != nil {
		return err
	}
	s := &story{floor: f, scr: scr}
	err = s.tell(ctx)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx) // and not what that did to the code that ran
	}
	if err = errors.Join(err, f.close()); err != nil {
		return err
	}
	return scr.Conclude(s.claims(), begun)
}
