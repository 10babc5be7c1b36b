package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/examples/internal/show"
)

// leaver: of several callers that wait for one answer, the one that started
// the request loses patience.
type leaver struct {
	stayed, answered int
	leftErr          error
	left, came       time.Duration // after the beginning
	requests, cut    int           // at the origin
	err              error
}

const leaverKey = "KEF"

func (*leaver) title() string { return "A caller that leaves early" }

func (l *leaver) play(ctx context.Context, st *stage) error {
	const others = 7
	cache := st.polite.cache
	slow := st.uneven(400*time.Millisecond, 550*time.Millisecond)
	gone := make(chan struct{})
	st.origin.answerInTurn(func(string, int) time.Duration { return slow }, after(gone))
	st.scr.Story("The caller whose request is on its way to the origin leaves; %d others, who joined it, stay.", others)

	begun := time.Now()
	first, leave := context.WithCancel(ctx)
	defer leave()
	go func() {
		defer close(gone)
		_, l.leftErr = cache.Get(first, leaverKey)
		l.left = time.Since(begun)
	}()
	if err := st.origin.awaitRequests(ctx, leaverKey, 1); err != nil {
		return err
	}
	futures := make([]*freshet.Future[Airport], others)
	for i := range futures {
		futures[i] = cache.Fetch(ctx, leaverKey)
	}
	l.stayed = len(futures)
	stop := st.scr.Wait(func() string {
		select {
		case <-gone:
			return fmt.Sprintf("the first caller has left, %d wait", l.stayed)
		default:
			return fmt.Sprintf("%d callers wait", l.stayed+1)
		}
	}, nil)
	defer stop()
	if err := rest(ctx, slow/3); err != nil {
		return err
	}
	leave()
	<-gone
	var record Airport
	for _, f := range futures {
		r, err := f.Await(ctx)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			l.err = err
		case r.IATA == leaverKey:
			record = r
			l.answered++
		}
	}
	l.came = time.Since(begun)
	stop()
	l.requests, l.cut = st.origin.requests(leaverKey), st.origin.cutShort(leaverKey)
	st.scr.Fact("caller 1 left after %s: %v", show.Millis(l.left), l.leftErr)
	st.scr.Fact("callers 2 to %d got %s after %s", l.stayed+1, record.Name, show.Millis(l.came))
	st.scr.Fact("%s at the origin, %d cut short", show.Many(l.requests, "request"), l.cut)
	return nil
}

func (l *leaver) claims() []show.Claim {
	return []show.Claim{
		show.Claimed(errors.Is(l.leftErr, context.Canceled) && l.left < l.came,
			"the caller that left did not wait for the answer", "it got %v after %v", l.leftErr, l.left),
		show.Claimed(l.answered == l.stayed && l.requests == 1 && l.cut == 0,
			fmt.Sprintf("the other %d got theirs from the request that it had started", l.stayed),
			"%d answered, %d requests, %d cut short, error: %v", l.answered, l.requests, l.cut, l.err),
	}
}
