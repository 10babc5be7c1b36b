// Quickstart shows what freshet does, on a real HTTP origin, in under ten
// seconds:
//
//	go run ./examples/quickstart
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
	"math/rand/v2"
	"time"

	"github.com/freshet-go/freshet/examples/internal/show"
)

func main() { show.Main(run) }

// patience bounds a whole run: on any machine that can show this at all it is
// far more than enough.
const patience = time.Minute

type options struct {
	callers int
	seed    uint64
	pace    float64
	quiet   bool
	noColor bool
}

const usage = `Usage: go run ./examples/quickstart [flags]

Starts an HTTP origin on the loopback interface, puts caches in front of it and
shows what they do. Exits with 1 if anything it shows is not true.

Flags:
`

// run is the whole program: it plays the scenes and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o options
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.IntVar(&o.callers, "callers", 1000, "how `many` callers ask at once in the first scene")
	flags.Uint64Var(&o.seed, "seed", 1, "`seed` of the origin's latencies; another seed is another order of answers")
	flags.Float64Var(&o.pace, "pace", 1, "stretch the origin's latencies by this `factor`, 0.2 to 10, to look closer")
	flags.BoolVar(&o.quiet, "quiet", false, "print the verdicts only")
	flags.BoolVar(&o.noColor, "no-color", false, "no colours, as with NO_COLOR in the environment")
	if code, goOn := show.Parse(flags, usage, args, o.check, stdout, stderr); !goOn {
		return code
	}
	scr := show.New(stdout, show.Options{Quiet: o.quiet, NoColor: o.noColor, Margin: "   "})
	return show.Exit(ctx, "quickstart", play(ctx, o, scr), stderr)
}

func (o *options) check() error {
	switch {
	case o.callers < 2 || o.callers > 100_000:
		return fmt.Errorf("-callers is 2 to 100000, not %d", o.callers)
	case !(o.pace >= 0.2 && o.pace <= 10): // false for NaN too
		return fmt.Errorf("-pace is 0.2 to 10, not %v", o.pace)
	}
	return nil
}

// play sets the stage, plays the scenes and clears the stage.
func play(ctx context.Context, opts options, scr *show.Screen) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("it is not done after %v: something hangs", patience))
	defer cancel()
	begun := time.Now()
	st, err := newStage(opts, scr)
	if err != nil {
		return err
	}
	scr.Text("freshet quickstart: %d airports served at %s", len(st.airports), st.origin.url())
	held, err := playAll(ctx, st, scenes())
	if err = errors.Join(err, st.close()); err != nil {
		return err
	}
	scr.Held(held, begun)
	return nil
}

func scenes() []scene {
	wild := &storm{name: "Ten reloads, answers out of order", on: func(st *stage) *subject { return st.unguarded }}
	tame := &storm{name: "The same storm, with the guard on", on: func(st *stage) *subject { return st.guarded }, before: wild}
	return []scene{&stampede{}, wild, tame, &leaver{}, &outage{}, &counters{}}
}

// playAll plays scenes, ends at the first that fails or shows what is not
// true, and returns how many claims held.
func playAll(ctx context.Context, st *stage, scenes []scene) (held int, err error) {
	for i, s := range scenes {
		st.scr.Title("%d  %s", i+1, s.title())
		if err := s.play(ctx, st); err != nil {
			return held, fmt.Errorf("scene %d: %w", i+1, cause(ctx, err))
		}
		claims := s.claims()
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

// cause prefers why ctx ended to what that did to the code that ran.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// dice are the origin's: the same seed, the same latencies.
func dice(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x66726573686574)) }
