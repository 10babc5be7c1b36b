package main

import (
	"context"
	"fmt"
	"strings"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/examples/internal/show"
)

// counters: what the caches counted, held against what the origin counted.
type counters struct {
	stats    []freshet.Stats // by cache
	requests int             // that the origin counted
	flown    []int           // by cache: flights that the clients counted
}

func (*counters) title() string { return "The counters" }

func (c *counters) play(ctx context.Context, st *stage) error {
	header := fmt.Sprintf("%-13s", "")
	for _, s := range st.caches {
		// A flight is over a moment after its answer.
		if err := until(ctx, func() bool { return s.cache.Stats().InFlight == 0 }); err != nil {
			return err
		}
		c.stats = append(c.stats, s.cache.Stats())
		c.flown = append(c.flown, len(s.client.log()))
		header += fmt.Sprintf("%11s", s.name)
	}
	c.requests = st.origin.allRequests()
	st.scr.Text("   %s", st.scr.Paint(show.Faint, header))
	for _, row := range []struct {
		name  string
		of    func(freshet.Stats) uint64
		means string
	}{
		{"hits", func(s freshet.Stats) uint64 { return s.Hits }, "answered from memory"},
		{"stale hits", func(s freshet.Stats) uint64 { return s.StaleHits }, "with a stale value"},
		{"misses", func(s freshet.Stats) uint64 { return s.Misses }, "had to start a flight"},
		{"coalesced", func(s freshet.Stats) uint64 { return s.Coalesced }, "joined one"},
		{"flights", func(s freshet.Stats) uint64 { return s.Flights }, "origin calls"},
		{"failures", func(s freshet.Stats) uint64 { return s.Failures }, "of those"},
		{"superseded", func(s freshet.Stats) uint64 { return s.Superseded }, "a newer one took over"},
		{"dropped", func(s freshet.Stats) uint64 { return s.Dropped }, "answers not used"},
		{"evictions", func(s freshet.Stats) uint64 { return s.Evictions }, "to make room"},
		{"resident", func(s freshet.Stats) uint64 { return uint64(s.Resident) }, "records held"},
		{"in the air", func(s freshet.Stats) uint64 { return uint64(s.InFlight) }, "flights right now"},
	} {
		var line strings.Builder
		fmt.Fprintf(&line, "%-13s", row.name)
		for _, s := range c.stats {
			fmt.Fprintf(&line, "%11s", show.Count(row.of(s)))
		}
		st.scr.Text("   %s  %s", line.String(), st.scr.Paint(show.Faint, row.means))
	}
	st.scr.Text("")
	return nil
}

func (c *counters) claims() []show.Claim {
	var flights, failures, flown, over uint64
	for i, s := range c.stats {
		flights += s.Flights
		failures += s.Failures
		flown += uint64(c.flown[i])
		if s.InFlight == 0 {
			over++
		}
	}
	clientsAgree, arrived := flown == flights, flights-failures
	return []show.Claim{
		show.Claimed(clientsAgree && arrived == uint64(c.requests) && int(over) == len(c.stats),
			fmt.Sprintf("%s = %s at the origin + %d that could not reach it",
				show.Many(flights, "flight"), show.Many(c.requests, "request"), failures),
			"%d flights by the clients, %d of %d caches at rest", flown, over, len(c.stats)),
	}
}
