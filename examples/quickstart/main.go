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
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process the hard way
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// What run returns.
const (
	exitTrue        = 0
	exitFalse       = 1 // a claim did not hold, or the show could not go on
	exitUsage       = 2
	exitInterrupted = 130
)

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

// run is the whole program: it plays the scenes and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	opts, err := parse(args, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitTrue
	case err != nil:
		say(stderr, "quickstart: %v\nRun it with -h to see what it takes.\n", err)
		return exitUsage
	}
	err = play(ctx, opts, newScreen(stdout, opts.quiet, opts.noColor))
	switch {
	case err == nil:
		return exitTrue
	case ctx.Err() != nil:
		say(stderr, "quickstart: interrupted\n")
		return exitInterrupted
	default:
		say(stderr, "quickstart: %v\n", err)
		return exitFalse
	}
}

// say prints. Where nobody can read it any more there is nobody to tell.
func say(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }

const usage = `Usage: go run ./examples/quickstart [flags]

Starts an HTTP origin on the loopback interface, puts caches in front of it and
shows what they do. Exits with 1 if anything it shows is not true.

Flags:
`

func parse(args []string, help io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.IntVar(&o.callers, "callers", 1000, "how `many` callers ask at once in the first scene")
	fs.Uint64Var(&o.seed, "seed", 1, "`seed` of the origin's latencies; another seed is another order of answers")
	fs.Float64Var(&o.pace, "pace", 1, "stretch the origin's latencies by this `factor`, 0.2 to 10, to look closer")
	fs.BoolVar(&o.quiet, "quiet", false, "print the verdicts only")
	fs.BoolVar(&o.noColor, "no-color", false, "no colours, as with NO_COLOR in the environment")
	fs.Usage = func() {} // a mistake is answered with what is wrong, not with a page
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			say(help, usage)
			fs.SetOutput(help)
			fs.PrintDefaults()
		}
		return o, err
	}
	switch {
	case fs.NArg() > 0:
		return o, fmt.Errorf("it takes no arguments beside its flags: %q", fs.Args())
	case o.callers < 2 || o.callers > 100_000:
		return o, fmt.Errorf("-callers is 2 to 100000, not %d", o.callers)
	case !(o.pace >= 0.2 && o.pace <= 10): // false for NaN too
		return o, fmt.Errorf("-pace is 0.2 to 10, not %v", o.pace)
	}
	return o, nil
}

// play sets the stage, plays the scenes and clears the stage.
func play(ctx context.Context, opts options, scr *screen) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("it is not done after %v: something hangs", patience))
	defer cancel()
	begun := time.Now()
	st, err := newStage(opts, scr)
	if err != nil {
		return err
	}
	scr.text("freshet quickstart: %d airports served at %s", len(st.airports), st.origin.url())
	held, err := playAll(ctx, st, scenes())
	if err = errors.Join(err, st.close()); err != nil {
		return err
	}
	scr.text("")
	scr.always("%s", scr.paint(bold, fmt.Sprintf("All %d claims held, in %s.", held, seconds(time.Since(begun)))))
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
		st.scr.title(i+1, s.title())
		if err := s.play(ctx, st); err != nil {
			return held, fmt.Errorf("scene %d: %w", i+1, cause(ctx, err))
		}
		claims := s.claims()
		for _, c := range claims {
			st.scr.verdict(c)
		}
		if err := verify(claims); err != nil {
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
