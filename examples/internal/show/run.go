package show

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// What an example's process ends with.
const (
	ExitTrue        = 0
	ExitFalse       = 1 // a claim did not hold, or the show could not go on
	ExitUsage       = 2
	ExitInterrupted = 130
)

// Main runs a program with the process's arguments and output, under a context that Ctrl-C ends, and exits with what
// it returns. It does not return. A second Ctrl-C ends the process the hard way.
func Main(run func(ctx context.Context, args []string, stdout, stderr io.Writer) int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// Parse parses an example's arguments, which are flags alone, and then asks check, unless that is nil, whether they
// make sense. Where the program is not to go on, code is what it ends with: -h has printed usage and the flags to
// stdout, a mistake what is wrong to stderr, and not a page.
func Parse(flags *flag.FlagSet, usage string, args []string, check func() error, stdout, stderr io.Writer) (code int, goOn bool) {
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		say(stdout, "%s", usage)
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return ExitTrue, false
	case err == nil && flags.NArg() > 0:
		err = fmt.Errorf("it takes no arguments beside its flags: %q", flags.Args())
	case err == nil && check != nil:
		err = check()
	}
	if err != nil {
		say(stderr, "%s: %v\nRun it with -h to see what it takes.\n", flags.Name(), err)
		return ExitUsage, false
	}
	return ExitTrue, true
}

// Exit is what the example called name ends with when its show came to err, which it prints to stderr. ctx is the
// context of Main: once that has ended, the program was interrupted, whatever err that led to.
func Exit(ctx context.Context, name string, err error, stderr io.Writer) (code int) {
	switch {
	case err == nil:
		return ExitTrue
	case ctx.Err() != nil:
		say(stderr, "%s: interrupted\n", name)
		return ExitInterrupted
	default:
		say(stderr, "%s: %v\n", name, err)
		return ExitFalse
	}
}

// say prints. Where nobody can read it any more there is nobody to tell.
func say(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
