package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/examples/internal/show"
	"github.com/freshet-go/freshet/streams"
)

// storm: a record is edited ten times in a row, every edit reloads it, and the
// answers come back in another order. It is played twice, with the storm guard
// out of the way and with the default one.
type storm struct {
	name   string
	on     func(*stage) *subject
	before *storm // without the guard, to compare with; nil: this is it

	edition  int      // before the first edit
	last     int      // after the last
	asks     []ask    // the reloads
	flights  []flight // the origin calls
	requests int      // that the origin counted
	begun    time.Time
	took     time.Duration
	ends     map[uint64]streams.Event[Airport] // what became of each flight, by its number
	arrivals []uint64                          // the flights whose answers came, in the order of the stream
	held     int                               // the edition in the cache when all was over
	seen     []int                             // by a reader meanwhile
}

// ask is one reload and its answer.
type ask struct {
	edition int // of the edit that it follows
	future  *freshet.Future[Airport]
	got     int // the edition that it was answered with
}

const (
	stormKey = "LHR"
	every    = 25 * time.Millisecond // between two edits

	// When the answers of the origin are due, after the first edit.
	firstDue = 330 * time.Millisecond
	apart    = 50 * time.Millisecond
	lastDue  = firstDue + (reloads-1)*apart
)

func (s *storm) title() string { return s.name }

func (s *storm) play(ctx context.Context, st *stage) error {
	who := s.on(st)
	st.origin.answerAfter(func(string, int) time.Duration { return 0 })
	held, err := who.cache.Get(ctx, stormKey)
	if err != nil {
		return err
	}
	s.edition = held.Edition
	if s.before != nil {
		st.scr.Story("The same edits, latencies and client; only MaxSupersede is its default, 3: after three " +
			"take-overs the flight in the air lands, and one follow-up serves everyone who asked meanwhile.")
	} else {
		st.scr.Story("%s is edited %d times, every %s, and each edit reloads it. The client ignores cancellation, "+
			"so every answer comes in; MaxSupersede %d lets every reload fly.", stormKey, reloads, show.Millis(st.paced(every)), reloads)
	}
	rec, err := record(ctx, who, stormKey)
	if err != nil {
		return err
	}
	defer rec.stop() //nolint:errcheck // again below
	look := s.watchAsReader(who)
	defer look()
	flown := len(who.client.log())
	counted := st.origin.requests(stormKey)
	order := st.order()
	flights := func() []flight { return who.client.log()[flown:] }
	blown := make(chan struct{})
	st.origin.answerInTurn(st.latencies(order), inTurn(order, blown, flights, rec))
	s.begun = time.Now()
	stop := st.scr.Wait(func() string {
		return fmt.Sprintf("%s, %d in the air, %d dropped", show.Many(len(flights()), "request"),
			who.cache.Stats().InFlight, rec.dropped())
	}, func() []string {
		so := timeline{begun: s.begun, now: time.Now(), least: st.paced(lastDue)}
		return so.lines(st.scr, flights(), byFlight(rec.events()))
	})
	defer stop()

	if err := s.blow(ctx, st, who); err != nil {
		return err
	}
	close(blown)
	for i := range s.asks {
		a := &s.asks[i]
		record, err := a.future.Await(ctx)
		if err != nil {
			return err
		}
		a.got = record.Edition
	}
	// Everyone is answered, so no other flight takes off. Those that nobody
	// waits for any more are still to land.
	if err := until(ctx, func() bool { return len(rec.events()) >= len(flights()) && who.cache.Stats().InFlight == 0 }); err != nil {
		return err
	}
	s.took = time.Since(s.begun)
	stop()
	s.seen = look()
	if err := rec.stop(); err != nil {
		return err
	}
	s.flights = flights()
	s.requests = st.origin.requests(stormKey) - counted
	s.ends = byFlight(rec.events())
	for _, e := range rec.events() {
		s.arrivals = append(s.arrivals, e.Seq)
	}
	snapshot, _ := who.cache.Peek(stormKey)
	s.held = snapshot.Value.Edition
	s.show(st.scr)
	return nil
}

