package main

import (
	"context"
	"errors"
	"strings"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"

	freshet "github.com/freshet-go/freshet/api"
)

const key = "cuxhaven"

func (s *stage) fresh(ctx context.Context) error {
	s.say("1  The first demand goes to the origin, a thousand more do not")
	if _, err := s.get(ctx); err != nil {
		return err
	}
	for range 1000 {
		if _, err := s.tides.Get(ctx, key); err != nil {
			return err
		}
	}
	s.claim(s.harbour.calls() == 1, "1001 demands, 1 request")
	return nil
}

func (s *stage) revalidated(ctx context.Context) error {
	s.say("\n2  After max-age the ETag is asked about: 200s turn into 304s")
	before := s.harbour.bytes()
	for range 2 {
		if err := s.aged(ctx); err != nil {
			return err
		}
		if _, err := s.get(ctx); err != nil {
			return err
		}
	}
	s.claim(s.harbour.bytes() == before, "fresh again, and no body went over the wire")
	return nil
}

func (s *stage) changed(ctx context.Context) error {
	s.say("\n3  The origin has a new record: another ETag, a 200")
	s.harbour.rise()
	if err := s.aged(ctx); err != nil {
		return err
	}
	snapshot, err := s.get(ctx)
	s.claim(snapshot.Value.Metres == 2, "the new value is there")
	return err
}

func (s *stage) outage(ctx context.Context) error {
	s.say("\n4  The origin fails: stale-if-error carries on, a breaker spares the origin")
	s.harbour.fail(true)
	before := s.harbour.calls()
	if err := s.aged(ctx); err != nil {
		return err
	}
	var snapshot freshet.Snapshot[Tide]
	for range 5 {
		var err error
		if snapshot, err = s.get(ctx); err != nil {
			return err
		}
		s.say("          because %s", s.hide(snapshot.Err))
	}
	s.claim(snapshot.Value.Metres == 2, "nobody who asked got an error")
	s.claim(s.harbour.calls()-before == 3 && s.breaker.IsOpen(), "5 demands, 3 requests: then the breaker was open")
	_, err := s.tides.Reload(ctx, key).Await(ctx)
	s.say("   reload %s", s.hide(err))
	s.claim(errors.Is(err, circuitbreaker.ErrOpen), "who insists on a new value is told")
	return nil
}

func (s *stage) back(ctx context.Context) error {
	s.say("\n5  The origin is back: one probe closes the breaker, a 304 is enough")
	s.harbour.fail(false)
	for s.breaker.RemainingDelay() > 0 {
		if err := rest1ms(ctx); err != nil {
			return err
		}
	}
	snapshot, err := s.get(ctx)
	s.claim(err == nil && snapshot.State == freshet.Fresh && s.breaker.IsClosed(), "fresh, and the breaker is closed")
	return err
}

// hide is an error without the port, which is another one in each run.
func (s *stage) hide(err error) string {
	if err == nil {
		return "of no error"
	}
	text := strings.ReplaceAll(err.Error(), s.harbour.url(), "http://origin")
	return strings.TrimPrefix(text, "freshet: ")
}
