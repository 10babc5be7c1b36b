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
	seed    uint64
	noColor bool
}

// run is the whole program and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	opts, err := parse(args, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitTrue
	case err != nil:
		say(stderr, "watch: %v\nRun it with -h to see what it takes.\n", err)
		return exitUsage
	}
	err = play(ctx, opts, newScreen(stdout, opts.noColor))
	switch {
	case err == nil:
		return exitTrue
	case ctx.Err() != nil:
		say(stderr, "watch: interrupted\n")
		return exitInterrupted
	default:
		say(stderr, "watch: %v\n", err)
		return exitFalse
	}
}

// say prints. Where nobody can read it any more there is nobody to tell.
func say(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }

const usage = `Usage: go run ./examples/watch [flags]

Follows the prices of an HTTP origin on the loopback interface through a cache,
and shows what becomes of a reader that is slow, away, or away for too long.
Exits with 1 if anything it shows is not true.

Flags:
`

func parse(args []string, help io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("watch", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Uint64Var(&o.seed, "seed", 1, "`seed` of the market: another seed is another course of prices")
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
	if fs.NArg() > 0 {
		return o, fmt.Errorf("it takes no arguments beside its flags: %q", fs.Args())
	}
	return o, nil
}

// play opens the market, tells the story and checks it.
func play(ctx context.Context, opts options, scr *screen) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("it is not done after %v: something hangs", patience))
	defer cancel()
	begun := time.Now()
	f, err := openFloor(opts.seed)
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
	claims := s.claims()
	scr.text("")
	for _, c := range claims {
		scr.verdict(c)
	}
	if err := verify(claims); err != nil {
		return err
	}
	scr.text("")
	scr.text("%s", scr.paint(bold, fmt.Sprintf("All %d claims held, in %s.", len(claims), seconds(time.Since(begun)))))
	return nil
}
