package peer

import (
	"context"
	"time"

	"github.com/viccon/sturdyc"
)

var sturdycPeer = Peer{
	Name: "sturdyc", Module: "github.com/viccon/sturdyc",
	Can: CanSet | CanDelete | CanReload | CanExpire | CanBound, New: newSturdyc,
}

type sturdycCache struct {
	client *sturdyc.Client[uint64]
	source Source
}

const (
	sturdycShards  = 10 // this and the next as in its README
	sturdycEvicted = 10 // per cent of a shard that make room at a time
	sturdycForever = 24 * time.Hour
)

func newSturdyc(o Options) (Cache, error) {
	ttl := o.TTL + o.Stale
	if ttl == 0 {
		ttl = sturdycForever
	}
	// Its goroutine that evicts what has expired never ends. What has expired
	// is not served without it either, and its README calls it faster so.
	options := []sturdyc.Option{sturdyc.WithNoContinuousEvictions()}
	if o.Stale > 0 {
		options = append(options, sturdyc.WithEarlyRefreshes(o.TTL, o.TTL+o.TTL/10, ttl, time.Millisecond))
	}
	return &sturdycCache{
		client: sturdyc.New[uint64](o.Capacity, sturdycShards, ttl, sturdycEvicted, options...),
		source: o.Source,
	}, nil
}

func (c *sturdycCache) Get(ctx context.Context, key string) (uint64, error) {
	return c.client.GetOrFetch(ctx, key, func(ctx context.Context) (uint64, error) { return c.source(ctx, key) })
}

func (c *sturdycCache) Set(key string, value uint64) { c.client.Set(key, value) }

func (c *sturdycCache) Delete(key string) { c.client.Delete(key) }

func (c *sturdycCache) Reload(ctx context.Context, key string) (uint64, error) {
	return c.client.Passthrough(ctx, key, func(ctx context.Context) (uint64, error) { return c.source(ctx, key) })
}

func (c *sturdycCache) Close() {}
