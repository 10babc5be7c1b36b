// Rx shows a cache's events through rxgo operators that are safe on a hot
// stream, beside the typed ones of package streams, and the typed ones alone
// where rxgo's must be avoided:
//
//	go run ./examples/rx
//
// What it prints is the same every time. It exits with 1 and says what was not
// true if one of its claims fails.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/examples/internal/show"
	"github.com/freshet-go/freshet/streams"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process the hard way
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

const usage = `Usage: go run ./examples/rx

Plays a short tape of prices into a cache and shows its events through rxgo
operators and through typed ones, side by side. Exits with 1 if anything it
shows is not true.
`

// patience bounds a whole run, which takes a moment.
const patience = 30 * time.Second

// run is the whole program: it returns 0 if all that it shows is true, 1 if
// not, 2 for arguments, 130 when it was interrupted.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("rx", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	err := fs.Parse(args)
	if err == nil && fs.NArg() > 0 {
		err = fmt.Errorf("it takes no arguments: %q", fs.Args())
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		say(stdout, usage)
		return 0
	case err != nil:
		say(stderr, "rx: %v\n%s", err, usage)
		return 2
	}
	bounded, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("it is not done after %v: something hangs", patience))
	defer cancel()
	err = play(bounded, &page{w: stdout})
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil:
		say(stderr, "rx: interrupted\n")
		return 130
	default:
		say(stderr, "rx: %v\n", err)
		return 1
	}
}

// say prints. Where nobody can read it any more there is nobody to tell.
func say(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }

// scene shows one thing and claims what it has shown.
type scene func(context.Context, *stage, *page) ([]show.Claim, error)

// stage is what the scenes share.
type stage struct {
	exchange *exchange
	prices   *freshet.Cache[Quote] // metals and crops on one tape
	sides    []*side
	begin    streams.Token    // a place before the tape
	seen     map[string][]int // what the tape brought, by instrument
}

func play(ctx context.Context, p *page) error {
	before := runtime.NumGoroutine()
	st, err := newStage(ctx)
	if err != nil {
		return err
	}
	var claims []show.Claim
	for _, s := range []scene{observers, sideBySide, take, merge, group, debounce} {
		more, err := s(ctx, st, p)
		if err != nil {
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			return errors.Join(err, st.prices.Close(context.Background()))
		}
		claims = append(claims, more...)
	}
	left := 0
	err = until(ctx, func() bool { left = runtime.NumGoroutine() - before; return left <= 0 })
	claims = append(claims, show.Claimed(err == nil, "no goroutine is left behind", "%d are", left))
	p.line("")
	for _, c := range claims {
		p.verdict(c)
	}
	return show.Verify(claims)
}

// newStage opens the cache and takes the cursors of what is to be read later.
func newStage(ctx context.Context) (st *stage, err error) {
	st = &stage{exchange: newExchange(), sides: sides(), seen: make(map[string][]int)}
	if st.prices, err = st.exchange.open("prices"); err != nil {
		return nil, err
	}
	sub, err := st.prices.Watch(ctx)
	if err != nil {
		return nil, err
	}
	st.begin = sub.Token()
	sub.Close()
	for _, s := range st.sides {
		if err := s.prepare(ctx, st); err != nil {
			return nil, errors.Join(err, st.prices.Close(context.Background()))
		}
	}
	return st, nil
}

// until waits until done, looking every millisecond: for what has no signal of
// its own.
func until(ctx context.Context, done func() bool) error {
	ticks := time.NewTicker(time.Millisecond)
	defer ticks.Stop()
	for !done() {
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
