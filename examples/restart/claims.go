package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// claim is something that the program shows, and whether it was so.
type claim struct {
	holds bool
	says  string
	found string // what was found where it does not hold
}

// verify returns what of claims is not true.
func verify(claims []claim) error {
	var wrong []error
	for _, c := range claims {
		if !c.holds {
			wrong = append(wrong, fmt.Errorf("not true: %s (%s)", c.says, c.found))
		}
	}
	return errors.Join(wrong...)
}

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
func (s *seen) claims() []claim {
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
	return []claim{
		{
			all.requests == allRecords && all.full == allRecords,
			fmt.Sprintf("to learn %d records took %d requests", allRecords, allRecords),
			fmt.Sprintf("%+v", all),
		},
		{
			s.how == "signal: killed" && s.worked >= 100,
			"it was killed in mid-work, without a chance to close anything",
			fmt.Sprintf("%s after %d answers", s.how, s.worked),
		},
		{
			r.StoreHits == allRecords && r.StoreErrors == 0 && r.Corrupt == 0,
			fmt.Sprintf("all %d records were in the file, and none was torn", allRecords),
			fmt.Sprintf("%d found, %d errors, %d corrupt", r.StoreHits, r.StoreErrors, r.Corrupt),
		},
		{
			s.returned[steady].requests == 0 && len(agedWrong) == 0,
			fmt.Sprintf("the %d that were fresh were answered without the origin", howMany[steady]),
			fmt.Sprintf("%+v; %+v", s.returned[steady], agedWrong),
		},
		{
			len(agedWrong) == 0 && youngest > dead,
			fmt.Sprintf("with their true age, %s to %s: from before the kill", millis(youngest), millis(oldest)),
			fmt.Sprintf("%v to %v old, and it was dead for %v: %+v", youngest, oldest, dead, agedWrong),
		},
		{
			b.requests == howMany[brief] && b.conditional == howMany[brief] && b.unchanged == howMany[brief]-news && b.full == news && len(staleWrong) == 0,
			fmt.Sprintf("the %d that were stale were confirmed by their ETag: %d 304s, and 200 for the %d that were edited", howMany[brief], howMany[brief]-news, news),
			fmt.Sprintf("%+v; %+v", b, staleWrong),
		},
		{
			s.returned[busy].requests == howMany[busy] && s.returned[busy].conditional == howMany[busy] && len(busyWrong) == 0,
			fmt.Sprintf("the %d that it was writing came back whole, and are what the origin has", howMany[busy]),
			fmt.Sprintf("%+v; %+v", s.returned[busy], busyWrong),
		},
		{
			again.bytes*2 < all.bytes,
			fmt.Sprintf("to come back the origin sent %d kB, to start it had sent %d kB", again.bytes/1000, all.bytes/1000),
			fmt.Sprintf("%+v", again),
		},
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
