package main

import (
	"context"
	"fmt"

	"github.com/freshet-go/freshet/examples/internal/show"
	"github.com/freshet-go/freshet/streams"
	"github.com/freshet-go/freshet/streams/streamstest"
)

// expiry: the desk leaves with its token and comes back when the history does
// not reach back to it any more. It begins anew with a snapshot.
type expiry struct {
	left   uint64
	answer error
	values int
	synced uint64
}

func (x *expiry) play(ctx context.Context, s *story) (err error) {
	s.scr.Story("The desk leaves with its token and comes back when more has happened than the history holds.")
	var token streams.Token
	token, x.left = s.desk.leave()
	s.desk.now("is away")
	if err := s.pass(ctx, x.left+history+1); err != nil {
		return err
	}
	about := streamstest.Record[Quote]{Name: "the desk, back late", After: x.left}
	if x.answer = s.desk.open(ctx, about, streams.Since(token)); x.answer == nil {
		return nil // claims says so
	}
	s.scr.Fact("Since(its token), %s: %v", show.Count(x.left), x.answer)
	about = streamstest.Record[Quote]{Name: "the desk, anew", Snapshot: true}
	if err := s.desk.open(ctx, about, streams.WithSnapshot()); err != nil {
		return err
	}
	if x.values, err = s.desk.synced(ctx); err != nil {
		return err
	}
	x.synced = s.desk.board.revision
	s.desk.now("reads")
	s.scr.Fact("so it drops its board and begins with a snapshot: %s, synced at revision %s", show.Many(x.values, "value"), show.Count(x.synced))
	return nil
}

func (x *expiry) claims() []show.Claim {
	compacted, ok := isCompacted(x.answer)
	return []show.Claim{
		show.Claimed(ok && compacted.Oldest > x.left+1 && x.values == len(opening),
			fmt.Sprintf("a token that is too old is refused; a snapshot of %s replaces it", show.Many(x.values, "value")),
			"answered with %v, and %d values", x.answer, x.values),
	}
}
