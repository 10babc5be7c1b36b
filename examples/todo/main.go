// Todo is a to-do list that two people look at, over an HTTP origin with a
// switch that makes it refuse writes:
//
//	go run ./examples/todo
//
// What is added, edited and deleted shows at once, is confirmed by the origin,
// or is taken back. Whatever the program claims it has checked: it exits with 1
// and says what was not true if one of its claims fails.
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

// patience bounds how long the show may take beside its pauses.
const patience = time.Minute

const usage = `Usage: go run ./examples/todo [flags]

Starts an HTTP origin on the loopback interface and two clients, each with a
cache, and shows what becomes of their writes. Exits with 1 if anything it shows
is not true.

Flags:
`

// run is the whole program and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("todo", flag.ContinueOnError)
	pace := flags.Duration("pace", 1500*time.Millisecond, "how `long` a terminal shows the boards before the show goes on, at most 10s")
	quiet := flags.Bool("quiet", false, "print the verdicts only")
	noColor := flags.Bool("no-color", false, "no colours, as with NO_COLOR in the environment")
	check := func() error {
		if *pace < 0 || *pace > 10*time.Second {
			return fmt.Errorf("-pace is 0 to 10s, not %v", *pace)
		}
		return nil
	}
	if code, goOn := show.Parse(flags, usage, args, check, stdout, stderr); !goOn {
		return code
	}
	scr := show.New(stdout, show.Options{Quiet: *quiet, NoColor: *noColor, Margin: "   "})
	return show.Exit(ctx, "todo", play(ctx, scr, *pace, scenes()), stderr)
}

func scenes() []scene {
	return []scene{
		&loading{}, &adding{}, &editing{}, &queueing{}, &ticking{}, &deleting{}, &losing{}, &overlapping{}, &ending{},
	}
}

// play sets the stage, plays scenes and clears the stage.
func play(ctx context.Context, scr *show.Screen, pace time.Duration, scenes []scene) error {
	const looks = 30 // there are fewer
	most := patience + looks*pace
	ctx, cancel := context.WithTimeoutCause(ctx, most, fmt.Errorf("it is not done after %v: something hangs", most))
	defer cancel()
	begun := time.Now()
	st, err := newStage(ctx, scr, pace)
	if err != nil {
		return err
	}
	held, err := playAll(ctx, st, scenes)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx) // and not what that did to the code that ran
	}
	if err = errors.Join(err, st.close()); err != nil {
		return err
	}
	scr.Held(held, begun)
	return nil
}

// playAll plays scenes, ends at the first that fails or shows what is not
// true, and returns how many claims held.
func playAll(ctx context.Context, st *stage, scenes []scene) (held int, err error) {
	st.scr.Text("freshet todo: two clients, a cache each, one HTTP origin")
	for i, s := range scenes {
		st.scr.Title("%d  %s", i+1, s.title())
		if err := errors.Join(st.newPage(ctx), s.play(ctx, st)); err != nil {
			return held, fmt.Errorf("scene %d: %w", i+1, err)
		}
		claims := s.claims()
		st.scr.Text("")
		for _, c := range claims {
			st.scr.Verdict(c)
		}
		if err := show.Verify(claims); err != nil {
			return held, fmt.Errorf("scene %d: %w", i+1, err)
		}
		held += len(claims)
	}
	return held, nil
}
