package main

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/freshet-go/freshet/examples/internal/show"
)

// scene is one thing to show.
type scene interface {
	title() string
	play(ctx context.Context, st *stage) error // do it, print it, keep what was seen
	claims() []show.Claim                      // what was seen, checked
}

// stage is what the scenes share.
type stage struct {
	scr      *show.Screen
	pace     time.Duration
	origin   *origin
	ann, bob *client
	feeds    map[*client]*feed // by whose writes they bring to the other one
	calls    sync.WaitGroup
	printed  int // answers of the origin that were printed
}

func newStage(ctx context.Context, scr *show.Screen, pace time.Duration) (st *stage, err error) {
	st = &stage{scr: scr, pace: pace, feeds: make(map[*client]*feed)}
	defer func() {
		if err != nil {
			err = errors.Join(err, st.close())
		}
	}()
	if st.origin, err = startOrigin("buy milk", "call mum", "water the plants"); err != nil {
		return st, err
	}
	if st.ann, err = newClient(ctx, "ann", st.origin.url); err != nil {
		return st, err
	}
	if st.bob, err = newClient(ctx, "bob", st.origin.url); err != nil {
		return st, err
	}
	if st.feeds[st.ann], err = startFeed(ctx, st.ann, st.bob); err != nil {
		return st, err
	}
	st.feeds[st.bob], err = startFeed(ctx, st.bob, st.ann)
	return st, err
}

// close ends the origin first: what it still holds is broken off.
func (st *stage) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var errs []error
	if st.origin != nil {
		errs = append(errs, st.origin.close())
	}
	for _, f := range st.feeds {
		if f != nil {
			f.close()
		}
	}
	for _, c := range []*client{st.ann, st.bob} {
		if c != nil {
			errs = append(errs, c.close(ctx))
		}
	}
	st.calls.Wait()
	return errors.Join(errs...)
}

// call is something that a client has asked for.
type call struct {
	done chan struct{}
	err  error
}

// start has f run beside the show.
func (st *stage) start(f func() error) *call {
	c := &call{done: make(chan struct{})}
	st.calls.Go(func() {
		defer close(c.done)
		c.err = f()
	})
	return c
}

// wait waits until the call is over, and leaves how it went in err.
func (c *call) wait(ctx context.Context) error {
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// deliver waits until the other client knows what c has written.
func (st *stage) deliver(ctx context.Context, c *client) error {
	if err := c.diary.catchUp(ctx); err != nil {
		return err
	}
	return st.feeds[c].await(ctx, c.diary.revision())
}

// newPage has the clients' diaries begin with what is to come.
func (st *stage) newPage(ctx context.Context) error {
	for _, c := range []*client{st.ann, st.bob} {
		if err := c.diary.catchUp(ctx); err != nil {
			return err
		}
		c.diary.take()
	}
	return nil
}

// look prints both boards as they are now.
func (st *stage) look(ctx context.Context, when string) (look, error) {
	l := look{ann: st.ann.board(), bob: st.bob.board()}
	st.scr.Text("")
	st.scr.Text("   %s", when)
	for _, line := range l.lines(st.scr) {
		st.scr.Text("      %s", line)
	}
	why := "look at the boards"
	if held := st.origin.held(); len(held) > 0 {
		why = "the origin has not answered " + strings.Join(held, ", ")
	}
	return l, st.scr.Pause(ctx, st.pace, why)
}

// wire prints what the origin has answered since the last time.
func (st *stage) wire() []string {
	lines := st.origin.answered(st.printed)
	st.printed += len(lines)
	st.scr.Text("")
	for _, line := range lines {
		st.scr.Text("   wire   %s", line)
	}
	return lines
}

// told prints a client's events since the last time.
func (st *stage) told(ctx context.Context, c *client) ([]string, error) {
	err := c.diary.catchUp(ctx)
	entries := c.diary.take()
	for _, entry := range entries {
		st.scr.Text("   event  %s %s", c.name, entry)
	}
	return entries, err
}

// error prints what a caller was told.
func (st *stage) error(c *client, err error) {
	text := "none"
	if err != nil { // the port is another one in each run
		text = strings.ReplaceAll(strings.TrimPrefix(err.Error(), "freshet: "), st.origin.url, "http://origin")
	}
	for i, line := range show.Wrap(text, show.Columns-14) {
		label := "error  " + c.name
		if i > 0 {
			label = ""
		}
		st.scr.Text("   %-10s %s", label, line)
	}
}
