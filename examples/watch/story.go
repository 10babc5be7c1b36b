package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/freshet-go/freshet/examples/internal/show"
	"github.com/freshet-go/freshet/streams"
)

// story is what happens, in order. Its acts are measured as they are played
// and checked at the end, against what the witness saw.
type story struct {
	*floor
	scr     *show.Screen
	witness *witness
	wall    *wall
	desk    *desk

	opened prologue
	pause  absence
	slow   lapse
	late   expiry
	end    finale
}

func (s *story) tell(ctx context.Context) (err error) {
	s.scr.Text("freshet watch: %d instruments, their prices served at %s", len(opening), s.origin.url)
	if s.witness, err = call(ctx, s.cache); err != nil {
		return err
	}
	// What the board finds when it is hung up: its snapshot.
	if _, err = s.cache.GetMany(ctx, instruments()); err != nil {
		return err
	}
	if s.wall, err = hang(ctx, s.cache); err != nil {
		return err
	}
	s.desk = &desk{cache: s.cache}
	s.desk.now("is closed")
	stop := s.scr.Animate(s.frame)
	defer stop()
	for i, act := range []struct {
		title string
		play  func(context.Context, *story) error
	}{
		{"Snapshot, then tail", s.opened.play},
		{"Away for a moment", s.pause.play},
		{"Too slow", s.slow.play},
		{"Away for too long", s.late.play},
		{"The closing bell", s.end.play},
	} {
		s.scr.Title("%d  %s", i+1, act.title)
		if err := act.play(ctx, s); err != nil {
			return fmt.Errorf("act %d: %w", i+1, err)
		}
	}
	stop()
	s.scr.Text("")
	for _, line := range s.wall.lines(s.scr) {
		s.scr.Text("%s", line)
	}
	return nil
}

// frame is what a terminal shows while the story goes on.
func (s *story) frame() []string {
	return append(append([]string{""}, s.wall.lines(s.scr)...), "", fmt.Sprintf("   revision %s   %s",
		show.Count(s.wall.revision()), s.scr.Paint(show.Cyan, "the desk "+*s.desk.doing.Load())))
}

// until waits until done, looking every few milliseconds.
func (s *story) until(ctx context.Context, done func() bool) error {
	ticks := time.NewTicker(2 * time.Millisecond)
	defer ticks.Stop()
	for !done() {
		select {
		case <-ticks.C:
		case <-s.wall.done:
			return fmt.Errorf("the board went dark: %w", s.wall.sub.Err())
		case <-s.witness.done:
			return fmt.Errorf("the witness left: %w", s.witness.sub.Err())
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// pass waits until the cache has come to a revision.
func (s *story) pass(ctx context.Context, revision uint64) error {
	return s.until(ctx, func() bool { return s.wall.revision() >= revision && s.witness.revision() >= revision })
}

// isCompacted is what a token that is too old is answered with.
func isCompacted(err error) (*streams.CompactedError, bool) {
	var compacted *streams.CompactedError
	ok := errors.As(err, &compacted)
	return compacted, ok
}

func isLagged(err error) bool { return errors.Is(err, streams.ErrLagged) }

// claims is everything that the story shows, checked.
func (s *story) claims() []show.Claim {
	claims := s.opened.claims(s)
	claims = append(claims, s.pause.claims(s.end.truth)...)
	claims = append(claims, s.slow.claims(s.end.truth)...)
	claims = append(claims, s.late.claims()...)
	return append(claims, s.end.claims()...)
}

// wait waits for d.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
