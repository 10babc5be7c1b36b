package actors

import (
	"context"
	"time"
)

// Store is a second tier: records as opaque bytes that outlive the process or
// are shared by several.
//
// An implementation is called from many goroutines. It keeps the later of two
// records by ReadAt, and a deletion keeps older records out for a while (a
// tombstone), so that a late write of another process does not bring back what
// was erased (D5). One record is one atomic write, expiry included (D3).
// Package storetest proves all this of an implementation.
type Store interface {
	// Get returns the record, or ErrNotFound where there is none or it expired.
	Get(ctx context.Context, key string) (Record, error)
	// Set keeps r unless a later record or a tombstone at or after r.ReadAt is
	// there.
	Set(ctx context.Context, key string, r Record) error
	// Delete erases the record read at or before at and keeps such records out.
	Delete(ctx context.Context, key string, at time.Time) error
	// DeletePrefix is Delete of every key that starts with prefix.
	DeletePrefix(ctx context.Context, prefix string, at time.Time) error
	// Close releases what the Store holds. A cache never calls it: whoever made the
	// Store does, after the caches on it were closed.
	Close() error
}

// Record is what a Store keeps for a key.
type Record struct {
	Value     []byte    // opaque to the Store, but for Content
	ReadAt    time.Time // when the origin was read: the order of records
	ExpiresAt time.Time // zero: never
	Validator string
	Tags      []string
}

// Content is what the Codec made of the value: Value without what the cache notes
// of its freshness, which differs from one reading of the same state to the next.
func (r Record) Content() []byte {
	if len(r.Value) < recordHeader || r.Value[0] != recordFormat {
		return r.Value
	}
	return r.Value[recordHeader:]
}

// Codec turns values into a Store's bytes and back. It is called from many
// goroutines; an error or a panic costs a miss, never a read (D2).
type Codec[V any] interface {
	Marshal(V) ([]byte, error)
	Unmarshal([]byte) (V, error)
}
