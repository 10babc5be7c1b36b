package main

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/examples/internal/show"
)

// Every claim can fail: what a real run saw, doctored in one place, is seen.

// doctoring is what one doctor does to a scene, and how many of its claims that
// makes false.
type doctoring[S any] map[string]func(*S)

// each puts every doctor to a copy of truth: its claims hold, then do not.
// Together they make every claim fail once.
func (doctors doctoring[S]) each(t *testing.T, truth S, claims func(*S) []show.Claim) {
	t.Helper()
	honest := claims(&truth)
	require.NoError(t, show.Verify(honest))
	failed := make([]bool, len(honest))
	for name, doctor := range doctors {
		s := truth
		doctor(&s)
		doctored := claims(&s)
		require.ErrorContains(t, show.Verify(doctored), "not true: ", name)
		for i, c := range doctored {
			failed[i] = failed[i] || !c.Holds
		}
	}
	for i, c := range honest {
		require.True(t, failed[i], "nobody made it fail: %s", c.Says)
	}
}

func TestClaimsCanFail(t *testing.T) {
	all := scenes()
	require.NoError(t, play(t.Context(), show.New(&bytes.Buffer{}, show.Options{}), 0, all))
	nothing := errors.New("no")

	doctoring[loading]{
		"a request more": func(s *loading) { s.wire = append(s.wire[:2:2], s.wire[0]) },
		"an empty board": func(s *loading) { s.loaded.bob = nil },
		"a member asked": func(s *loading) { s.rewire = s.wire[:1] },
		"one was unread": func(s *loading) { s.read-- },
	}.each(t, *all[0].(*loading), (*loading).claims)

	doctoring[adding]{
		"it showed before":  func(s *adding) { s.before = s.after },
		"it failed":         func(s *adding) { s.err = nothing },
		"another key":       func(s *adding) { s.key = "5" },
		"it is not there":   func(s *adding) { s.after.ann = s.before.ann },
		"Bob has it not":    func(s *adding) { s.after.bob = s.before.bob },
		"Ann read the list": func(s *adding) { s.wire = append(s.wire[:2:2], "ann GET /todos?list=home -> 200 with 4 todos") },
	}.each(t, *all[1].(*adding), (*adding).claims)

	doctoring[editing]{
		"it showed late":      func(s *editing) { s.shown.ann = s.shown.bob },
		"it was not pending":  func(s *editing) { s.shown.ann = s.after.ann },
		"Bob saw it early":    func(s *editing) { s.shown.bob = s.after.bob },
		"it failed":           func(s *editing) { s.err = nothing },
		"Bob never got it":    func(s *editing) { s.after.bob = s.shown.bob },
		"it is still pending": func(s *editing) { s.after.ann = s.shown.ann },
		"Bob did not ask":     func(s *editing) { s.wire = s.wire[:1] },
		"it was not told":     func(s *editing) { s.told = s.told[1:] },
	}.each(t, *all[2].(*editing), (*editing).claims)

	doctoring[queueing]{
		"one showed":             func(s *queueing) { s.both = s.first },
		"side by side":           func(s *queueing) { s.overtook = true },
		"the first failed":       func(s *queueing) { s.err[0] = nothing },
		"Bob got both":           func(s *queueing) { s.first.bob = s.both.ann },
		"Bob got none":           func(s *queueing) { s.first.bob = s.both.bob },
		"the second was applied": func(s *queueing) { s.err[1] = nil },
		"refused by nobody":      func(s *queueing) { s.err[1] = nothing },
		"the tick stands":        func(s *queueing) { s.after.ann = s.first.ann },
		"the first is gone too":  func(s *queueing) { s.after.ann = s.both.bob },
		"not rolled back":        func(s *queueing) { s.told = s.told[:3] },
	}.each(t, *all[3].(*queueing), (*queueing).claims)

	doctoring[ticking]{
		"it showed late":   func(s *ticking) { s.shown.bob = s.after.bob },
		"Ann saw it":       func(s *ticking) { s.shown.ann = s.shown.bob },
		"it stands":        func(s *ticking) { s.after.bob = s.shown.bob },
		"Bob read it":      func(s *ticking) { s.wire = append(s.wire[:1:1], "bob GET /todos/3 -> 200") },
		"applied":          func(s *ticking) { s.err = nil },
		"without a reason": func(s *ticking) { s.why = "" },
	}.each(t, *all[4].(*ticking), (*ticking).claims)

	doctoring[deleting]{
		"it did not leave":   func(s *deleting) { s.hidden = s.back },
		"it left Bob's":      func(s *deleting) { s.hidden.bob = s.hidden.ann },
		"in another place":   func(s *deleting) { s.back.ann = slices.Concat(s.hidden.ann, s.back.ann[1:2]) },
		"it did not return":  func(s *deleting) { s.back = s.after },
		"for no reason":      func(s *deleting) { s.err[0] = nothing },
		"refused again":      func(s *deleting) { s.err[1] = s.err[0] },
		"it came back":       func(s *deleting) { s.after.ann = s.back.ann },
		"Bob has it still":   func(s *deleting) { s.after.bob = s.back.bob },
		"Ann read her list":  func(s *deleting) { s.wire = append(s.wire[:3:3], "ann GET /todos?list=home -> 200 with 3 todos") },
		"an event was wrong": func(s *deleting) { s.told = s.told[:3] },
	}.each(t, *all[5].(*deleting), (*deleting).claims)

	doctoring[losing]{
		"nobody was told":       func(s *losing) { s.err[0] = nil },
		"a refusal":             func(s *losing) { s.err[0] = all[4].(*ticking).err },
		"it was not shown":      func(s *losing) { s.both = s.after },
		"it was not taken back": func(s *losing) { s.unsure = s.after },
		"written unread":        func(s *losing) { s.wire = append([]string{s.wire[0]}, s.wire[2:]...) },
		"read too late":         func(s *losing) { s.wire = []string{s.wire[0], s.wire[2], s.wire[1], s.wire[3]} },
		"the second failed":     func(s *losing) { s.err[1] = nothing },
		"the first was lost":    func(s *losing) { s.after.ann = s.unsure.ann },
		"Bob has neither":       func(s *losing) { s.after.bob = s.both.bob },
	}.each(t, *all[6].(*losing), (*losing).claims)

	doctoring[overlapping]{
		"it showed late":      func(s *overlapping) { s.before.ann = s.before.bob },
		"the list was new":    func(s *overlapping) { s.old = nil },
		"the list came first": func(s *overlapping) { s.wire = []string{s.wire[2], s.wire[0], s.wire[1], s.wire[3]} },
		"the list was cut":    func(s *overlapping) { s.wire = s.wire[:3] },
		"the edit failed":     func(s *overlapping) { s.err[0] = nothing },
		"the reload failed":   func(s *overlapping) { s.err[1] = nothing },
		"the old came back":   func(s *overlapping) { s.during.ann = s.before.bob },
		"it stayed":           func(s *overlapping) { s.after.ann = s.before.bob },
		"an event showed it":  func(s *overlapping) { s.told = append(s.told[:2:2], s.told[0]) },
		"it was not told":     func(s *overlapping) { s.told = s.told[2:] },
	}.each(t, *all[7].(*overlapping), (*overlapping).claims)

	doctoring[ending]{
		"the origin differs": func(s *ending) { s.truth = s.truth[:2] },
		"Ann differs":        func(s *ending) { s.last.ann = s.last.ann[:2] },
		"Bob differs":        func(s *ending) { s.last.bob = nil },
		"the events differ":  func(s *ending) { s.followed.ann = nil },
		"Bob's differ":       func(s *ending) { s.followed.bob = s.last.bob[1:] },
		"Ann's are pending":  func(s *ending) { s.stats[0].Pending = 1 },
		"Bob's are pending":  func(s *ending) { s.stats[1].Pending = 1 },
	}.each(t, *all[8].(*ending), (*ending).claims)
}
