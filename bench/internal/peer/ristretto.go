package peer

import (
	"context"
	"time"

	"github.com/dgraph-io/ristretto/v2"
)

var ristrettoPeer = Peer{
	Name: "ristretto+singleflight", Module: "github.com/dgraph-io/ristretto/v2",
	Can: CanSet | CanDelete | CanReload | CanExpire | CanBound, New: newRistretto,
}

// ristrettoCache loads through a singleflight group, as ristretto itself does
// not load. A write is applied later and may be dropped under contention.
type ristrettoCache struct {
	source Source
	ttl    time.Duration
	once   once
	cache  *ristretto.Cache[string, uint64]
}

func newRistretto(o Options) (Cache, error) {
	cache, err := ristretto.NewCache(&ristretto.Config[string, uint64]{
		NumCounters: 10 * int64(o.Capacity),
		MaxCost:     int64(o.Capacity),
		BufferItems: 64,
		// The cost is a number of entries here, not of bytes.
		IgnoreInternalCost: true,
	})
	if err != nil {
		return nil, err
	}
	return &ristrettoCache{source: o.Source, ttl: o.TTL, cache: cache}, nil
}

func (c *ristrettoCache) Get(ctx context.Context, key string) (uint64, error) {
	if value, ok := c.cache.Get(key); ok {
		return value, nil
	}
	return c.load(ctx, key)
}

func (c *ristrettoCache) load(ctx context.Context, key string) (uint64, error) {
	return c.once.load(ctx, key, func(ctx context.Context) (uint64, error) {
		value, err := c.source(ctx, key)
		if err == nil {
			c.Set(key, value)
		}
		return value, err
	})
}

func (c *ristrettoCache) Set(key string, value uint64) { c.cache.SetWithTTL(key, value, 1, c.ttl) }

func (c *ristrettoCache) Delete(key string) {
	c.cache.Del(key)
	c.once.group.Forget(key)
}

func (c *ristrettoCache) Reload(ctx context.Context, key string) (uint64, error) {
	c.once.group.Forget(key)
	return c.load(ctx, key)
}

func (c *ristrettoCache) Settle() { c.cache.Wait() }

func (c *ristrettoCache) Close() { c.cache.Close() }
