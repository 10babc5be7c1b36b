package peer

import (
	"context"
	"time"

	"github.com/maypok86/otter/v2"
)

var otterPeer = Peer{
	Name: "otter", Module: "github.com/maypok86/otter/v2",
	Can: CanSet | CanDelete | CanExpire | CanBound, New: newOtter,
}

// OtterRefresh is otter that reloads by Refresh, which joins a load in the air
// and needs an option. Otherwise it reloads by Invalidate and Get, which takes
// no answer that was asked for before.
var OtterRefresh = Peer{
	Name: "otter, Refresh", Module: otterPeer.Module, Can: otterPeer.Can | CanReload, New: newOtterRefresh,
}

type otterCache struct {
	cache  *otter.Cache[string, uint64]
	loader otter.Loader[string, uint64]
}

func newOtter(o Options) (Cache, error) {
	options := &otter.Options[string, uint64]{MaximumSize: o.Capacity, Logger: &otter.NoopLogger{}}
	if o.TTL > 0 {
		options.ExpiryCalculator = otter.ExpiryWriting[string, uint64](o.TTL + o.Stale)
	}
	if o.Stale > 0 {
		options.RefreshCalculator = otter.RefreshWriting[string, uint64](o.TTL)
	}
	return buildOtter(o, options)
}

func buildOtter(o Options, options *otter.Options[string, uint64]) (*otterCache, error) {
	if o.Exact {
		options.Executor = func(f func()) { f() }
	}
	cache, err := otter.New(options)
	if err != nil {
		return nil, err
	}
	return &otterCache{cache: cache, loader: otter.LoaderFunc[string, uint64](o.Source)}, nil
}

func (c *otterCache) Get(ctx context.Context, key string) (uint64, error) {
	return c.cache.Get(ctx, key, c.loader)
}

func (c *otterCache) Set(key string, value uint64) { c.cache.Set(key, value) }

func (c *otterCache) Delete(key string) { c.cache.Invalidate(key) }

func (c *otterCache) Settle() { c.cache.CleanUp() }

func (c *otterCache) Close() { c.cache.StopAllGoroutines() }

type otterRefreshCache struct{ *otterCache }

func newOtterRefresh(o Options) (Cache, error) {
	c, err := buildOtter(o, &otter.Options[string, uint64]{
		MaximumSize: o.Capacity, Logger: &otter.NoopLogger{},
		RefreshCalculator: otter.RefreshWriting[string, uint64](24 * time.Hour),
	})
	return otterRefreshCache{c}, err
}

func (c otterRefreshCache) Reload(ctx context.Context, key string) (uint64, error) {
	r := <-c.cache.Refresh(ctx, key, c.loader)
	return r.Value, r.Err
}
