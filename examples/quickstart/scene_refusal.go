package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/examples/internal/show"
	"github.com/freshet-go/freshet/streams"
)

// refusal: an edit is shown at once, the origin says no, and it is taken back.
type refusal struct {
	before, during, after freshet.Snapshot[Airport]
	shown, took           time.Duration // from the edit to its being seen, to its answer
	err                   error         // of the edit
	told                  []streams.Event[Airport]
	seen                  []int // elevations that a reader saw, each until it changed
	readErr               error
	reads, writes         int // requests at the origin
	truth                 Airport
}

const (
	refusalKey = "SIN"
	typo       = 1000 // times too high
)

func (*refusal) title() string { return "An edit that the origin refuses" }

func (r *refusal) play(ctx context.Context, st *stage) (err error) {
	// This cache keeps what it knows: nothing is read again because time passes.
	cache, client := st.guarded.cache, st.guarded.client
	st.origin.answerAfter(func(string, int) time.Duration { return 0 })
	if r.before, err = cache.Lookup(ctx, refusalKey); err != nil {
		return err
	}
	slow := st.uneven(350*time.Millisecond, 450*time.Millisecond)
	looked := make(chan struct{}) // here and by the reader: then the origin may answer
	st.origin.answerInTurn(func(string, int) time.Duration { return slow }, after(looked))
	st.scr.Story("Somebody edits the elevation of %s and makes it 1,000 times too high. The edit shows at once, while it is on "+
		"its way to the origin, which knows better.", refusalKey)
	requests := st.origin.requests(refusalKey)
	sub, err := cache.Watch(ctx, streams.Keys(refusalKey))
	if err != nil {
		return err
	}
	defer sub.Close()
	saw, stopReader := r.reader(ctx, cache)
	defer stopReader()

	begun := time.Now()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, r.err = cache.Mutate(ctx, refusalKey, freshet.Mutation[Airport]{
			Apply: func(a Airport) (Airport, error) {
				a.ElevationFt *= typo
				return a, nil
			},
			Commit: client.write,
		})
		r.took = time.Since(begun)
	}()
	if err := r.next(ctx, sub); err != nil {
		return err
	}
	r.during, _ = cache.Peek(refusalKey)
	r.shown = time.Since(begun)
	stopWaiting := st.scr.Wait(func() string { return "the edit is with the origin" }, nil)
	select {
	case <-saw:
	case <-ctx.Done():
	}
	close(looked)
	<-done
	stopWaiting()
	stopReader()
	r.after, _ = cache.Peek(refusalKey)
	if err := r.next(ctx, sub); err != nil {
		return err
	}
	r.reads = st.origin.requests(refusalKey) - requests
	r.truth, r.writes = st.origin.record(refusalKey)
	r.print(st.scr)
	return nil
}

// reader reads on and on until stop is called, once more then, and keeps what
// it saw. It closes saw when it sees another value than at first.
func (r *refusal) reader(ctx context.Context, cache *freshet.Cache[Airport]) (saw <-chan struct{}, stop func()) {
	another := make(chan struct{})
	read := func() {
		a, err := cache.Get(ctx, refusalKey)
		if err != nil {
			r.readErr = err
		} else if n := len(r.seen); n == 0 || r.seen[n-1] != a.ElevationFt {
			r.seen = append(r.seen, a.ElevationFt)
			if n == 1 {
				close(another)
			}
		}
	}
	read()
	quit, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		ticks := time.NewTicker(time.Millisecond)
		defer ticks.Stop()
		for {
			select {
			case <-ticks.C:
				read()
			case <-quit:
				read()
				return
			}
		}
	}()
	return another, sync.OnceFunc(func() { close(quit); <-gone })
}

// next waits for the next event.
func (r *refusal) next(ctx context.Context, sub *streams.Subscription[Airport]) error {
	e, err := sub.Next(ctx)
	if err == nil {
		r.told = append(r.told, e)
	}
	return err
}

func (r *refusal) print(scr *show.Screen) {
	line := func(at time.Duration, s freshet.Snapshot[Airport]) {
		scr.Text("   after %6s  %s ft, %d pending", show.Millis(at), show.Count(s.Value.ElevationFt), s.Pending)
	}
	line(0, r.before)
	line(r.shown, r.during)
	line(r.took, r.after)
	for _, e := range r.told {
		scr.Text("   event %-10v  %s → %s ft", e.Kind, elevation(e.Before), elevation(e.After))
	}
	scr.Fact("who made the edit is told: %s", reason(r.err))
	scr.Fact("%s to write, %s to read", show.Many(r.writes, "request"), show.Many(r.reads, "request"))
}

func elevation(a *Airport) string {
	if a == nil {
		return "nothing"
	}
	return show.Count(a.ElevationFt)
}

func (r *refusal) claims() []show.Claim {
	was := r.before.Value.ElevationFt
	wrong := was * typo
	var write *freshet.WriteError
	var no *refusedError
	return []show.Claim{
		show.Claimed(r.during.Value.ElevationFt == wrong && r.during.Pending == 1 && r.shown < r.took,
			"the edit was seen before the origin had answered", "%d, %d pending, after %v of %v",
			r.during.Value.ElevationFt, r.during.Pending, r.shown, r.took),
		show.Claimed(errors.As(r.err, &write) && !write.Unknown && errors.As(r.err, &no),
			"who made it was told that the origin refused it, and why", "%v", r.err),
		show.Claimed(r.after.Value == r.before.Value && r.after.Pending == 0 && r.truth == r.before.Value &&
			r.writes == 1 && r.reads == 0, "it was taken back, and nobody had to ask what was there before",
			"%v, the origin has %v; %d writes, %d reads", r.after.Value, r.truth, r.writes, r.reads),
		show.Claimed(r.readErr == nil && slices.Equal(r.seen, []int{was, wrong, was}) && len(r.told) == 2 &&
			told(r.told[0], streams.Optimistic, was, wrong) && told(r.told[1], streams.RolledBack, wrong, was),
			"a reader and the events saw it come and go", "%v, %v; %v", r.seen, r.readErr, r.told),
	}
}

// told says whether e tells of such a change.
func told(e streams.Event[Airport], kind streams.Kind, before, after int) bool {
	return e.Kind == kind && e.Before != nil && e.After != nil && e.Before.ElevationFt == before && e.After.ElevationFt == after
}
