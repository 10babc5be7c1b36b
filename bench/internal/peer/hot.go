package peer

import (
	"context"
	"errors"

	"github.com/samber/hot"
)

var hotPeer = Peer{
	Name: "hot", Module: "github.com/samber/hot",
	Can: CanSet | CanDelete | CanExpire | CanBound, New: newHot,
}

// hotCache knows no context: its loader runs without one and its callers wait
// to the end. It is not sharded: in this version a sharded cache has no lock
// and dies of concurrent writes.
type hotCache struct{ cache *hot.HotCache[string, uint64] }

var errNotFound = errors.New("the loader found nothing")

func newHot(o Options) (Cache, error) {
	config := hot.NewHotCache[string, uint64](hot.LRU, o.Capacity).
		WithLoaders(func(keys []string) (map[string]uint64, error) {
			found := make(map[string]uint64, len(keys))
			for _, key := range keys {
				value, err := o.Source(context.Background(), key)
				if err != nil {
					return nil, err
				}
				found[key] = value
			}
			return found, nil
		})
	if o.TTL > 0 {
		config = config.WithTTL(o.TTL)
	}
	if o.Stale > 0 {
		config = config.WithRevalidation(o.Stale)
	}
	return &hotCache{cache: config.Build()}, nil
}

func (c *hotCache) Get(_ context.Context, key string) (uint64, error) {
	value, found, err := c.cache.Get(key)
	if err == nil && !found {
		err = errNotFound
	}
	return value, err
}

func (c *hotCache) Set(key string, value uint64) { c.cache.Set(key, value) }

func (c *hotCache) Delete(key string) { c.cache.Delete(key) }

func (c *hotCache) Close() {}
