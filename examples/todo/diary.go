package main

import (
	"context"
	"fmt"

	"github.com/freshet-go/freshet/streams"
)

// diary is a client's events, and what its screen would show that followed
// them and asked nobody.
type diary struct {
	todos *streams.Subscription[Todo]
	list  *streams.Subscription[[]string]

	entries []string // since they were last taken
	order   []string
	known   map[string]Todo
}

func keepDiary(ctx context.Context, c *client) (*diary, error) {
	todos, err := c.cache.Watch(ctx)
	if err != nil {
		return nil, err
	}
	list, err := c.home.Watch(ctx)
	return &diary{todos: todos, list: list, known: make(map[string]Todo)}, err
}

// await reads on until n events of a kind have come.
func (d *diary) await(ctx context.Context, kind streams.Kind, n int) error {
	for n > 0 {
		e, err := d.todos.Next(ctx)
		if err != nil {
			return err
		}
		d.enter(e)
		if e.Kind == kind {
			n--
		}
	}
	return nil
}

// awaitList is await for the list's own events.
func (d *diary) awaitList(ctx context.Context, kind streams.Kind) error {
	for {
		e, err := d.list.Next(ctx)
		if err != nil {
			return err
		}
		d.enterList(e)
		if e.Kind == kind {
			return nil
		}
	}
}

// catchUp reads what there is.
func (d *diary) catchUp(ctx context.Context) error {
	for d.todos.Lag() > 0 {
		e, err := d.todos.Next(ctx)
		if err != nil {
			return err
		}
		d.enter(e)
	}
	for d.list.Lag() > 0 {
		e, err := d.list.Next(ctx)
		if err != nil {
			return err
		}
		d.enterList(e)
	}
	return nil
}

func (d *diary) enter(e streams.Event[Todo]) {
	if e.Kind.Control() {
		return
	}
	d.entries = append(d.entries, fmt.Sprintf("%-11v %s  %v → %v", e.Kind, e.Key, visible(e.Before), visible(e.After)))
	if e.After == nil {
		delete(d.known, e.Key)
	} else {
		d.known[e.Key] = *e.After
	}
}

func (d *diary) enterList(e streams.Event[[]string]) {
	if !e.Kind.Control() && e.After != nil {
		d.order = *e.After
	}
}

func visible(t *Todo) string {
	if t == nil {
		return "nothing"
	}
	return t.String()
}

// take returns the entries since the last take.
func (d *diary) take() []string {
	entries := d.entries
	d.entries = nil
	return entries
}

// revision is how far the diary is.
func (d *diary) revision() uint64 { return d.todos.Revision() }

// board is what the events have told.
func (d *diary) board() board {
	b := board{}
	for _, key := range d.order {
		if t, ok := d.known[key]; ok {
			b = append(b, row{key: key, todo: t})
		}
	}
	return b
}
