package main

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/examples/internal/show"
	"github.com/freshet-go/freshet/streams"
	"github.com/freshet-go/freshet/streams/streamstest"
)

// Every claim can fail: measures that are doctored in one place are seen.

func ticks(from, to uint64) []streams.Event[Quote] {
	var events []streams.Event[Quote]
	for revision := from; revision <= to; revision++ {
		events = append(events, streams.Event[Quote]{
			Revision: revision, Key: "tin", Kind: streams.Updated, After: &Quote{Name: "tin", Cents: int(revision)},
		})
	}
	return events
}

// happened is events as a cache's log tells them.
func happened(t *testing.T, events []streams.Event[Quote], more ...streams.Event[Quote]) []streams.Event[Quote] {
	t.Helper()
	log, err := streams.NewLog(streams.LogConfig[Quote]{Cache: "prices"})
	require.NoError(t, err)
	sub, err := log.Subscribe(t.Context())
	require.NoError(t, err)
	defer sub.Close()
	var told []streams.Event[Quote]
	for _, e := range append(events, more...) {
		log.Append(&e, 0, nil)
		e, err := sub.Next(t.Context())
		require.NoError(t, err)
		told = append(told, e)
	}
	return told
}

func TestAbsenceClaims(t *testing.T) {
	truth := ticks(1, 500)
	honest := func() absence { return absence{left: 100, behind: shortBreak, caught: ticks(101, 100+shortBreak)} }
	a := honest()
	require.NoError(t, show.Verify(a.claims(truth)))
	for name, doctor := range map[string]func(*absence){
		"one is missing":    func(a *absence) { a.caught = append(a.caught[:5], a.caught[6:]...) },
		"one comes twice":   func(a *absence) { a.caught[7] = a.caught[6] },
		"the wrong order":   func(a *absence) { a.caught[7], a.caught[6] = a.caught[6], a.caught[7] },
		"another price":     func(a *absence) { a.caught[3].After = &Quote{} },
		"the last is lost":  func(a *absence) { a.caught = a.caught[:len(a.caught)-1] },
		"the first is lost": func(a *absence) { a.caught = a.caught[1:] },
		"it was not away":   func(a *absence) { a.behind, a.caught = 1, ticks(101, 101) },
		"from nowhere":      func(a *absence) { a.left = 499 },
	} {
		a := honest()
		doctor(&a)
		require.ErrorContains(t, show.Verify(a.claims(truth)), "not true: ", name)
	}
}

func TestLapseClaims(t *testing.T) {
	truth := ticks(1, 500)
	honest := func() lapse {
		return lapse{
			lagged: &streams.LaggedError{From: 101, To: 150}, left: 100,
			own: &streams.CompactedError{Oldest: 151}, caught: ticks(151, 406),
		}
	}
	late := func() lapse {
		l := honest()
		l.again, l.caught, l.values = &streams.CompactedError{Oldest: 152}, nil, len(opening)
		return l
	}
	for _, l := range []lapse{honest(), late()} {
		require.NoError(t, show.Verify(l.claims(truth)))
	}
	for name, doctor := range map[string]func() lapse{
		"lost in silence":      func() lapse { l := honest(); l.left = 90; return l },
		"never happened":       func() lapse { l := honest(); l.lagged.To = 600; return l },
		"its own token is ok":  func() lapse { l := honest(); l.own = nil; return l },
		"another error":        func() lapse { l := honest(); l.own = errors.New("no"); return l },
		"a hole behind":        func() lapse { l := honest(); l.caught = l.caught[1:]; return l },
		"nothing behind":       func() lapse { l := honest(); l.caught = nil; return l },
		"late for no reason":   func() lapse { l := late(); l.again = errors.New("no"); return l },
		"half of the snapshot": func() lapse { l := late(); l.values = 6; return l },
	} {
		l := doctor()
		require.ErrorContains(t, show.Verify(l.claims(truth)), "not true: ", name)
	}
}

