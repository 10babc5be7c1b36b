package main

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/streams"
	"github.com/freshet-go/freshet/streams/streamstest"
)

// desk is a reader with a life of its own: it takes breaks, and reads on. One
// goroutine uses it; only doing is for others.
type desk struct {
	cache *freshet.Cache[Quote]
	sub   *streams.Subscription[Quote]
	board *board
	parts []streamstest.Record[Quote] // what each subscription of it delivered
	doing atomic.Pointer[string]      // for the screen
}

// now says what the desk does.
func (d *desk) now(what string) { d.doing.Store(&what) }

// open subscribes. The desk wants everything, so it is bound by the cache's
// history: it says nothing of OnOverflow, so being too slow ends it.
func (d *desk) open(ctx context.Context, about streamstest.Record[Quote], opts ...streams.Option) error {
	sub, err := d.cache.Watch(ctx, opts...)
	if err != nil {
		return err
	}
	if d.sub = sub; about.Snapshot {
		d.board = newBoard()
	}
	d.parts = append(d.parts, about)
	return nil
}

// leave ends the subscription. The token is where to go on.
func (d *desk) leave() (streams.Token, uint64) {
	token, revision := d.sub.Token(), d.sub.Revision()
	d.sub.Close()
	return token, revision
}

// next reads one event.
func (d *desk) next(ctx context.Context) (streams.Event[Quote], error) {
	e, err := d.sub.Next(ctx)
	if err == nil {
		d.note(e)
		d.board.apply(e)
	}
	return e, err
}

// note records an event of the subscription.
func (d *desk) note(e streams.Event[Quote]) {
	part := &d.parts[len(d.parts)-1]
	part.Events = append(part.Events, e)
}

// follow reads for a while.
func (d *desk) follow(ctx context.Context, length time.Duration) error {
	brief, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	for {
		if _, err := d.next(brief); err != nil {
			if brief.Err() != nil && d.sub.Err() == nil {
				return ctx.Err() // the wait is over, the subscription is not
			}
			return err
		}
	}
}

// synced reads a snapshot and returns how many values it had.
func (d *desk) synced(ctx context.Context) (values int, err error) {
	for {
		e, err := d.next(ctx)
		switch {
		case err != nil:
			return values, err
		case e.Kind == streams.Gap: // it was lapped and begins again
			d.board, values = newBoard(), 0
		case e.Kind == streams.Synced:
			return values, nil
		default:
			values++
		}
	}
}

// catchUp reads what has happened up to now and returns it.
func (d *desk) catchUp(ctx context.Context) ([]streams.Event[Quote], error) {
	var caught []streams.Event[Quote]
	for now := d.sub.Revision() + d.sub.Lag(); d.sub.Revision() < now; {
		e, err := d.next(ctx)
		if err != nil {
			return caught, err
		}
		if !e.Kind.Control() {
			caught = append(caught, e)
		}
	}
	return caught, nil
}

// lapped reads on until the subscription ends, which it does because the desk
// was too slow, and notes what is lost.
func (d *desk) lapped(ctx context.Context) (*streams.LaggedError, error) {
	for {
		_, err := d.next(ctx)
		var lagged *streams.LaggedError
		switch {
		case errors.As(err, &lagged):
			d.note(streams.Event[Quote]{Kind: streams.Gap, Revision: lagged.To, From: lagged.From, To: lagged.To})
			return lagged, nil
		case err != nil:
			return nil, err
		}
	}
}
