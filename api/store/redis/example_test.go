package redis_test

import (
	"context"
	"errors"
	"fmt"
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

// A cache expires by itself what other processes erase or change; this is for
// whoever wants to hear of it too. A Redis with client tracking is needed, so this
// is compiled and not run; the tests do.
func ExampleStore_OnInvalidate() {
	var users *redis.Store
	stop := users.OnInvalidate(func(i redis.Invalidation) {
		fmt.Println("others changed", i.Keys, i.Prefixes)
	})
	defer stop()
}