func TestExpiryClaims(t *testing.T) {
	truth := expiry{left: 100, answer: &streams.CompactedError{Oldest: 102}, values: len(opening)}
	require.NoError(t, show.Verify(truth.claims()))
	for name, doctor := range map[string]func(*expiry){
		"not refused":       func(x *expiry) { x.answer = nil },
		"for no reason":     func(x *expiry) { x.answer = &streams.CompactedError{Oldest: 101} },
		"another error":     func(x *expiry) { x.answer = streams.ErrEpoch },
		"a poorer snapshot": func(x *expiry) { x.values-- },
	} {
		x := truth
		doctor(&x)
		require.ErrorContains(t, show.Verify(x.claims()), "not true: ", name)
	}
}

func TestFinaleClaims(t *testing.T) {
	honest := func() *finale {
		prices := make(map[string]Quote)
		for _, q := range opening {
			prices[q.Name] = q
		}
		truth := happened(t, ticks(1, 8), streams.Event[Quote]{Key: "tin", Kind: streams.Revalidated})
		return &finale{
			board: maps.Clone(prices), desk: maps.Clone(prices), cache: maps.Clone(prices), market: prices,
			truth: truth, requests: 9, flights: 9, unchanged: 1,
			parts: []streamstest.Record[Quote]{
				{Name: "the board", Events: truth[:8:8]},
				{Name: "the desk", Events: truth[:5:5]},
				{Name: "the desk, back", After: 5, Events: truth[5:8:8]},
			},
		}
	}
	require.NoError(t, show.Verify(honest().claims()))
	for name, doctor := range map[string]func(*finale){
		"the board is wrong":    func(f *finale) { f.board["tin"] = Quote{} },
		"the desk lacks a line": func(f *finale) { delete(f.desk, "tin") },
		"the cache is behind":   func(f *finale) { f.market["tin"] = Quote{} },
		"a hole":                func(f *finale) { f.parts[0].Events = slices.Delete(slices.Clone(f.truth), 3, 4) },
		"a hole between two":    func(f *finale) { f.parts[2].After, f.parts[2].Events = 6, f.truth[6:8] },
		"twice":                 func(f *finale) { f.parts[2].Events = f.truth[4:8] },
		"from nowhere":          func(f *finale) { f.truth = f.truth[:7] },
		"a request more":        func(f *finale) { f.requests++ },
		"a 304 without a word":  func(f *finale) { f.unchanged = 2 },
	} {
		f := honest()
		doctor(f)
		require.ErrorContains(t, show.Verify(f.claims()), "not true: ", name)
	}
}

// Where the cache has moved on before the desk could, the token behind the
// loss is too old as well: the desk is told and begins anew.
func TestDeskThatIsTooLateTwiceBeginsAnew(t *testing.T) {
	f, err := openFloor(1)
	require.NoError(t, err)
	defer func() { require.NoError(t, f.close()) }()
	_, err = f.cache.GetMany(t.Context(), instruments())
	require.NoError(t, err)
	s := &story{floor: f, desk: &desk{cache: f.cache}}
	require.NoError(t, s.desk.open(t.Context(), streamstest.Record[Quote]{Snapshot: true}, streams.WithSnapshot()))
	_, err = s.desk.synced(t.Context())
	require.NoError(t, err)
	token, revision := s.desk.leave()
	for i := range history + 1 {
		require.NoError(t, f.cache.Set(t.Context(), "tin", Quote{Name: "tin", Cents: i + 1}))
	}
	l := lapse{lagged: &streams.LaggedError{From: 1, To: revision, Token: token}}
	require.NoError(t, l.resume(t.Context(), s))
	require.ErrorIs(t, l.again, streams.ErrCompacted)
	require.Equal(t, len(opening), l.values)
	require.Equal(t, history+1, s.desk.board.quotes()["tin"].Cents)
	s.desk.leave()
}
