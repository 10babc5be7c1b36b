package actors

import (
	"context"
	"time"
)

// Source is the origin of a cache's records.
//
// Fetch is called on a goroutine of its own, for one key by at most one
// current flight at a time, for different keys side by side. Its context ends
// when the flight is superseded (cause ErrSuperseded), abandoned, timed out or
// the cache closes; a source should then return. One that does not holds
// nobody up: its late response is dropped (C2). A record that does not exist
// is an error that wraps ErrNotFound (F4). Where both a response and an error
// are returned the error counts. A panic or runtime.Goexit fails this flight
// alone (C4).
//
// WARNING: a value that was returned belongs to every reader of the cache;
// it must not be modified afterwards.
type Source[V any] interface {
	Fetch(ctx context.Context, r Request[V]) (Response[V], error)
}

// BulkSource is a Source that can fetch many keys in one call. GetMany uses it
// for what it has to fetch.
//
// FetchMany's map holds what it could fetch. A key that is not in the map is
// not thereby missing: it is fetched again by itself, unless the error is (or
// wraps) a *ManyError that names it.
type BulkSource[V any] interface {
	Source[V]
	FetchMany(ctx context.Context, rs []Request[V]) (map[string]Response[V], error)
}

// Request is what a flight asks the origin for.
type Request[V any] struct {
	Key string
	Seq uint64 // the flight's sequence number, rising per key (O1)
	// Last is the value that is held, nil if none, for a conditional request:
	// its Validator, its At. Not to be modified.
	Last *Snapshot[V]
}

// Response is what the origin answered.
type Response[V any] struct {
	Value V
	// Unchanged says that Request.Last still holds; Value is ignored (F9).
	Unchanged bool
	// TTL overrides Freshness.TTL for this response: 0 does not, a negative
	// one answers those who wait and is not kept (F5).
	TTL time.Duration
	// Age is how old the response already is; it shortens freshness (F5).
	Age time.Duration
	// Validator is kept for the next conditional request, such as an ETag.
	Validator string
	// Tags are names under which InvalidateTag finds the resource.
	Tags []string
}

// Func makes a Source of a function that needs only the key.
func Func[V any](f func(ctx context.Context, key string) (V, error)) Source[V] {
	if f == nil {
		return nil
	}
	return funcSource[V](f)
}

type funcSource[V any] func(ctx context.Context, key string) (V, error)

func (f funcSource[V]) Fetch(ctx context.Context, r Request[V]) (Response[V], error) {
	value, err := f(ctx, r.Key)
	return Response[V]{Value: value}, err
}

// Writer writes to the origin. An error that wraps ErrUnknown, a deadline, a
// cancellation or a broken connection leaves the outcome unknown, and so do a
// panic and runtime.Goexit; any other error is a refusal, and so is a connection
// that could not be made (W3). A refusal that wraps ErrNotFound says that there
// is no such record. Each answer is the record as the origin now has it.
type Writer[V any] interface {
	Create(ctx context.Context, value V) (key string, stored V, err error)
	Update(ctx context.Context, key string, value V) (stored V, err error)
	Delete(ctx context.Context, key string) error
}

// Lister lists the records that a query selects, in order (W8). What a query is,
// it says itself; the empty one is a query too. The rules of a Source hold for
// it. An item that comes twice counts once; one with a bad key fails the list.
//
// NOTE: an item carries no tags and no TTL. A member keeps the tags that its
// Source gave it; one that only lists brought has none, and InvalidateTag does
// not find it.
type Lister[V any] interface {
	List(ctx context.Context, query string) ([]Item[V], error)
}

// Membership is a Lister that can tell without the origin whether a record
// belongs to what a query selects. With it a record that was created or changed
// joins the lists that it belongs to, at the end, and leaves the others;
// without, every list is invalidated when a record is created, and those without
// it when one was updated of which nothing was known.
//
// Belongs is called when the origin has applied a write, for each resident list.
// A list of which it does not tell, because it panics or takes longer than
// Config.Timeout, is invalidated (C4). It must not write to the cache: the next
// write of the key waits for it.
type Membership[V any] interface {
	Lister[V]
	Belongs(query string, item Item[V]) bool
}

// Item is a member of a list.
type Item[V any] struct {
	Key   string
	Value V
}
