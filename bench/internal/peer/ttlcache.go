package peer

import (
	"context"
	"errors"
	"time"

	"github.com/jellydator/ttlcache/v3"
)

var ttlcachePeer = Peer{
	Name: "ttlcache", Module: "github.com/jellydator/ttlcache/v3",
	Can: CanSet | CanDelete | CanExpire | CanBound, New: newTTLCache,
}

// ttlcacheCache knows no context: its loader runs without one and its callers
// wait to the end.
type ttlcacheCache struct {
	cache   *ttlcache.Cache[string, uint64]
	stopped chan struct{}
}

var errNotLoaded = errors.New("the loader returned nothing")

func newTTLCache(o Options) (Cache, error) {
	ttl := o.TTL
	if ttl == 0 {
		ttl = ttlcache.NoTTL
	}
	load := ttlcache.LoaderFunc[string, uint64](
		func(c *ttlcache.Cache[string, uint64], key string) *ttlcache.Item[string, uint64] {
			value, err := o.Source(context.Background(), key)
			if err != nil {
				return nil
			}
			return c.Set(key, value, ttlcache.DefaultTTL)
		})
	cache := ttlcache.New(
		ttlcache.WithTTL[string, uint64](ttl),
		ttlcache.WithCapacity[string, uint64](uint64(o.Capacity)),
		ttlcache.WithDisableTouchOnHit[string, uint64](),
		ttlcache.WithLoader(ttlcache.NewSuppressedLoader(load, nil)),
	)
	c := &ttlcacheCache{cache: cache, stopped: make(chan struct{})}
	go func() {
		defer close(c.stopped)
		cache.Start()
	}()
	return c, nil
}

func (c *ttlcacheCache) Get(_ context.Context, key string) (uint64, error) {
	if found := c.cache.Get(key); found != nil {
		return found.Value(), nil
	}
	return 0, errNotLoaded
}

func (c *ttlcacheCache) Set(key string, value uint64) {
	c.cache.Set(key, value, ttlcache.DefaultTTL)
}

func (c *ttlcacheCache) Delete(key string) { c.cache.Delete(key) }

func (c *ttlcacheCache) Close() {
	// Stop is lost on a cleaner that has not begun yet.
	for {
		c.cache.Stop()
		select {
		case <-c.stopped:
			return
		case <-time.After(time.Millisecond):
		}
	}
}
