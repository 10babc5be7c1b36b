package kv

import (
	"context"
	"time"
)

// Client is what any cache service can do. It is called from many goroutines.
type Client interface {
	// Get returns the bytes under key; none, with no error or with ErrNotFound,
	// where there is nothing.
	Get(ctx context.Context, key string) ([]byte, error)
	// Set puts value under key for ttl at least; 0 is for ever. A service that
	// counts in seconds rounds up. Where value and expiry are two calls and the
	// second one fails, return its error: no reader sees the value beyond its
	// time, because the expiry is in the value too.
	Set(ctx context.Context, key string, value []byte, ttl time.Duration) error
}

// Swapper is a Client that can compare and write in one step. With it D5 holds
// between processes.
type Swapper interface {
	Client
	// Swap is Set, only where old is what is there; nil: where nothing is. It
	// says false, and changes nothing, where something else is.
	Swap(ctx context.Context, key string, old, value []byte, ttl time.Duration) (swapped bool, err error)
}
