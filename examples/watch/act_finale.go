package main

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/freshet-go/freshet/examples/internal/show"
	"github.com/freshet-go/freshet/streams"
	"github.com/freshet-go/freshet/streams/streamstest"
)

// finale: trading ends, everybody comes to rest, and the boards are compared
// with the cache and with the market.
type finale struct {
	board, desk, cache, market map[string]Quote
	truth                      []streams.Event[Quote]
	parts                      []streamstest.Record[Quote] // what the board and the desk saw
	requests, unchanged        uint64                      // at the origin
	flights                    uint64
}

func (f *finale) play(ctx context.Context, s *story) error {
	s.scr.Story("Trading ends. The board and the desk read on to the last event, then both are held against the cache and the market.")
	if err := s.desk.follow(ctx, 400*time.Millisecond); err != nil {
		return err
	}
	s.market.close()
	var last uint64
	err := s.until(ctx, func() (ok bool) { // Live brings the last prices too
		last, ok = s.settled()
		return ok
	})
	if err != nil {
		return err
	}
	if err := s.pass(ctx, last); err != nil {
		return err
	}
	if err := s.wall.takeDown(); err != nil { // and nothing is fetched any more
		return err
	}
	if err := f.rest(ctx, s); err != nil {
		return err
	}
	s.desk.leave()
	s.desk.now("is closed")
	f.board, f.desk = s.wall.quotes(), s.desk.board.quotes()
	f.cache, f.market = make(map[string]Quote), make(map[string]Quote)
	for name, snapshot := range s.cache.All() {
		f.cache[name] = snapshot.Value
	}
	for _, name := range instruments() {
		f.market[name], _ = s.market.quote(name)
	}
	f.parts = append([]streamstest.Record[Quote]{s.wall.recorder.Record()}, s.desk.parts...)
	f.flights = s.cache.Stats().Flights
	f.requests, f.unchanged = s.origin.requests.Load(), s.origin.unchanged.Load()
	s.scr.Fact("%s since the beginning; the board was never later than %s", show.Many(len(f.truth), "event"), show.Millis(s.wall.slowest))
	s.scr.Fact("%s to the origin, %s of them answered with 304: no new price", show.Many(f.requests, "request"), show.Count(f.unchanged))
	return nil
}

// rest waits for the flights in the air, reads the last events, and dismisses
// the witness.
func (f *finale) rest(ctx context.Context, s *story) error {
	for s.cache.Stats().InFlight > 0 {
		if err := wait(ctx, 2*time.Millisecond); err != nil {
			return err
		}
	}
	if _, err := s.desk.catchUp(ctx); err != nil {
		return err
	}
	for s.witness.sub.Lag() > 0 {
		if err := wait(ctx, 2*time.Millisecond); err != nil {
			return err
		}
	}
	var err error
	f.truth, err = s.witness.dismiss()
	return err
}

func (f *finale) claims() []show.Claim {
	all := maps.Equal(f.board, f.cache) && maps.Equal(f.desk, f.cache) && maps.Equal(f.cache, f.market)
	told := f.told()
	counts := make(map[streams.Kind]uint64)
	for _, e := range f.truth {
		counts[e.Kind]++
	}
	return []show.Claim{
		show.Claimed(told == nil, fmt.Sprintf("of %s none was lost in silence, by the board or by the desk", show.Many(len(f.truth), "event")), "%v", told),
		show.Claimed(all && len(f.market) == len(opening), fmt.Sprintf("board, desk, cache and market have the same %s", show.Many(len(f.market), "price")),
			"board %v, desk %v, cache %v, market %v", f.board, f.desk, f.cache, f.market),
		show.Claimed(f.requests == f.flights && counts[streams.Revalidated] >= f.unchanged && counts[streams.Revalidated] > 0,
			fmt.Sprintf("the origin counted the cache's %s, and the events its answers", show.Many(f.flights, "flight")),
			"%d requests, %d flights, %d times 304, %v", f.requests, f.flights, f.unchanged, counts),
	}
}

// told holds what the readers saw against what happened: the validators of
// package streamstest find whatever came twice, in the wrong order, or was
// lost and not told.
func (f *finale) told() error {
	for _, part := range f.parts {
		for _, err := range []error{
			streamstest.Ordered(part), streamstest.Unique(part), streamstest.ReliableOrTold(part, f.truth),
			streamstest.SnapshotThenTail(part, f.truth),
		} {
			if err != nil {
				return err
			}
		}
	}
	// The desk's subscriptions, each begun where the one before it ended, are as
	// good as one, up to a snapshot.
	for from := 1; from < len(f.parts); {
		to := from + 1
		for to < len(f.parts) && !f.parts[to].Snapshot {
			to++
		}
		if err := streamstest.Resumable(f.parts[from:to], f.truth); err != nil {
			return err
		}
		from = to
	}
	return nil
}
