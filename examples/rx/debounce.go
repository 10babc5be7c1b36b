package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/reactivex/rxgo/v2"

	"github.com/freshet-go/freshet/examples/internal/show"
	"github.com/freshet-go/freshet/streams"
)

// theEnd stands for the error that ends a stream.
const theEnd = "the end: it is closed"

// debounce: the cache is closed while prices wait for silence. It is the last
// scene.
func debounce(ctx context.Context, st *stage, p *page) ([]show.Claim, error) {
	p.title("Debounce, and the cache is closed: rxgo's loses what waits")
	const silence = time.Minute // it ends first
	rxCtx, leave := context.WithCancel(ctx)
	defer leave()
	items := st.prices.Observe(news(), streams.Since(st.begin)).
		Filter(priced).Debounce(rxgo.WithDuration(silence)).Observe(rxgo.WithContext(rxCtx))
	sub, err := st.prices.Watch(ctx, news(), streams.Since(st.begin))
	if err != nil {
		return nil, err
	}
	if err := until(ctx, func() bool { return st.prices.Stats().Subscriptions == 2 }); err != nil {
		return nil, err
	}
	if err := st.prices.Close(ctx); err != nil {
		return nil, err
	}
	var left, right []string
	var leftErr, rightErr error
	for item := range items {
		if item.E != nil {
			leftErr = item.E
			left = append(left, theEnd)
			continue
		}
		left = append(left, item.V.(event).After.String())
	}
	for e, err := range prices(streams.Debounce(sub.Events(), silence)) {
		if err != nil {
			rightErr = err
			right = append(right, theEnd)
			continue
		}
		right = append(right, e.After.String())
	}
	p.beside([]string{"rxgo"}, []string{"typed"})
	p.beside(left, right)
	return []show.Claim{
		show.Claimed(slices.Equal(right, []string{"rye  49.30", "tin  315.20", "bell", "gold 2,420.03", theEnd}) && errors.Is(rightErr, streams.ErrClosed),
			"streams.Debounce gives the last price of every key before the end", "%q", right),
		show.Claimed(slices.Equal(left, []string{theEnd}) && errors.Is(leftErr, streams.ErrClosed),
			"rxgo's Debounce gives the end alone", "%q", left),
	}, nil
}