// order is that of the origin's answers in a storm: the nth request's is due
// as number order[n], and the newest is neither first nor last.
func (st *stage) order() []int {
	order := dice(st.seed).Perm(reloads)
	const newest = reloads - 1
	if due := order[newest]; due < 3 || due > 6 {
		middle := slices.Index(order, reloads/2)
		order[newest], order[middle] = order[middle], due
	}
	return order
}

// latencies make the answers due at even intervals.
func (st *stage) latencies(order []int) func(string, int) time.Duration {
	latencies := make([]time.Duration, reloads)
	for i, due := range order {
		latencies[i] = st.paced(firstDue + time.Duration(due)*apart - time.Duration(i)*every)
	}
	return func(_ string, nth int) time.Duration { return latencies[min(nth, reloads-1)] }
}

// inTurn has the answers come in their order, however late the machine is: none
// before the last edit, and each after those that are due before it.
func inTurn(order []int, blown <-chan struct{}, flights func() []flight, rec *recorder) turn {
	return func(ctx context.Context, nth int) error {
		if err := after(blown)(ctx, nth); err != nil {
			return err
		}
		return until(ctx, func() bool {
			ends := byFlight(rec.events())
			for n, f := range flights() {
				if _, over := ends[f.seq]; !over && order[n] < order[nth] {
					return false
				}
			}
			return true
		})
	}
}

// blow edits and reloads. Before the next edit a reload that flies is at the
// origin, so that it brings its own edition.
func (s *storm) blow(ctx context.Context, st *stage, who *subject) error {
	requests, superseded := st.origin.requests(stormKey), who.cache.Stats().Superseded
	for i := range reloads {
		if err := rest(ctx, time.Until(s.begun.Add(time.Duration(i)*st.paced(every)))); err != nil {
			return err
		}
		s.last = st.origin.edit(stormKey)
		s.asks = append(s.asks, ask{edition: s.last, future: who.cache.Reload(ctx, stormKey)})
		// Stats.Flights counts a call when it is made, a moment later. Nothing lands
		// here, so every flight but the first took the place of another.
		flew := 1 + int(who.cache.Stats().Superseded-superseded)
		if err := st.origin.awaitRequests(ctx, stormKey, requests+flew); err != nil {
			return err
		}
	}
	return nil
}

// watchAsReader peeks at the record until the function that it returns is
// called, which returns the editions seen, each run of equal ones once.
func (s *storm) watchAsReader(who *subject) (stop func() []int) {
	var seen []int
	look := func() {
		snapshot, _ := who.cache.Peek(stormKey)
		if edition := snapshot.Value.Edition; len(seen) == 0 || seen[len(seen)-1] != edition {
			seen = append(seen, edition)
		}
	}
	look()
	quit := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		ticks := time.NewTicker(time.Millisecond)
		defer ticks.Stop()
		for {
			select {
			case <-ticks.C:
				look()
			case <-quit:
				look()
				return
			}
		}
	})
	return sync.OnceValue(func() []int { close(quit); wg.Wait(); return seen })
}

// byFlight finds the end of a flight by its number.
func byFlight(events []streams.Event[Airport]) map[uint64]streams.Event[Airport] {
	ends := make(map[uint64]streams.Event[Airport], len(events))
	for _, e := range events {
		ends[e.Seq] = e
	}
	return ends
}

// dropped are the flights whose answers were dropped, in the order in which
// they came.
func (s *storm) dropped() []uint64 {
	var seqs []uint64
	for _, seq := range s.arrivals {
		if s.ends[seq].Kind == streams.Dropped {
			seqs = append(seqs, seq)
		}
	}
	return seqs
}

// editionOf is what flight seq brought.
func (s *storm) editionOf(seq uint64) int {
	for _, f := range s.flights {
		if f.seq == seq {
			return f.edition
		}
	}
	return 0
}

// lastToCome is the edition of the answer that came last.
func (s *storm) lastToCome() int {
	if len(s.arrivals) == 0 {
		return 0
	}
	return s.editionOf(s.arrivals[len(s.arrivals)-1])
}

