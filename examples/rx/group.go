package main

import (
	"context"
	"slices"

	"github.com/freshet-go/freshet/examples/internal/show"
	"github.com/freshet-go/freshet/streams"
)

// group: what GroupBy is for is a map in the loop. The tape is read again from
// a token of before it.
func group(ctx context.Context, st *stage, p *page) ([]show.Claim, error) {
	p.title("Group by key: a map in the loop, typed only")
	sub, err := st.prices.Watch(ctx, news(), streams.Since(st.begin))
	if err != nil {
		return nil, err
	}
	groups := make(map[string][]int)
	var order []string
	for e, err := range prices(sub.Events()) {
		if err != nil {
			return nil, err
		}
		if e.Key == bell {
			break
		}
		if groups[e.Key] == nil {
			order = append(order, e.Key)
		}
		groups[e.Key] = append(groups[e.Key], e.After.Cents)
	}
	p.line("   %-6s %10s %10s %10s %10s", "", "first", "least", "most", "last")
	equal := len(groups) == len(st.seen)-1 // the bell
	for _, name := range order {
		g := groups[name]
		p.line("   %-6s %10s %10s %10s %10s", name,
			show.Money(g[0]), show.Money(slices.Min(g)), show.Money(slices.Max(g)), show.Money(g[len(g)-1]))
		equal = equal && slices.Equal(g, st.seen[name])
	}
	return []show.Claim{show.Claimed(equal, "a token of before the tape brought the whole tape again", "%v", groups)}, nil
}
