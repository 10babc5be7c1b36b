package peer

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

var singleflightPeer = Peer{
	Name: "singleflight+map", Module: "golang.org/x/sync",
	Can: CanSet | CanDelete | CanReload | CanExpire, New: newSingleflight,
}

// once loads a key once for all who ask meanwhile.
type once struct{ group singleflight.Group }

// load waits no longer than ctx lives; the call itself does not end with the
// caller that happened to come first.
func (o *once) load(ctx context.Context, key string, call func(context.Context) (uint64, error)) (uint64, error) {
	if ctx.Done() == nil {
		v, err, _ := o.group.Do(key, func() (any, error) { return call(ctx) })
		value, _ := v.(uint64)
		return value, err
	}
	detached := context.WithoutCancel(ctx)
	select {
	case r := <-o.group.DoChan(key, func() (any, error) { return call(detached) }):
		value, _ := r.Val.(uint64)
		return value, r.Err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// singleflightCache is what one writes by hand: a map, a lock, a singleflight
// group and a deadline per entry. It has no bound.
type singleflightCache struct {
	source Source
	ttl    time.Duration
	once   once
	mu     sync.RWMutex
	items  map[string]item
}

type item struct {
	value   uint64
	expires time.Time // zero: never
}

func newSingleflight(o Options) (Cache, error) {
	return &singleflightCache{source: o.Source, ttl: o.TTL, items: make(map[string]item)}, nil
}

func (c *singleflightCache) Get(ctx context.Context, key string) (uint64, error) {
	if value, ok := c.have(key); ok {
		return value, nil
	}
	return c.load(ctx, key)
}

func (c *singleflightCache) have(key string) (uint64, bool) {
	c.mu.RLock()
	have, ok := c.items[key]
	c.mu.RUnlock()
	return have.value, ok && (have.expires.IsZero() || time.Now().Before(have.expires))
}

func (c *singleflightCache) load(ctx context.Context, key string) (uint64, error) {
	return c.once.load(ctx, key, func(ctx context.Context) (uint64, error) {
		value, err := c.source(ctx, key)
		if err == nil {
			c.Set(key, value)
		}
		return value, err
	})
}

func (c *singleflightCache) Set(key string, value uint64) {
	added := item{value: value}
	if c.ttl > 0 {
		added.expires = time.Now().Add(c.ttl)
	}
	c.mu.Lock()
	c.items[key] = added
	c.mu.Unlock()
}

func (c *singleflightCache) Delete(key string) {
	c.mu.Lock()
	delete(c.items, key)
	c.mu.Unlock()
	c.once.group.Forget(key)
}

func (c *singleflightCache) Reload(ctx context.Context, key string) (uint64, error) {
	c.once.group.Forget(key)
	return c.load(ctx, key)
}

func (c *singleflightCache) Close() {}

// DoChan is singleflight+map that gives its callers what C1 and C2 promise, as
// one does that by hand: a load is made on a goroutine of its own and has a
// deadline, so that who leaves ends it for nobody, and it keeps nobody for ever.
// It is no peer: it says what that alone costs.
var DoChan = Peer{Name: "DoChan+map", Module: "golang.org/x/sync", New: newDoChan}

type doChanCache struct{ *singleflightCache }

func newDoChan(o Options) (Cache, error) {
	return &doChanCache{&singleflightCache{source: o.Source, ttl: o.TTL, items: make(map[string]item)}}, nil
}

const doChanTimeout = 10 * time.Second

func (c *doChanCache) Get(ctx context.Context, key string) (uint64, error) {
	if value, ok := c.have(key); ok {
		return value, nil
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), doChanTimeout)
	answer := c.once.group.DoChan(key, func() (any, error) {
		value, err := c.source(limited, key)
		if err == nil {
			c.Set(key, value)
		}
		return value, err
	})
	select {
	case r := <-answer:
		cancel()
		value, _ := r.Val.(uint64)
		return value, r.Err
	case <-limited.Done():
		cancel()
		return 0, limited.Err()
	case <-ctx.Done():
		go func() {
			<-answer
			cancel()
		}()
		return 0, ctx.Err()
	}
}
