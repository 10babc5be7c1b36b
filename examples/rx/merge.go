package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/freshet-go/freshet/examples/internal/show"
	"github.com/freshet-go/freshet/streams"
)

// merge: the events of two caches in one loop, each with its cache's name and
// in its cache's order.
func merge(ctx context.Context, st *stage, p *page) (claims []show.Claim, err error) {
	p.title("Merge: two caches in one loop, typed only")
	metals, err := st.exchange.open("metals")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, metals.Close(context.Background())) }()
	crops, err := st.exchange.open("crops")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, crops.Close(context.Background())) }()

	a, err := metals.Watch(ctx, news())
	if err != nil {
		return nil, err
	}
	b, err := crops.Watch(ctx, news())
	if err != nil {
		return nil, err
	}
	want := make(map[string][]string)
	played := 0
	for _, q := range tape {
		cache, name := metals, "metals"
		switch q.Name {
		case bell:
			continue
		case "rye":
			cache, name = crops, "crops"
		}
		if err := st.exchange.print(ctx, cache, q); err != nil {
			return nil, err
		}
		want[name] = append(want[name], q.String())
		played++
	}
	got := make(map[string][]string)
	for e, err := range streams.Take(prices(streams.Merge(a.Events(), b.Events())), played) {
		if err != nil {
			return nil, err
		}
		got[e.Cache] = append(got[e.Cache], e.After.String())
	}
	p.beside([]string{"metals"}, []string{"crops"})
	p.beside(got["metals"], got["crops"])
	same := len(got) == 2 && slices.Equal(got["metals"], want["metals"]) && slices.Equal(got["crops"], want["crops"])
	ended := errors.Is(a.Err(), streams.ErrClosed) && errors.Is(b.Err(), streams.ErrClosed)
	return []show.Claim{
		show.Claimed(same && ended, fmt.Sprintf("merged, all %d prices came in each cache's order, and the loop ended both", played),
			"%v, ended: %v", got, ended),
	}, nil
}
