package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/freshet-go/freshet/examples/internal/show"
)

// observers: two observers of one Observable read while the tape is played.
func observers(ctx context.Context, st *stage, p *page) ([]show.Claim, error) {
	p.title("One Observable, two observers, a subscription each")
	lines := st.prices.Observe(news()).Filter(priced).Map(func(_ context.Context, v any) (any, error) {
		e := v.(event)
		return fmt.Sprintf("%2d %-7s %v", e.Revision, e.Kind, *e.After), nil
	})
	before := st.prices.Stats().Subscriptions
	a, b := observe(ctx, lines), observe(ctx, lines)
	between := 0
	for i, q := range tape {
		if err := st.exchange.print(ctx, st.prices, q); err != nil {
			return nil, err
		}
		st.seen[q.Name] = append(st.seen[q.Name], q.Cents)
		if i == 0 {
			if err := came(ctx, a, b); err != nil {
				return nil, err
			}
			between = st.prices.Stats().Subscriptions - before
		}
	}
	left, err := a.read(ctx)
	if err != nil {
		return nil, err
	}
	right, err := b.read(ctx)
	if err != nil {
		return nil, err
	}
	p.beside([]string{"one"}, []string{"the other"})
	p.beside(left, right)
	after := -1
	err = until(ctx, func() bool { after = st.prices.Stats().Subscriptions; return after == before })
	var want []string
	for i, q := range tape {
		kind := "Updated"
		if !slices.ContainsFunc(tape[:i], func(o Quote) bool { return o.Name == q.Name }) {
			kind = "Loaded"
		}
		want = append(want, fmt.Sprintf("%2d %-7s %v", i+1, kind, q))
	}
	return []show.Claim{
		show.Claimed(slices.Equal(left, want) && slices.Equal(right, want),
			"both observers have read the whole tape, in its order", "%q and %q", left, right),
		show.Claimed(between == 2 && err == nil, "their two subscriptions ended with their contexts",
			"%d of them, and %d of %d afterwards", between, after, before),
	}, nil
}

// came waits until each of them has a line, or has ended.
func came(ctx context.Context, all ...*observer) error {
	for _, v := range all {
		select {
		case <-v.first:
		case <-v.done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