func (s *storm) show(scr *show.Screen) {
	for _, line := range (timeline{begun: s.begun, now: s.begun.Add(s.took)}).lines(scr, s.flights, s.ends) {
		scr.Text("%s", line)
	}
	scr.Fact("%s, %s, %s", show.Many(len(s.asks), "reload"), show.Many(s.requests, "request"), show.Many(len(s.dropped()), "dropped answer"))
	for _, line := range s.whoAnswered() {
		scr.Fact("%s", line)
	}
	if s.before == nil && s.lastToCome() != s.held {
		scr.Fact("whoever keeps what comes last has edition %d now; the cache has %d", s.lastToCome(), s.held)
	}
}

// whoAnswered says which reloads each flight answered.
func (s *storm) whoAnswered() []string {
	var parts []string
	for i := 0; i < len(s.asks); {
		j := i
		for j+1 < len(s.asks) && s.asks[j+1].future.Seq() == s.asks[i].future.Seq() {
			j++
		}
		reloads := fmt.Sprintf("reload %d", i+1)
		if j > i {
			reloads = fmt.Sprintf("reloads %d to %d", i+1, j+1)
		}
		parts = append(parts, fmt.Sprintf("flight %d answered %s with edition %d", s.asks[i].future.Seq(), reloads, s.asks[i].got))
		i = j + 1
	}
	return parts
}

func (s *storm) claims() []show.Claim {
	old := slices.IndexFunc(s.asks, func(a ask) bool { return a.got < a.edition })
	claims := []show.Claim{
		show.Claimed(len(s.asks) == reloads && old < 0 && s.held == s.last,
			"nobody was answered with less than the edition they asked for",
			"reloads %v, held %d, newest %d", s.asks, s.held, s.last),
		show.Claimed(len(s.seen) > 0 && slices.IsSorted(s.seen) && s.seen[0] == s.edition && s.seen[len(s.seen)-1] == s.last,
			fmt.Sprintf("a reader meanwhile saw editions %s, and never an older one again", list(s.seen)),
			"from %d to %d", s.edition, s.last),
	}
	if s.before != nil {
		return append(claims, s.guardClaims()...)
	}
	return append(claims, s.orderClaims()...)
}

// orderClaims: every reload flew, the answers came in another order, and of
// all of them the newest flight's alone was kept.
func (s *storm) orderClaims() []show.Claim {
	kept, newest := 0, uint64(0)
	for _, e := range s.ends {
		if e.Kind != streams.Dropped {
			kept++
		}
	}
	for _, f := range s.flights {
		newest = max(newest, f.seq)
	}
	late := len(s.arrivals) - 1 - slices.Index(s.arrivals, newest)
	return []show.Claim{
		show.Claimed(len(s.flights) == reloads && s.requests == reloads && !slices.IsSorted(s.arrivals) && late > 0 && late < reloads,
			fmt.Sprintf("the answers came out of order: %s older ones after the newest", show.Count(late)),
			"%d flights, %d requests, in the order %v", len(s.flights), s.requests, s.arrivals),
		show.Claimed(kept == 1 && len(s.ends) == reloads && s.ends[newest].Kind == streams.Updated && len(s.dropped()) == reloads-1,
			fmt.Sprintf("all but the newest were dropped: flights %s", list(s.dropped())),
			"kept %d of %d, the newest is %v", kept, len(s.ends), s.ends[newest].Kind),
	}
}

// guardClaims: the guard spared the origin calls.
func (s *storm) guardClaims() []show.Claim {
	spared := s.before.requests - s.requests
	return []show.Claim{
		show.Claimed(spared > 0 && s.requests == len(s.flights),
			fmt.Sprintf("the guard spared the origin %d of %s", spared, show.Many(s.before.requests, "request")),
			"%d requests, %d flights", s.requests, len(s.flights)),
	}
}

// list writes numbers as 1, 2, 3.
func list[N int | uint64](ns []N) string {
	parts := make([]string, len(ns))
	for i, n := range ns {
		parts[i] = fmt.Sprint(n)
	}
	return strings.Join(parts, ", ")
}
