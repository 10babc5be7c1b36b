package api_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	freshet "github.com/freshet-go/freshet/api"
)

type Todo struct{ Text string }

// todos stands for the service that owns the to-dos: it can be read, written and
// listed, and refuses what has no text.
type todos struct {
	mu    sync.Mutex
	texts []string // of the to-dos t1, t2, ...; "" is one that was deleted
}

var errNoText = errors.New("a to-do needs a text")

func (s *todos) at(key string) (i int) {
	_, _ = fmt.Sscanf(key, "t%d", &i)
	return i - 1
}

func (s *todos) Fetch(_ context.Context, r freshet.Request[Todo]) (freshet.Response[Todo], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return freshet.Response[Todo]{Value: Todo{s.texts[s.at(r.Key)]}}, nil
}

func (s *todos) Create(_ context.Context, v Todo) (string, Todo, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.texts = append(s.texts, v.Text)
	return fmt.Sprintf("t%d", len(s.texts)), v, nil
}

func (s *todos) Update(_ context.Context, key string, v Todo) (Todo, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v.Text == "" {
		return v, errNoText
	}
	s.texts[s.at(key)] = v.Text
	return v, nil
}

func (s *todos) Delete(_ context.Context, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.texts[s.at(key)] = ""
	return nil
}

func (s *todos) List(_ context.Context, query string) (items []freshet.Item[Todo], err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, text := range s.texts {
		if text != "" && strings.Contains(text, query) {
			items = append(items, freshet.Item[Todo]{Key: fmt.Sprintf("t%d", i+1), Value: Todo{text}})
		}
	}
	return items, nil
}

// Belongs tells which lists a to-do joins, so that they need not be read again.
func (s *todos) Belongs(query string, item freshet.Item[Todo]) bool {
	return strings.Contains(item.Value.Text, query)
}

// A collection is the list of what a query selects. Its members are resources of
// the cache: what is written to one shows in every list.
func ExampleCollection() {
	ctx := context.Background()
	origin := &todos{texts: []string{"buy milk", "call Ada"}}
	cache, _ := freshet.New(freshet.Config[Todo]{Name: "todos", Source: origin, Writer: origin, Lister: origin})
	defer cache.Close(ctx)

	all, toBuy := cache.Collection(""), cache.Collection("buy")
	fmt.Println(all.Get(ctx))
	fmt.Println(toBuy.Get(ctx))

	_, _, _ = cache.Create(ctx, Todo{"buy bread"})
	_, _ = cache.Update(ctx, "t1", Todo{"buy oat milk"})
	_ = cache.Delete(ctx, "t2")
	fmt.Println(all.Get(ctx))
	fmt.Println(toBuy.Get(ctx))
	fmt.Println(cache.Stats().Flights, "reads of the origin")
	// Output:
	// [{t1 {buy milk}} {t2 {call Ada}}] <nil>
	// [{t1 {buy milk}}] <nil>
	// [{t1 {buy oat milk}} {t3 {buy bread}}] <nil>
	// [{t1 {buy oat milk}} {t3 {buy bread}}] <nil>
	// 2 reads of the origin
}

// A mutation shows at once what it does, and is taken out again where the origin
// refuses.
func ExampleCache_Mutate() {
	ctx := context.Background()
	origin := &todos{texts: []string{"buy milk"}}
	cache, _ := freshet.New(freshet.Config[Todo]{Name: "todos", Source: origin, Writer: origin})
	defer cache.Close(ctx)

	to := func(text string) freshet.Mutation[Todo] {
		return freshet.Mutation[Todo]{Apply: func(v Todo) (Todo, error) {
			v.Text = text // of a copy: Apply must not change what it is given
			return v, nil
		}}
	}
	v, err := cache.Mutate(ctx, "t1", to("buy bread"))
	fmt.Println(v, err)

	_, err = cache.Mutate(ctx, "t1", to(""))
	fmt.Println(errors.Is(err, errNoText), err)
	fmt.Println(cache.Get(ctx, "t1"))
	// Output:
	// {buy bread} <nil>
	// true freshet: write of "t1": a to-do needs a text
	// {buy bread} <nil>
}
