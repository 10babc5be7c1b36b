package redis_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/alicebob/miniredis/v2"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/store/redis"
)

// A read that began before an erase stays out, whoever wrote it.
func Example() {
	ctx := context.Background()
	fake, err := miniredis.Run() // stands for the company's Redis
	if err != nil {
		panic(err)
	}
	defer fake.Close()

	client, err := redis.Open(redis.Options{URL: "redis://" + fake.Addr()})
	if err != nil {
		panic(err)
	}
	defer client.Close()
	users, err := client.Store("users")
	if err != nil {
		panic(err)
	}

	began := time.Now()
	_ = users.DeletePrefix(ctx, "team-7/", began.Add(time.Second))
	_ = users.Set(ctx, "team-7/ada", freshet.Record{Value: []byte("Ada"), ReadAt: began})
	_, err = users.Get(ctx, "team-7/ada")
	fmt.Println(errors.Is(err, freshet.ErrNotFound))

	_ = users.Set(ctx, "team-7/ada", freshet.Record{Value: []byte("Ada"), ReadAt: began.Add(2 * time.Second), ExpiresAt: began.Add(time.Hour)})
	r, _ := users.Get(ctx, "team-7/ada")
	fmt.Println(string(r.Value))
	// Output:
	// true
	// Ada
}

// What other processes erase or change expires here. A Redis with client tracking
// is needed for it to be heard, so this is compiled and not run; the tests do.
func ExampleStore_OnInvalidate() {
	var cache *freshet.Cache[string]
	var users *redis.Store
	ctx := context.Background()

	stop := users.OnInvalidate(func(i redis.Invalidation) {
		_ = cache.Expire(ctx, i.Keys...)
		if len(i.Prefixes) == 0 && !i.Lost {
			return
		}
		for key := range cache.All() {
			// Not InvalidatePrefix: it would erase again, for others to hear.
			if i.Lost || slices.ContainsFunc(i.Prefixes, func(p string) bool { return strings.HasPrefix(key, p) }) {
				_ = cache.Expire(ctx, key)
			}
		}
	})
	defer stop()
}
