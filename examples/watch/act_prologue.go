package main

import (
	"context"
	"fmt"
	"time"

	"github.com/freshet-go/freshet/examples/internal/show"
	"github.com/freshet-go/freshet/streams"
	"github.com/freshet-go/freshet/streams/streamstest"
)

// prologue: the board hangs, and the desk opens.
type prologue struct {
	values int // of the desk's snapshot
}

func (p *prologue) play(ctx context.Context, s *story) (err error) {
	s.scr.Story("The board subscribes with WithSnapshot and Live: what the cache holds, then all that happens; and as long "+
		"as it hangs, the cache fetches its %d prices every %s. A desk subscribes beside it. The cache keeps %d events: who is "+
		"further behind loses some.", len(opening), show.Millis(refresh), history)
	s.desk.now("opens")
	if err := s.desk.open(ctx, streamstest.Record[Quote]{Name: "the desk", Snapshot: true}, streams.WithSnapshot()); err != nil {
		return err
	}
	if p.values, err = s.desk.synced(ctx); err != nil {
		return err
	}
	synced := s.desk.board.revision
	s.desk.now("reads")
	if err := s.desk.follow(ctx, 800*time.Millisecond); err != nil {
		return err
	}
	s.scr.Fact("the desk has %d prices, synced at revision %s, and %s since",
		p.values, show.Count(synced), show.Many(len(s.desk.parts[0].Events)-p.values-1, "event"))
	return nil
}

func (p *prologue) claims(s *story) []show.Claim {
	return []show.Claim{
		show.Claimed(s.wall.snapshot == len(opening) && p.values == len(opening),
			fmt.Sprintf("both began with a snapshot of %d values", len(opening)),
			"%d and %d values", s.wall.snapshot, p.values),
	}
}
