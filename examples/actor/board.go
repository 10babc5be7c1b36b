package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/freshet-go/freshet/actors"
	freshet "github.com/freshet-go/freshet/api"
)

// board is the departure board of an airport: an actor as any other. It takes
// one step at a time, and the answer to a step is what lets it take the next.
type board struct {
	out    io.Writer
	cache  *freshet.Cache[Flight]
	origin *origin
	steps  []step
	done   chan<- struct{}

	resident bool // before the step
}

// step is a message to a resource.
type step struct {
	says    string
	key     string
	message any
	edit    string // what happens at the origin before: the flight's new state
}

var steps = []step{
	{says: "Demand", key: "BA117", message: actors.Demand{}},
	{says: "Demand", key: "BA117", message: actors.Demand{}},
	{says: "Demand", key: "BA117", message: actors.Demand{}, edit: "boarding"},
	{says: "Reload", key: "BA117", message: actors.Reload{}},
	{says: "Invalidate", key: "BA117", message: actors.Invalidate{}, edit: "departed"},
	{says: "Demand", key: "BA117", message: actors.Demand{}},
	{says: "Invalidate", key: "LX318", message: actors.Invalidate{}},
	{says: "Reload", key: "LX318", message: actors.Reload{}},
	{says: "Demand", key: "XX999", message: actors.Demand{}},
	{says: "string", key: "LX318", message: "hello"},
}

// Receive implements actor.Actor.
func (b *board) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		b.print("%-11s %-7s %-8s %6s  %s\n", "message", "flight", "resident", "calls", "answer")
		b.next(ctx)
	case actors.Answer[Flight]:
		b.show(m)
		b.steps = b.steps[1:]
		b.next(ctx)
	}
}

// next sends the message of the next step. Whether its resource is in the
// cache is of no concern.
func (b *board) next(ctx actor.Context) {
	if len(b.steps) == 0 {
		close(b.done)
		return
	}
	s := b.steps[0]
	if s.edit != "" {
		b.origin.edit(s.key, s.edit)
		b.print("%36s (the origin: %s is now %s)\n", "", s.key, s.edit)
	}
	_, b.resident = b.cache.Peek(s.key)
	ctx.Request(b.cache.Ref(s.key), s.message)
}

func (b *board) print(format string, args ...any) { _, _ = fmt.Fprintf(b.out, format, args...) }

// show prints the answer to the step.
func (b *board) show(a actors.Answer[Flight]) {
	s := b.steps[0]
	resident := "no"
	if b.resident {
		resident = "yes"
	}
	answer := fmt.Sprint(a.Snapshot.State) // Empty: nothing is known
	switch v := a.Snapshot.Value; {
	case errors.Is(a.Err, freshet.ErrNotFound):
		answer = "error: no such flight"
	case a.Err != nil:
		answer = "error:\n  " + strings.TrimPrefix(a.Err.Error(), "freshet: ")
	case v != Flight{}:
		answer += ": " + v.To + ", " + v.State
	}
	b.print("%-11s %-7s %-8s %6d  %s\n", s.says, a.Snapshot.Key, resident, b.origin.calls(), answer)
}
