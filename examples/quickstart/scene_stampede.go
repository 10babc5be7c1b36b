package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/examples/internal/show"
)

// stampede: many callers want a record that nobody has asked for before, at
// the same moment.
type stampede struct {
	callers  int
	answered int // with the record
	futures  int // different ones
	requests int // that reached the origin

	reads     int // afterwards
	rereads   int // requests that those cost
	firstErr  error
	perAnswer time.Duration
}

const stampedeKey = "SIN"

func (*stampede) title() string { return "One request for everyone" }

func (s *stampede) play(ctx context.Context, st *stage) error {
	cache := st.polite.cache
	slow := st.uneven(350*time.Millisecond, 500*time.Millisecond)
	st.origin.answerAfter(func(string, int) time.Duration { return slow })
	s.callers = st.callers
	st.scr.Story("%s callers ask for %s at once. Nobody has asked for it before, and the origin is slow.",
		show.Count(s.callers), stampedeKey)

	var (
		futures = make([]*freshet.Future[Airport], s.callers)
		records = make([]Airport, s.callers)
		errs    = make([]error, s.callers)
		waiting atomic.Int64
		start   = make(chan struct{})
		wg      sync.WaitGroup
	)
	for i := range s.callers {
		wg.Go(func() {
			<-start
			futures[i] = cache.Fetch(ctx, stampedeKey)
			waiting.Add(1)
			records[i], errs[i] = futures[i].Await(ctx)
			waiting.Add(-1)
		})
	}
	stop := st.scr.Wait(func() string {
		return fmt.Sprintf("%s at the origin, %s waiting for it",
			show.Many(st.origin.requests(stampedeKey), "request"), show.Many(int(waiting.Load()), "caller"))
	}, nil)
	begun := time.Now()
	close(start)
	wg.Wait()
	took := time.Since(begun)
	stop()

	s.requests = st.origin.requests(stampedeKey)
	different := make(map[*freshet.Future[Airport]]bool)
	var record Airport
	for i := range s.callers {
		different[futures[i]] = true
		switch {
		case errs[i] != nil:
			s.firstErr = errs[i]
		case records[i].IATA == stampedeKey && (record == Airport{} || records[i] == record):
			record = records[i]
			s.answered++
		}
	}
	s.futures = len(different)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	st.scr.Fact("%s: %s, %s, %.4f %.4f, %d ft", record.IATA, record.Name, record.Country,
		record.Lat, record.Lon, record.ElevationFt)
	st.scr.Fact("%s in %s from %s and %s", show.Many(s.answered, "answer"), show.Millis(took),
		show.Many(s.futures, "shared future"), show.Many(s.requests, "request"))

	const reads = 100_000
	begun = time.Now()
	for range reads {
		if _, err := cache.Get(ctx, stampedeKey); err != nil {
			return err
		}
	}
	s.reads, s.perAnswer = reads, time.Since(begun)/reads
	s.rereads = st.origin.requests(stampedeKey) - s.requests
	st.scr.Fact("then %s from memory, %d ns each: %s", show.Many(s.reads, "read"), s.perAnswer.Nanoseconds(), show.Many(s.rereads, "request"))
	return nil
}

func (s *stampede) claims() []show.Claim {
	return []show.Claim{
		show.Claimed(s.answered == s.callers && s.requests == 1 && s.futures == 1,
			fmt.Sprintf("%s callers were answered by one request", show.Count(s.callers)),
			"%d answered, %d futures, %d requests, error: %v", s.answered, s.futures, s.requests, s.firstErr),
		show.Claimed(s.rereads == 0, "reads while it is fresh ask the origin nothing",
			"%d reads, %d requests", s.reads, s.rereads),
	}
}
