// Rest puts a cache in front of a real HTTP origin on the loopback interface
// and shows what goes over the wire: 200s that turn into 304s, and an outage
// that nobody notices who does not insist.
//
//	go run ./examples/rest
//
// What it claims it has checked: it exits with 1 if a claim does not hold.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/source/resilient"
	"github.com/freshet-go/freshet/api/source/rest"
	"github.com/freshet-go/freshet/examples/internal/show"
)

func main() { show.Main(run) }

const usage = `Usage: go run ./examples/rest

Puts a cache in front of an HTTP origin on the loopback interface and shows what
goes over the wire, in about seven seconds. Exits with 1 if anything it shows is
not true.
`

// run is the whole program and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("rest", flag.ContinueOnError)
	if code, goOn := show.Parse(flags, usage, args, nil, stdout, stderr); !goOn {
		return code
	}
	return show.Exit(ctx, "rest", play(ctx, stdout), stderr)
}

// patience bounds a run, which takes about seven seconds: the origin's max-age
// is in whole seconds, as HTTP has it.
const patience = time.Minute

// stage is what the scenes share.
type stage struct {
	out      io.Writer
	harbour  *harbour
	tides    *freshet.Cache[Tide]
	breaker  circuitbreaker.CircuitBreaker[freshet.Response[Tide]]
	failures []string
}

func play(ctx context.Context, out io.Writer) (err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	h, err := openHarbour()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()

	origin, err := rest.New(rest.Config[Tide]{
		Base:   h.url(),
		Item:   "/tides/{key}",
		Header: http.Header{"Authorization": {"Bearer sesame"}},
	})
	if err != nil {
		return err
	}
	defer origin.Close()
	// Three failures in a row and the origin is left alone for two seconds.
	breaker := circuitbreaker.NewBuilder[freshet.Response[Tide]]().WithFailureThreshold(3).WithDelay(2 * time.Second).Build()
	tides, err := freshet.New(freshet.Config[Tide]{
		Name:   "tides",
		Source: resilient.Source[Tide](origin, breaker),
		Freshness: freshet.Freshness{
			TTL:          time.Hour, // where the origin says nothing; it says max-age=1
			StaleOnError: time.Hour, // stale-if-error
		},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tides.Close(context.WithoutCancel(ctx))) }()

	s := &stage{out: out, harbour: h, tides: tides, breaker: breaker}
	for _, scene := range []func(context.Context) error{s.fresh, s.revalidated, s.changed, s.outage, s.back} {
		if err := scene(ctx); err != nil {
			return err
		}
	}
	if len(s.failures) > 0 {
		return fmt.Errorf("not true: %s", strings.Join(s.failures, "; "))
	}
	s.say("\nAll claims held.")
	return nil
}

func (s *stage) say(format string, args ...any) { _, _ = fmt.Fprintf(s.out, format+"\n", args...) }

// wire prints what the origin has answered since the last time.
func (s *stage) wire() {
	for _, line := range s.harbour.take() {
		s.say("   wire   %s", line)
	}
}

func (s *stage) claim(holds bool, text string) {
	mark := "ok"
	if !holds {
		mark = "NO"
		s.failures = append(s.failures, text)
	}
	s.say("   %s     %s", mark, text)
}

// get demands the tide and prints what came.
func (s *stage) get(ctx context.Context) (freshet.Snapshot[Tide], error) {
	snapshot, err := s.tides.Lookup(ctx, key)
	if err != nil {
		return snapshot, err
	}
	s.wire()
	s.say("   cache  %s, %v: %v", key, snapshot.State, snapshot.Value)
	return snapshot, nil
}

// aged waits until what is known is stale.
func (s *stage) aged(ctx context.Context) error {
	for {
		if snapshot, ok := s.tides.Peek(key); !ok || snapshot.State != freshet.Fresh {
			return nil
		}
		if err := rest1ms(ctx); err != nil {
			return err
		}
	}
}

func rest1ms(ctx context.Context) error {
	select {
	case <-time.After(time.Millisecond):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
