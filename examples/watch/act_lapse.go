package main

import (
	"context"
	"fmt"

	"github.com/freshet-go/freshet/examples/internal/show"
	"github.com/freshet-go/freshet/streams"
	"github.com/freshet-go/freshet/streams/streamstest"
)

// lapse: the desk stays subscribed and does not read until the history has
// passed it by. It is disconnected, told what is lost, and goes on behind it.
type lapse struct {
	lagged *streams.LaggedError
	left   uint64 // the revision of the desk's own token
	own    error  // what that is answered with: the place before the loss is gone
	again  error  // what the error's token is answered with; nil: it was good
	caught []streams.Event[Quote]
	values int // where it was not: those of the snapshot that the desk began with instead
}

// stall is how far behind a reader is for sure too slow: what it holds itself
// is beside the history.
const stall = history + ahead + 32

func (l *lapse) play(ctx context.Context, s *story) (err error) {
	s.scr.Story("The desk does not read. It said nothing of OnOverflow, so it is disconnected: nobody goes on with a hole " +
		"without having said so.")
	err = s.until(ctx, func() bool {
		lag := s.desk.sub.Lag()
		s.desk.now(fmt.Sprintf("does not read: %s behind", show.Many(lag, "event")))
		return lag >= stall
	})
	if err != nil {
		return err
	}
	if l.lagged, err = s.desk.lapped(ctx); err != nil {
		return err
	}
	old, was := s.desk.sub, s.desk.board.quotes()
	if err := l.resume(ctx, s); err != nil {
		return err
	}
	// The desk's own token says where it was before the loss.
	l.left = old.Revision()
	if sub, err := s.cache.Watch(ctx, streams.Since(old.Token())); err == nil {
		sub.Close()
	} else {
		l.own = err
	}
	s.scr.Fact("%v, %s", l.lagged, show.Many(l.lagged.To-l.lagged.From+1, "event"))
	s.scr.Fact("Since(its token), %s: %v", show.Count(l.left), l.own)
	if l.again != nil {
		s.scr.Fact("Since(the token in the error), %s: %v", show.Count(l.lagged.To), l.again)
		s.scr.Fact("too late again, so it began with a snapshot of %s, synced at revision %s", show.Many(l.values, "value"), show.Count(s.desk.board.revision))
	} else {
		s.scr.Fact("Since(the token in the error), %s: it goes on behind the loss and caught up on:", show.Count(l.lagged.To))
		tell(s.scr, was, l.caught)
	}
	s.desk.now("reads")
	return nil
}

// resume goes on with the error's token, at once: it is the very edge of the
// history. Where the cache has moved on meanwhile there is the snapshot.
func (l *lapse) resume(ctx context.Context, s *story) (err error) {
	about := streamstest.Record[Quote]{Name: "the desk, after the loss", After: l.lagged.To}
	if l.again = s.desk.open(ctx, about, streams.Since(l.lagged.Token)); l.again == nil {
		l.caught, l.again = s.desk.catchUp(ctx)
	}
	if l.again == nil {
		return nil
	}
	about = streamstest.Record[Quote]{Name: "the desk, anew", Snapshot: true}
	if err := s.desk.open(ctx, about, streams.WithSnapshot()); err != nil {
		return err
	}
	l.values, err = s.desk.synced(ctx)
	return err
}

func (l *lapse) claims(truth []streams.Event[Quote]) []show.Claim {
	lost := 0
	for _, e := range truth {
		if l.lagged.From <= e.Revision && e.Revision <= l.lagged.To {
			lost++
		}
	}
	told := int(l.lagged.To - l.lagged.From + 1)
	_, gone := isCompacted(l.own)
	claims := []show.Claim{
		show.Claimed(told == lost && lost > 0 && l.lagged.From == l.left+1,
			fmt.Sprintf("the slow desk was disconnected and told of all %s it lost", show.Many(lost, "event")),
			"%d of %d told, from revision %d after %d", told, lost, l.lagged.From, l.left),
		show.Claimed(gone, "the place before a loss cannot be gone back to", "its token is answered with: %v", l.own),
	}
	if l.again == nil {
		return append(claims, show.Claimed(len(l.caught) > 0 && l.caught[0].Revision == l.lagged.To+1,
			"it went on with the first event behind the loss", "%d events: %v", len(l.caught), l.caught))
	}
	_, gone = isCompacted(l.again)
	return append(claims, show.Claimed((gone || isLagged(l.again)) && l.values == len(opening),
		"too late for the place behind the loss, it was told and began anew", "%v, and %d values", l.again, l.values))
}
