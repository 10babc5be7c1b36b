package api

import (
	"context"
	"iter"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/reactivex/rxgo/v2"

	"github.com/freshet-go/freshet/actors"
	"github.com/freshet-go/freshet/streams"
)

// Cache holds the records of one origin. Every key is an actor; every method
// is safe for concurrent use and obeys the numbered rules of the package
// comment. A nil context is context.Background.
//
// A key is 1 to 4096 bytes of valid UTF-8 without NUL. Like a map, a cache keeps
// the string that it is given: clone one that is a small part of something large
// (strings.Clone), and one whose bytes somebody may overwrite.
//
// Make one with New; the zero Cache cannot be used.
type Cache[V any] struct{ table *actors.Table[V] }

// New makes a cache, or says everything that is wrong with the config in one
// error. Close it when it is no longer needed.
func New[V any](c Config[V]) (*Cache[V], error) {
	table, err := actors.NewTable(c)
	if err != nil {
		return nil, err
	}
	return &Cache[V]{table: table}, nil
}

// Fetch returns a future of key's value and never blocks: the settled future
// where something admissible is known, otherwise the pending one that everyone
// who asks meanwhile shares (F0, F1, F2). ctx lends its values to a flight that
// takes off, nothing else (C2). A bad key or option settles the future with
// its error.
func (c *Cache[V]) Fetch(ctx context.Context, key string, opts ...FetchOption) *Future[V] {
	return c.table.Fetch(ctx, key, opts...)
}

// Get returns key's value, from memory where something admissible is known
// (F0). When ctx ends first, Get returns its error and the flight goes on for
// the others (C1); where ctx has ended already, no flight takes off.
//
// A failed flight is a *FetchError, unless an old value carries on (F7). A
// record that does not exist is ErrNotFound (F4).
func (c *Cache[V]) Get(ctx context.Context, key string, opts ...FetchOption) (V, error) {
	return c.table.Get(ctx, key, opts...)
}

// Lookup is Get that returns the whole snapshot: how fresh the value is, what
// failed last, its revision. Beside an error it is what is known all the same.
func (c *Cache[V]) Lookup(ctx context.Context, key string, opts ...FetchOption) (Snapshot[V], error) {
	return c.table.Lookup(ctx, key, opts...)
}

// GetMany returns the values of keys, which may repeat. What could not be had
// is named in a *ManyError, a record that does not exist as ErrNotFound; the
// rest is returned beside it. A BulkSource fetches what has to be fetched in
// one call.
func (c *Cache[V]) GetMany(ctx context.Context, keys []string, opts ...FetchOption) (map[string]V, error) {
	return c.table.GetMany(ctx, keys, opts...)
}

// Reload is Fetch with ForceReload: what takes off after this call began (O3).
func (c *Cache[V]) Reload(ctx context.Context, key string) *Future[V] {
	return c.table.Fetch(ctx, key, ForceReload())
}

// Peek returns what is known of key, true where that is a value, an absence or
// a failure. It never fetches.
func (c *Cache[V]) Peek(key string) (Snapshot[V], bool) { return c.table.Peek(key) }

// Set makes value what is known of key: it was learned elsewhere, an event
// say. Flights in the air are dropped and everyone who waits gets value (O7).
// When Set has returned, it holds. Where Config.Newer says that value is not
// newer than the one held, nothing changes and nil is returned (O9). The tags
// of what is held stay, its validator does not. The origin is not written, and
// no Collection is asked whether the record belongs to it.
func (c *Cache[V]) Set(ctx context.Context, key string, value V) error {
	return c.table.Put(ctx, key, Response[V]{Value: value})
}

// Put is Set with a TTL, an age, a validator, tags: nil keeps those of what is
// held, an empty list takes them off. With a negative TTL those who wait get the
// value and it is not kept; with Unchanged the held value's freshness is renewed;
// where none is held, that is ErrUnchanged.
func (c *Cache[V]) Put(ctx context.Context, key string, r Response[V]) error {
	return c.table.Put(ctx, key, r)
}

// Invalidate declares what is known of keys void (O6). Once it has returned,
// no demand that starts later is answered with knowledge from before it, not
// even from a flight that was in the air: who waits for one gets a newer one.
// A key that is not resident is fine; a bad one is named in the error and
// keeps no other from being invalidated.
func (c *Cache[V]) Invalidate(ctx context.Context, keys ...string) error {
	return c.table.Invalidate(ctx, keys...)
}

// InvalidatePrefix invalidates every key that starts with prefix, all of them
// where it is empty, and returns how many were resident. It walks over all
// resident keys; tags are found without. The empty prefix makes every Collection
// void too, any other none.
func (c *Cache[V]) InvalidatePrefix(ctx context.Context, prefix string) (int, error) {
	return c.table.InvalidatePrefix(ctx, prefix)
}

// InvalidateTag invalidates every resource that carries one of tags
// (Response.Tags) and returns how many were resident. A response in the air
// that turns out to carry one is void too. A resource has the tags that its
// Source or a Put gave it last, and keeps them when it is set or written: what
// only a Create or a list brought has none. Nor has a list itself:
// Collection.Invalidate. A Store's records of resources that are not resident
// are not answered with any more, and not erased: a cache that is made on the
// Store later knows nothing of the invalidation.
func (c *Cache[V]) InvalidateTag(ctx context.Context, tags ...string) (int, error) {
	return c.table.InvalidateTag(ctx, tags...)
}

