package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/source/rest"
	"github.com/freshet-go/freshet/streams"
)

// client is somebody with a to-do list on the screen: a cache in front of the
// origin, as in a process of its own.
type client struct {
	name  string
	api   *rest.Origin[Todo]
	cache *freshet.Cache[Todo]
	home  *freshet.Collection[Todo]
	diary *diary
}

func newClient(ctx context.Context, name, url string) (*client, error) {
	api, err := rest.New(rest.Config[Todo]{
		Base:   url,
		Item:   "/todos/{key}",
		KeyOf:  func(t Todo) (string, error) { return t.ID, nil },
		Header: http.Header{"From": {name}},
		Wrap:   func(next http.RoundTripper) http.RoundTripper { return deaf{next} },
	})
	if err != nil {
		return nil, err
	}
	cache, err := freshet.New(freshet.Config[Todo]{Name: "todos", Source: api, Writer: api, Lister: lists{api}})
	if err != nil {
		return nil, err
	}
	c := &client{name: name, api: api, cache: cache, home: cache.Collection(home)}
	c.diary, err = keepDiary(ctx, c)
	if err != nil {
		return nil, errors.Join(err, c.close(ctx))
	}
	return c, nil
}

// deaf sends requests that nobody can call back, as many clients do: an answer
// that is no longer wanted comes in all the same.
type deaf struct{ next http.RoundTripper }

func (d deaf) RoundTrip(r *http.Request) (*http.Response, error) {
	return d.next.RoundTrip(r.WithContext(context.WithoutCancel(r.Context())))
}

// hear is what the message queue brings: somebody has changed a todo, and the
// origin has it. What is known of it is void, and as it is on the screen it is
// read again.
func (c *client) hear(ctx context.Context, what streams.Kind, key string) error {
	var errs [3]error
	switch what {
	case streams.Deleted:
		errs[0] = c.cache.Remove(ctx, key)
		errs[1] = c.home.Invalidate(ctx)
	case streams.Created:
		errs[1] = c.home.Invalidate(ctx)
	default:
		errs[0] = c.cache.Invalidate(ctx, key)
	}
	_, errs[2] = c.home.Get(ctx)
	return errors.Join(errs[:]...)
}

// board is what is on the screen now. It asks nobody.
func (c *client) board() board {
	items, _ := c.home.Peek()
	b := make(board, len(items))
	for i, item := range items {
		snapshot, _ := c.cache.Peek(item.Key)
		b[i] = row{item.Key, item.Value, snapshot.Pending}
	}
	return b
}

func (c *client) close(ctx context.Context) error {
	err := c.cache.Close(ctx)
	c.api.Close()
	if err != nil {
		return fmt.Errorf("%s's cache did not close: %w", c.name, err)
	}
	return nil
}
