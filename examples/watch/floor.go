package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/source/rest"
)

const (
	// history is how many events the cache keeps: so much may a reader be
	// behind. It is small, so that one can be seen to be too slow; the default is
	// 1,024.
	history = 256
	// ahead is how many events a subscription that is read may hold beside.
	ahead = 64
	// refresh is how often the board wants every price to be fetched again.
	refresh = 50 * time.Millisecond
)

// floor is the market, its origin and the cache in front of it.
type floor struct {
	market *market
	origin *origin
	source *rest.Origin[Quote]
	cache  *freshet.Cache[Quote]
}

func openFloor(seed uint64) (f *floor, err error) {
	f = &floor{market: openMarket(seed)}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.close())
		}
	}()
	if f.origin, err = startOrigin(f.market); err != nil {
		return f, err
	}
	if f.source, err = rest.New(rest.Config[Quote]{Base: f.origin.url, Item: "/quotes/{key}"}); err != nil {
		return f, err
	}
	f.cache, err = freshet.New(freshet.Config[Quote]{Name: "prices", Source: f.source, History: history})
	return f, err
}

// close ends the cache, then what it reads from.
func (f *floor) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	f.market.close()
	var errs []error
	if f.cache != nil {
		if err := f.cache.Close(ctx); err != nil {
			errs = append(errs, fmt.Errorf("the cache did not close: %w", err))
		}
	}
	if f.source != nil {
		f.source.Close()
	}
	if f.origin != nil {
		errs = append(errs, f.origin.close())
	}
	return errors.Join(errs...)
}

// settled says whether the cache has the last price of every instrument, and
// the revision of the newest.
func (f *floor) settled() (revision uint64, ok bool) {
	for _, name := range instruments() {
		s, _ := f.cache.Peek(name)
		if q, _ := f.market.quote(name); s.Value != q {
			return 0, false
		}
		revision = max(revision, s.Revision)
	}
	return revision, true
}