// Expire ends the freshness of keys now, the soft form of Invalidate (O6): the
// old value may still be served while it is fetched anew (F6) or when that
// fails (F7). It reaches what is resident: a record in a Store keeps its
// freshness, and is answered with again once its resource was evicted.
func (c *Cache[V]) Expire(ctx context.Context, keys ...string) error {
	return c.table.Expire(ctx, keys...)
}

// Remove is Invalidate that also forgets value and validator (O10).
func (c *Cache[V]) Remove(ctx context.Context, keys ...string) error {
	return c.table.Remove(ctx, keys...)
}

// All walks over what is known, in no order: each key at most once, each
// snapshot true when it is yielded. It holds nobody up, and the loop may call
// the cache.
func (c *Cache[V]) All() iter.Seq2[string, Snapshot[V]] { return c.table.All() }

// Len is how many resources are resident, those that are loading included.
func (c *Cache[V]) Len() int { return c.table.Len() }

// Stats returns counters since New and gauges as of now.
func (c *Cache[V]) Stats() Stats { return c.table.Stats() }

// Ref is the PID of key for actors of the runtime's system, resident or not.
// It does not go stale. An actor sends it actors.Demand, actors.Reload or
// actors.Invalidate with Request and is answered with an actors.Answer[V]; once
// the cache is closed, with one of ErrClosed or protoactor's DeadLetterResponse.
// Where Config.Runtime is nil that system is the cache's own, and your actors are
// in another: make a Runtime with your ActorSystem.
func (c *Cache[V]) Ref(key string) *actor.PID { return c.table.Ref(key) }

// Create has the origin make a record of value and keeps what it answers under
// the key that it gave (W5); both are returned. Nothing shows before. A key that
// is none of ours fails with ErrBadKey, though the record was made and is
// returned. Errors are as for Mutate.
func (c *Cache[V]) Create(ctx context.Context, value V) (key string, stored V, err error) {
	return c.table.Create(ctx, value)
}

// Update is a Mutate that replaces the value, whatever it was: nothing is read
// first.
func (c *Cache[V]) Update(ctx context.Context, key string, value V) (V, error) {
	return c.table.Update(ctx, key, value)
}

// Delete hides the value of key at once: a Get is ErrNotFound. Where the origin
// refuses, the value is back (W5). Errors are as for Mutate.
func (c *Cache[V]) Delete(ctx context.Context, key string) error { return c.table.Delete(ctx, key) }

// Mutate shows what m.Apply makes of the value at once, has m.Commit or the
// Writer apply it at the origin, and returns the record as the origin then has
// it. Writes of one key commit in order, one at a time, each on what the one
// before it left; nothing that was read before or while one was under way
// overwrites it (W2, W4). Where nothing is known of key it is read first; a
// record that does not exist is ErrNotFound (W1).
//
// Where it fails, it alone is taken out again, and the error is a *WriteError:
// Unknown says that the origin may have applied it all the same, because it did
// not answer in time (Config.Timeout), the connection broke, or user code
// panicked; then the resource is read before its next write, which fails with
// that read if it fails, and was not written (W3). Nothing is retried. When ctx
// ends first, Mutate returns its error and the write goes on (W6); where it has
// ended already, nothing is written. Without a Writer, and without a Commit of
// its own, it is ErrReadOnly.
func (c *Cache[V]) Mutate(ctx context.Context, key string, m Mutation[V]) (V, error) {
	return c.table.Mutate(ctx, key, m)
}

// Watch subscribes to the cache's events. It has registered when it returns:
// an event that comes right after is delivered (S6). The subscription ends
// with ctx, with its own Close (streams.ErrClosed), or with the cache: that
// is ErrClosed too, as of every call of a closed cache (C5). See package
// streams.
func (c *Cache[V]) Watch(ctx context.Context, opts ...streams.Option) (*streams.Subscription[V], error) {
	if ctx == nil {
		ctx = context.Background()
	}
	return c.table.Log().Subscribe(ctx, opts...)
}

// Observe is Watch as an rxgo Observable whose items' V is a streams.Event[V].
// The cursor is taken now; every observer has a subscription of its own. Which
// operators are safe on it, package streams says.
func (c *Cache[V]) Observe(opts ...streams.Option) rxgo.Observable {
	return c.table.Log().Observable(opts...)
}

// Close ends the cache (C5): new calls get ErrClosed, flights are cancelled,
// pending futures settle with ErrClosed, subscriptions end. A write that is with
// the origin is awaited until ctx ends, and then unknown; one that waits behind
// it gets ErrClosed. It returns when every goroutine of the cache has ended, or,
// with an error that wraps ctx's, when ctx ends before that, because a source
// ignores its context or a Store is still owed something. Closing twice is fine,
// and waits again: close the Store only after Close has returned nil. What a
// cache calls (a source, a log handler) is what it waits for: Close from there
// needs a ctx that ends, or a goroutine of its own.
func (c *Cache[V]) Close(ctx context.Context) error { return c.table.Close(ctx) }
