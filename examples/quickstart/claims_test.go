package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/examples/internal/show"
	"github.com/freshet-go/freshet/streams"
)

// Every claim can fail: measures that are doctored in one place are seen.

func TestStampedeClaims(t *testing.T) {
	truth := stampede{callers: 10, answered: 10, futures: 1, requests: 1, reads: 5}
	require.NoError(t, show.Verify(truth.claims()))
	for name, doctor := range map[string]func(*stampede){
		"two requests":      func(s *stampede) { s.requests = 2 },
		"no request":        func(s *stampede) { s.requests = 0 },
		"two futures":       func(s *stampede) { s.futures = 2 },
		"one got no answer": func(s *stampede) { s.answered = 9 },
		"a read that asked": func(s *stampede) { s.rereads = 1 },
	} {
		s := truth
		doctor(&s)
		require.ErrorContains(t, show.Verify(s.claims()), "not true: ", name)
	}
}

func TestLeaverClaims(t *testing.T) {
	truth := leaver{stayed: 7, answered: 7, requests: 1, left: time.Second, came: time.Minute, leftErr: context.Canceled}
	require.NoError(t, show.Verify(truth.claims()))
	for name, doctor := range map[string]func(*leaver){
		"it was answered":      func(l *leaver) { l.leftErr = nil },
		"it waited":            func(l *leaver) { l.left = time.Hour },
		"another went unheard": func(l *leaver) { l.answered = 6 },
		"a second request":     func(l *leaver) { l.requests = 2 },
		"cut short":            func(l *leaver) { l.cut = 1 },
	} {
		l := truth
		doctor(&l)
		require.ErrorContains(t, show.Verify(l.claims()), "not true: ", name)
	}
}

func TestOutageClaims(t *testing.T) {
	broken := &freshet.FetchError{Err: &net.OpError{Err: errors.New("refused")}}
	truth := func() *outage {
		return &outage{
			before:  looks(freshet.Fresh, 1, nil),
			during:  looks(freshet.Stale, 1, broken),
			after:   looks(freshet.Fresh, 2, nil),
			strict:  broken,
			unheard: broken,
		}
	}
	require.NoError(t, show.Verify(truth().claims()))
	for name, doctor := range map[string]func(*outage){
		"never loaded":           func(o *outage) { o.before = nil },
		"stale at first":         func(o *outage) { o.before[0].snapshot.State = freshet.Stale },
		"it was not down":        func(o *outage) { o.refused = 1 },
		"an error for a stale":   func(o *outage) { o.during[1].err = broken },
		"another record":         func(o *outage) { o.during[1].snapshot.Value.IATA = "XXX" },
		"a silent failure":       func(o *outage) { o.during[2].snapshot.Err = nil },
		"fresh from nowhere":     func(o *outage) { o.during[2].snapshot.State = freshet.Fresh },
		"a strict one got stale": func(o *outage) { o.strict = nil },
		"another error":          func(o *outage) { o.strict = errors.New("no") },
		"a value from nowhere":   func(o *outage) { o.unheard = nil },
		"old news":               func(o *outage) { o.after[0].snapshot.Value.Edition = 1 },
		"an old failure":         func(o *outage) { o.after[0].snapshot.Err = broken },
	} {
		o := truth()
		doctor(o)
		require.ErrorContains(t, show.Verify(o.claims()), "not true: ", name)
	}
}

func looks(state freshet.State, edition int, err error) []look {
	all := make([]look, len(outageKeys))
	for i, key := range outageKeys {
		all[i] = look{key: key, snapshot: freshet.Snapshot[Airport]{
			State: state, Err: err, Value: Airport{IATA: key, Edition: edition},
		}}
	}
	return all
}

func TestCountersClaims(t *testing.T) {
	truth := func() *counters {
		return &counters{stats: []freshet.Stats{{Flights: 5, Failures: 2}, {Flights: 1}}, flown: []int{5, 1}, requests: 4}
	}
	require.NoError(t, show.Verify(truth().claims()))
	for name, doctor := range map[string]func(*counters){
		"a flight more":         func(c *counters) { c.stats[0].Flights++ },
		"a request more":        func(c *counters) { c.requests++ },
		"one still flies":       func(c *counters) { c.stats[1].InFlight = 1 },
		"the client knows more": func(c *counters) { c.flown[0]++ },
	} {
		c := truth()
		doctor(c)
		require.ErrorContains(t, show.Verify(c.claims()), "not true: ", name)
	}
}

// The storms' claims are put to real runs, doctored afterwards.
func TestStormClaims(t *testing.T) {
	var out bytes.Buffer
	st := newTestStage(t, show.New(&out, show.Options{}))
	all := scenes()
	wild, tame := all[1].(*storm), all[2].(*storm)
	_, err := playAll(t.Context(), st, []scene{wild, tame})
	require.NoError(t, err)

	newest := wild.flights[len(wild.flights)-1].seq
	for name, doctor := range map[string]func(*storm){
		"too old an answer":    func(s *storm) { s.asks[4].got = s.asks[4].edition - 1 },
		"an old value is held": func(s *storm) { s.held-- },
		"a reader went back":   func(s *storm) { s.seen = []int{s.edition, s.last, s.edition, s.last} },
		"a reader saw nothing": func(s *storm) { s.seen = nil },
		"in order": func(s *storm) {
			s.arrivals = nil
			for _, f := range s.flights {
				s.arrivals = append(s.arrivals, f.seq)
			}
		},
		"a flight less":         func(s *storm) { s.flights = s.flights[1:] },
		"the newest is dropped": func(s *storm) { s.ends[newest] = streams.Event[Airport]{Kind: streams.Dropped} },
		"two are kept":          func(s *storm) { s.ends[s.flights[0].seq] = streams.Event[Airport]{Kind: streams.Updated} },
	} {
		require.ErrorContains(t, show.Verify(doctored(wild, doctor).claims()), "not true: ", name)
	}
	require.ErrorContains(t, show.Verify(doctored(tame, func(s *storm) { s.requests = wild.requests }).claims()), "not true: ")

	// Behind the guard not every reload flies: the claims of the other storm do
	// not hold there.
	imposter := &storm{name: "Imposter", on: func(st *stage) *subject { return st.guarded }}
	_, err = playAll(t.Context(), st, []scene{imposter})
	require.ErrorContains(t, err, "not true: the answers came out of order")
}

// doctored is s after doctor, which leaves s alone.
func doctored(s *storm, doctor func(*storm)) *storm {
	d := *s
	d.asks = append([]ask(nil), s.asks...)
	d.ends = make(map[uint64]streams.Event[Airport])
	for seq, e := range s.ends {
		d.ends[seq] = e
	}
	doctor(&d)
	return &d
}
