package kv_test

import (
	"context"
	"fmt"
	"time"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/store/kv"
)

// swapping is wrapped with the fourth word of many services: cas, a write that is
// done only where nobody wrote since. It makes D5 hold between processes.
type swapping struct{ wrapped }

func (s swapping) Swap(_ context.Context, key string, old, value []byte, ttl time.Duration) (bool, error) {
	have, token, err := s.cache.get(key)
	if err != nil || string(have) != string(old) {
		return false, err
	}
	return s.cache.cas(key, value, token, ttl)
}

func ExampleSwapper() {
	service := swapping{wrapped{newCompanyCache()}}
	here, _ := kv.New("users", service, kv.Options{})
	there, _ := kv.New("users", service, kv.Options{}) // of another process

	ctx, now := context.Background(), time.Now()
	_ = there.DeletePrefix(ctx, "team-7/", now)
	_ = here.Set(ctx, "team-7/ada", freshet.Record{Value: []byte("Ada"), ReadAt: now}) // too late
	_ = here.Set(ctx, "team-8/bob", freshet.Record{Value: []byte("Bob"), ReadAt: now})
	for _, key := range []string{"team-7/ada", "team-8/bob"} {
		r, err := there.Get(ctx, key)
		fmt.Printf("%q %v\n", r.Value, err)
	}
	// Output:
	// "" freshet: not found
	// "Bob" <nil>
}
