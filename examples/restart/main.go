// Restart kills itself with SIGKILL and comes back warm:
//
//	go run ./examples/restart
//
// It starts an HTTP origin and then itself, as a process with a cache on a bolt
// file. That process learns, is killed in mid-work, and is started again. What
// the program claims it has counted at the origin: it exits with 1 and says what
// was not true if a claim fails.
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
	if len(os.Args) == 4 && os.Getenv(childEnv) != "" {
		os.Exit(child(os.Args[1], os.Args[2], os.Args[3], os.Stdin, os.Stdout, os.Stderr))
	}
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

// patience bounds a whole run, which takes about three seconds.
const patience = time.Minute

const usage = `Usage: go run ./examples/restart [flags]

Starts an HTTP origin on the loopback interface and a process with a cache on a
bolt file, kills that process with SIGKILL while it works, and starts it again.
Exits with 1 if it does not come back warm.

Flags:
`

// run is the whole program but for the process that is killed.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("restart", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	noColor := fs.Bool("no-color", false, "no colours, as with NO_COLOR in the environment")
	dir := fs.String("dir", "", "keep the bolt file in this `directory`, to look at it (default: a temporary one)")
	err := fs.Parse(args)
	if err == nil && fs.NArg() > 0 {
		err = fmt.Errorf("it takes no arguments beside its flags: %q", fs.Args())
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		_, _ = fmt.Fprint(stdout, usage)
		fs.SetOutput(stdout)
		fs.PrintDefaults()
		return exitTrue
	case err != nil:
		_, _ = fmt.Fprintf(stderr, "restart: %v\nRun it with -h to see what it takes.\n", err)
		return exitUsage
	}
	bounded, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("it is not done after %v: something hangs", patience))
	defer cancel()
	err = play(bounded, *dir, newScreen(stdout, *noColor))
	switch {
	case err == nil:
		return exitTrue
	case ctx.Err() != nil:
		_, _ = fmt.Fprintln(stderr, "restart: interrupted")
		return exitInterrupted
	case bounded.Err() != nil:
		err = errors.Join(context.Cause(bounded), err)
	}
	_, _ = fmt.Fprintf(stderr, "restart: %v\n", err)
	return exitFalse
}
