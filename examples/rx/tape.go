package main

import (
	"context"
	"fmt"
	"sync"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/examples/internal/show"
)

// Quote is the record: what an instrument costs.
type Quote struct {
	Name  string
	Cents int
}

func (q Quote) String() string {
	if q.Name == bell {
		return bell
	}
	return fmt.Sprintf("%-4s %s", q.Name, show.Money(q.Cents))
}

// bell is a record like any other, and the last of the tape: who reads it has
// read everything.
const bell = "bell"

// tape is what the exchange prints, in this order.
var tape = []Quote{
	{"gold", 241_250}, {"tin", 31_480}, {"rye", 4_810}, {"gold", 241_325},
	{"gold", 241_175}, {"rye", 4_760}, {"tin", 31_640}, {"gold", 241_600},
	{"rye", 4_930}, {"tin", 31_520}, {"gold", 241_450}, {bell, 0},
}

// exchange is what owns the prices.
type exchange struct {
	mu     sync.Mutex
	quotes map[string]Quote
}

func newExchange() *exchange { return &exchange{quotes: make(map[string]Quote)} }

// open makes a cache of the exchange's prices.
func (x *exchange) open(name string) (*freshet.Cache[Quote], error) {
	return freshet.New(freshet.Config[Quote]{Name: name, Source: freshet.Func(x.quote)})
}

// quote is the caches' source.
func (x *exchange) quote(_ context.Context, name string) (Quote, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	q, ok := x.quotes[name]
	if !ok {
		return q, fmt.Errorf("%s: %w", name, freshet.ErrNotFound)
	}
	return q, nil
}

// print makes q the price and lets a cache fetch it.
func (x *exchange) print(ctx context.Context, cache *freshet.Cache[Quote], q Quote) error {
	x.mu.Lock()
	x.quotes[q.Name] = q
	x.mu.Unlock()
	_, err := cache.Reload(ctx, q.Name).Await(ctx)
	return err
}
