package peer

import (
	"context"
	"time"

	"github.com/Yiling-J/theine-go"
)

var theinePeer = Peer{
	Name: "theine", Module: "github.com/Yiling-J/theine-go",
	Can: CanSet | CanDelete | CanExpire | CanBound, New: newTheine,
}

type theineCache struct {
	cache *theine.LoadingCache[string, uint64]
	ttl   time.Duration
}

func newTheine(o Options) (Cache, error) {
	cache, err := theine.NewBuilder[string, uint64](int64(o.Capacity)).BuildWithLoader(
		func(ctx context.Context, key string) (theine.Loaded[uint64], error) {
			value, err := o.Source(ctx, key)
			return theine.Loaded[uint64]{Value: value, Cost: 1, TTL: o.TTL}, err
		})
	if err != nil {
		return nil, err
	}
	return &theineCache{cache: cache, ttl: o.TTL}, nil
}

func (c *theineCache) Get(ctx context.Context, key string) (uint64, error) {
	return c.cache.Get(ctx, key)
}

func (c *theineCache) Set(key string, value uint64) { c.cache.SetWithTTL(key, value, 1, c.ttl) }

func (c *theineCache) Delete(key string) { c.cache.Delete(key) }

func (c *theineCache) Settle() { c.cache.Wait() }

func (c *theineCache) Close() { c.cache.Close() }
