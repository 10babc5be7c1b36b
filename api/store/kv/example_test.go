package kv_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/store/kv"
)

// wrapped is a kv.Client of the cache that the company already runs, whose client
// has three words: get, set and expire.
type wrapped struct{ cache *companyCache }

func (w wrapped) Get(_ context.Context, key string) ([]byte, error) {
	value, _, err := w.cache.get(key)
	return value, err
}

func (w wrapped) Set(_ context.Context, key string, value []byte, ttl time.Duration) error {
	if err := w.cache.set(key, value); err != nil || ttl == 0 {
		return err
	}
	return w.cache.expire(key, ttl) // where this fails the value still knows its end
}

// Any client that can get, set and expire is a Store in thirty lines.
func Example() {
	users, err := kv.New("users", wrapped{newCompanyCache()}, kv.Options{})
	if err != nil {
		panic(err)
	}
	ctx, began := context.Background(), time.Now()
	_ = users.Delete(ctx, "42", began.Add(time.Second))                                // erased while somebody reads the origin,
	_ = users.Set(ctx, "42", freshet.Record{Value: []byte("what was"), ReadAt: began}) // who writes it only now
	_, err = users.Get(ctx, "42")
	fmt.Println(errors.Is(err, freshet.ErrNotFound))

	_ = users.Set(ctx, "42", freshet.Record{Value: []byte("what is"), ReadAt: began.Add(2 * time.Second)})
	r, err := users.Get(ctx, "42")
	fmt.Println(string(r.Value), err)
	// Output:
	// true
	// what is <nil>
}
