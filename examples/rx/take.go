package main

import (
	"context"
	"fmt"
	"time"

	"github.com/reactivex/rxgo/v2"

	"github.com/freshet-go/freshet/examples/internal/show"
	"github.com/freshet-go/freshet/streams"
)

// standstill is how long nothing happens before a stream counts as one that
// goes on.
const standstill = 50 * time.Millisecond

// take: rxgo's Take ends with the event after the last that it takes, and its
// source not even then.
func take(ctx context.Context, st *stage, p *page) ([]show.Claim, error) {
	p.title("Take(3): rxgo's waits for a fourth, and its source goes on")
	rxCtx, leave := context.WithCancel(ctx)
	defer leave()
	items := st.prices.Observe(news()).Take(3).Observe(rxgo.WithContext(rxCtx))
	sub, err := st.prices.Watch(ctx, news())
	if err != nil {
		return nil, err
	}
	defer sub.Close()
	for i := range 3 {
		if err := st.exchange.print(ctx, st.prices, Quote{"gold", 242_000 + i}); err != nil {
			return nil, err
		}
	}
	taken := 0
	for _, err := range streams.Take(sub.Events(), 3) {
		if err != nil {
			return nil, err
		}
		taken++
	}
	typed := sub.Err() != nil // it has ended, and released the subscription
	for range 3 {
		if _, err := receive(ctx, items); err != nil {
			return nil, err
		}
	}
	var open, closed, subscribed bool
	select {
	case <-items:
	case <-time.After(standstill):
		open = true
	}
	if err := st.exchange.print(ctx, st.prices, Quote{"gold", 242_003}); err != nil {
		return nil, err
	}
	if closed, err = receive(ctx, items); err != nil {
		return nil, err
	}
	subscribed = st.prices.Stats().Subscriptions == 1
	leave()
	err = until(ctx, func() bool { return st.prices.Stats().Subscriptions == 0 })
	for _, row := range [][3]string{
		{"", "rxgo", "typed"},
		{"after the third price", yes(open, "open", "closed"), yes(typed, "ended", "goes on")},
		{"after the fourth", yes(closed, "closed", "open") + yes(subscribed, ", still subscribed", ""), ""},
		{"after its context", yes(err == nil, "nothing left", "still subscribed"), ""},
	} {
		p.line("   %-24s %-28s %s", row[0], row[1], row[2])
	}
	return []show.Claim{
		show.Claimed(taken == 3 && typed, "streams.Take(3) ends with the third event, and so does its subscription",
			"%d events, ended: %v", taken, typed),
		show.Claimed(open && closed && subscribed && err == nil,
			"rxgo's Take(3) ends with the fourth, its subscription with the context",
			"open after three: %v, closed after four: %v, subscribed: %v, %v", open, closed, subscribed, err),
	}, nil
}

// receive takes an item, or finds that there are no more.
func receive(ctx context.Context, items <-chan rxgo.Item) (closed bool, err error) {
	select {
	case item, ok := <-items:
		if ok && item.E != nil {
			return false, fmt.Errorf("the stream failed: %w", item.E)
		}
		return !ok, nil
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

// yes is one of two words.
func yes(is bool, so, otherwise string) string {
	if is {
		return so
	}
	return otherwise
}
