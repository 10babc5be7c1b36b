package peer

import (
	"context"
	"io"
	"log/slog"

	freshet "github.com/freshet-go/freshet/api"
)

var freshetPeer = Peer{
	Name: Ours, Module: "github.com/freshet-go/freshet",
	Can: CanSet | CanDelete | CanReload | CanExpire | CanBound, New: newFreshet,
}

type freshetCache struct {
	runtime *freshet.Runtime
	cache   *freshet.Cache[uint64]
}

func newFreshet(o Options) (Cache, error) {
	runtime, err := freshet.NewRuntime(freshet.RuntimeConfig{
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		return nil, err
	}
	cache, err := freshet.New(freshet.Config[uint64]{
		Name:         "bench",
		Source:       freshet.Func(o.Source),
		Runtime:      runtime,
		Freshness:    freshet.Freshness{TTL: o.TTL, Stale: o.Stale},
		MaxEntries:   o.Capacity,
		MaxSupersede: o.Storm,
	})
	if err != nil {
		return nil, err
	}
	return &freshetCache{runtime: runtime, cache: cache}, nil
}

func (c *freshetCache) Get(ctx context.Context, key string) (uint64, error) {
	return c.cache.Get(ctx, key)
}

func (c *freshetCache) Set(key string, value uint64) {
	_ = c.cache.Set(context.Background(), key, value)
}

func (c *freshetCache) Delete(key string) {
	_ = c.cache.Invalidate(context.Background(), key)
}

func (c *freshetCache) Reload(ctx context.Context, key string) (uint64, error) {
	return c.cache.Reload(ctx, key).Await(ctx)
}

func (c *freshetCache) Close() {
	_ = c.cache.Close(context.Background())
	_ = c.runtime.Close(context.Background())
}
