package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/reactivex/rxgo/v2"

	"github.com/freshet-go/freshet/streams"
)

type event = streams.Event[Quote]

// news are the events that the scenes look at: new prices.
func news() streams.Option { return streams.Kinds(streams.Loaded, streams.Updated) }

// priced says whether an item tells of a price. A stream has words of its own,
// such as a Bookmark after 30 s of silence, that come whatever Kinds says.
func priced(v any) bool { return v.(event).After != nil }

// observer reads an Observable of lines to the bell.
type observer struct {
	lines []string
	first chan struct{} // closed when there is a line
	done  chan struct{} // closed when the Observable has ended
	err   error
}

// observe begins to read. The context is how an observer leaves: rxgo knows no
// other way.
func observe(ctx context.Context, o rxgo.Observable) *observer {
	v := &observer{first: make(chan struct{}), done: make(chan struct{})}
	ctx, leave := context.WithCancel(ctx)
	items := o.Observe(rxgo.WithContext(ctx))
	go func() {
		defer close(v.done)
		defer leave()
		for item := range items { // until leave has ended it
			if item.E != nil {
				v.err = item.E
				continue
			}
			line := item.V.(string)
			if v.lines = append(v.lines, line); len(v.lines) == 1 {
				close(v.first)
			}
			if last(line) {
				leave()
			}
		}
	}()
	return v
}

// read reads to the end.
func (v *observer) read(ctx context.Context) ([]string, error) {
	select {
	case <-v.done:
		if v.err != nil {
			return v.lines, v.err
		}
		if len(v.lines) == 0 || !last(v.lines[len(v.lines)-1]) {
			return v.lines, fmt.Errorf("the stream ended before the bell: %q", v.lines)
		}
		return v.lines, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// last says whether a line is the last: everything has been read.
func last(line string) bool { return strings.HasSuffix(line, bell) }
