package kv_test

import (
	"sync"
	"time"
)

// companyCache stands for the client of somebody else's cache: get, set, expire
// and, if one may, cas.
type companyCache struct {
	mu     sync.Mutex
	items  map[string]item
	writes uint64
	// failing is asked before every call; nil: nothing fails.
	failing func(call, key string) error
}

type item struct {
	value []byte
	until time.Time
	token uint64
}

func newCompanyCache() *companyCache { return &companyCache{items: map[string]item{}} }

func (c *companyCache) fail(call, key string) error {
	c.mu.Lock()
	failing := c.failing
	c.mu.Unlock()
	if failing == nil {
		return nil
	}
	return failing(call, key)
}

func (c *companyCache) getLocked(key string) item {
	i := c.items[key]
	if !i.until.IsZero() && !time.Now().Before(i.until) {
		delete(c.items, key)
		return item{}
	}
	return i
}

func (c *companyCache) putLocked(key string, value []byte, until time.Time) {
	c.writes++
	c.items[key] = item{value, until, c.writes}
}

func (c *companyCache) get(key string) (value []byte, token uint64, err error) {
	if err := c.fail("get", key); err != nil {
		return nil, 0, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	i := c.getLocked(key)
	return i.value, i.token, nil
}

func (c *companyCache) set(key string, value []byte) error {
	if err := c.fail("set", key); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.putLocked(key, value, time.Time{})
	return nil
}

func (c *companyCache) expire(key string, ttl time.Duration) error {
	if err := c.fail("expire", key); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if i, ok := c.items[key]; ok {
		i.until = time.Now().Add(ttl)
		c.items[key] = i
	}
	return nil
}

func (c *companyCache) cas(key string, value []byte, token uint64, ttl time.Duration) (bool, error) {
	if err := c.fail("cas", key); err != nil {
		return false, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.getLocked(key).token != token {
		return false, nil
	}
	var until time.Time
	if ttl > 0 {
		until = time.Now().Add(ttl)
	}
	c.putLocked(key, value, until)
	return true, nil
}
