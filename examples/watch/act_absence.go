package main

import (
	"context"
	"fmt"

	"github.com/freshet-go/freshet/examples/internal/show"
	"github.com/freshet-go/freshet/streams"
	"github.com/freshet-go/freshet/streams/streamstest"
)

// absence: the desk leaves, keeps its token, and comes back while the history
// still holds what it missed.
type absence struct {
	left   uint64 // the revision of its token
	behind uint64 // what Lag says when it is back
	caught []streams.Event[Quote]
}

// shortBreak is how many events pass meanwhile.
const shortBreak = history / 2

func (a *absence) play(ctx context.Context, s *story) (err error) {
	s.scr.Story("The desk closes its subscription and keeps the token. After %d events it comes back with streams.Since(token).", shortBreak)
	var token streams.Token
	token, a.left = s.desk.leave()
	s.desk.now("is away")
	if err := s.pass(ctx, a.left+shortBreak); err != nil {
		return err
	}
	if err := s.desk.open(ctx, streamstest.Record[Quote]{Name: "the desk, back", After: a.left}, streams.Since(token)); err != nil {
		return err
	}
	a.behind = s.desk.sub.Lag()
	was := s.desk.board.quotes()
	if a.caught, err = s.desk.catchUp(ctx); err != nil {
		return err
	}
	s.desk.now("reads")
	s.scr.Fact("left at revision %s, came back %s behind, caught up on:", show.Count(a.left), show.Many(a.behind, "event"))
	tell(s.scr, was, a.caught)
	return nil
}

func (a *absence) claims(truth []streams.Event[Quote]) []show.Claim {
	missed := 0
	whole := len(a.caught) >= int(a.behind)
	for _, e := range truth {
		if e.Revision <= a.left || missed == len(a.caught) {
			continue
		}
		whole = whole && same(a.caught[missed], e)
		missed++
	}
	return []show.Claim{
		show.Claimed(whole && a.behind >= shortBreak && missed == len(a.caught),
			fmt.Sprintf("a token brought the desk all %s that it had missed, each once, in order", show.Many(len(a.caught), "event")),
			"%d of %d, at least %d, as they happened: %v", missed, len(a.caught), a.behind, whole),
	}
}

// same says whether two events tell the same.
func same(a, b streams.Event[Quote]) bool {
	return a.Revision == b.Revision && a.Kind == b.Kind && a.Key == b.Key &&
		(a.After == nil) == (b.After == nil) && (a.After == nil || *a.After == *b.After)
}
