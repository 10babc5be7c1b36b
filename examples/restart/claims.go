package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/freshet-go/freshet/examples/internal/show"
)

// wrong are the reads of kind in the second life that are not as they should be.
func (s *seen) wrong(kind string, good func(look) bool) (bad []look) {
	n := 0
	for _, l := range s.second.Looks {
		if strings.HasPrefix(l.Key, kind) {
			n++
			if l.Err != "" || !good(l) {
				bad = append(bad, l)
			}
		}
	}
	if n != howMany[kind] {
		bad = append(bad, look{Key: kind, Err: fmt.Sprintf("read %d times", n)})
	}
	return bad
}

// claims are what s has to show.
func (s *seen) claims() []show.Claim {
	var all, again counts
	for kind := range howMany {
		all.add(s.learned[kind])
		again.add(s.returned[kind])
	}
	r, dead := s.second, s.back.Sub(s.killed)
	ofLife := func(at time.Time) bool { return at.After(s.started) && at.Before(s.killed) }
	oldest, youngest := s.ages()

	agedWrong := s.wrong(steady, func(l look) bool { return l.State == "Fresh" && l.Edition == 1 && ofLife(l.At) })
	staleWrong := s.wrong(brief, func(l look) bool { return l.Edition == s.now[l.Key] && l.At.After(s.back) })
	busyWrong := s.wrong(busy, func(l look) bool { return l.Edition == s.now[l.Key] })
	news := len(s.edited)
	b := s.returned[brief]
	return []show.Claim{
		show.Claimed(all.requests == allRecords && all.full == allRecords,
			fmt.Sprintf("to learn %d records took %d requests", allRecords, allRecords),
			"%+v", all),
		show.Claimed(s.how == "signal: killed" && s.worked >= 100,
			"it was killed in mid-work, without a chance to close anything",
			"%s after %d answers", s.how, s.worked),
		show.Claimed(r.StoreHits == allRecords && r.StoreErrors == 0 && r.Corrupt == 0,
			fmt.Sprintf("all %d records were in the file, and none was torn", allRecords),
			"%d found, %d errors, %d corrupt", r.StoreHits, r.StoreErrors, r.Corrupt),
		show.Claimed(s.returned[steady].requests == 0 && len(agedWrong) == 0,
			fmt.Sprintf("the %d that were fresh were answered without the origin", howMany[steady]),
			"%+v; %+v", s.returned[steady], agedWrong),
		show.Claimed(len(agedWrong) == 0 && youngest > dead,
			fmt.Sprintf("with their true age, %s to %s: from before the kill", show.Millis(youngest), show.Millis(oldest)),
			"%v to %v old, and it was dead for %v: %+v", youngest, oldest, dead, agedWrong),
		show.Claimed(b.requests == howMany[brief] && b.conditional == howMany[brief] && b.unchanged == howMany[brief]-news && b.full == news && len(staleWrong) == 0,
			fmt.Sprintf("the %d that were stale were confirmed by their ETag: %d 304s, and 200 for the %d that were edited", howMany[brief], howMany[brief]-news, news),
			"%+v; %+v", b, staleWrong),
		show.Claimed(s.returned[busy].requests == howMany[busy] && s.returned[busy].conditional == howMany[busy] && len(busyWrong) == 0,
			fmt.Sprintf("the %d that it was writing came back whole, and are what the origin has", howMany[busy]),
			"%+v; %+v", s.returned[busy], busyWrong),
		show.Claimed(again.bytes*2 < all.bytes,
			fmt.Sprintf("to come back the origin sent %d kB, to start it had sent %d kB", again.bytes/1000, all.bytes/1000),
			"%+v", again),
	}
}

// ages are those of the steady records when the process was back.
func (s *seen) ages() (oldest, youngest time.Duration) {
	var ages []time.Duration
	for _, l := range s.second.Looks {
		if strings.HasPrefix(l.Key, steady) {
			ages = append(ages, s.back.Sub(l.At))
		}
	}
	if len(ages) == 0 {
		return 0, 0
	}
	return slices.Max(ages), slices.Min(ages)
}
