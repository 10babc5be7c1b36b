package api

import (
	"context"

	"github.com/freshet-go/freshet/actors"
	"github.com/freshet-go/freshet/streams"
)

// Collection is the list of the records that a query selects, in the order of
// the Lister (W8). The list is a resource of its own, whose value is its
// members' keys: it is fetched, shared, ordered and invalidated like any other.
// Its members are resources of the cache, and show in it as they are:
//
//   - Loading it seeds them, unless they are known from later.
//   - What is written to one, or set, is in the list at once. A member that is
//     being deleted is not, and is back in its place if the origin refuses.
//   - One that was evicted or has expired is fetched by itself, several in one
//     call of a BulkSource. One that the source says is missing is left out.
//   - A record that is created joins the lists that a Membership says it
//     belongs to; without one every list is invalidated. So it is when a
//     write's outcome is unknown.
//
// Every method is safe for concurrent use, and ErrNoLister without a Lister.
type Collection[V any] struct {
	members *actors.Table[V]
	lists   *actors.Table[[]string]
	key     string
}

// Collection is the list of what query selects. It costs nothing to make: two of
// one query are the same list. A query is at most 4095 bytes of UTF-8 without
// NUL, else every method answers ErrBadKey.
func (c *Cache[V]) Collection(query string) *Collection[V] {
	return &Collection[V]{members: c.table, lists: c.table.Lists(), key: actors.ListKey(query)}
}

// absent is why there is no list where there is no Lister.
func (l *Collection[V]) absent() error {
	if l.members != nil && l.members.Closed() {
		return ErrClosed
	}
	return ErrNoLister
}

// Get returns the items. The options are about the list, CachedOnly and
// WithTimeout also about its members. Members that could not be fetched are
// named in a *ManyError, and the others are returned beside it.
func (l *Collection[V]) Get(ctx context.Context, opts ...FetchOption) ([]Item[V], error) {
	if l.lists == nil {
		return nil, l.absent()
	}
	keys, err := l.lists.Get(ctx, l.key, opts...)
	if err != nil {
		return nil, err
	}
	return l.members.Members(ctx, l.key, keys, actors.MemberOptions(opts)...)
}

// Fetch returns a future of the items and never blocks. It fails where a member
// could not be fetched. The future is this call's own, for members change without
// their list; the flights behind it are shared. Its Seq is the list's. ctx lends
// its values to the flights, nothing else (C2).
func (l *Collection[V]) Fetch(ctx context.Context, opts ...FetchOption) *Future[[]Item[V]] {
	if ctx == nil {
		ctx = context.Background()
	}
	if l.lists == nil {
		return settled[V](nil, 0, l.absent())
	}
	list := l.lists.Fetch(ctx, l.key, opts...)
	if keys, err := list.Result(); err == nil {
		if items, missing := l.members.MembersHit(keys); len(missing) == 0 {
			return settled(items, list.Seq(), nil)
		}
	}
	// It ends when nobody awaits the future, where that ends flights (C3).
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	var abandon func()
	if l.lists.AbortsAbandoned() {
		abandon = func() { cancel(ErrAbandoned) }
	}
	future, settle := actors.Promise[[]Item[V]](abandon)
	running := l.members.Go(func() {
		defer cancel(nil)
		keys, err := list.Await(ctx)
		var items []Item[V]
		if err == nil {
			items, err = l.members.Members(ctx, l.key, keys, actors.MemberOptions(opts)...)
		}
		if err != nil && ctx.Err() != nil {
			err = ErrAbandoned
		}
		settle(items, list.Seq(), err)
	})
	if !running {
		cancel(nil)
		return settled[V](nil, 0, ErrClosed)
	}
	return future
}

// settled is a future of items that are known, or of an error.
func settled[V any](items []Item[V], seq uint64, err error) *Future[[]Item[V]] {
	future, settle := actors.Promise[[]Item[V]](nil)
	settle(items, seq, err)
	return future
}

// Reload is Fetch with ForceReload: what takes off after this call began (O3).
func (l *Collection[V]) Reload(ctx context.Context) *Future[[]Item[V]] {
	return l.Fetch(ctx, ForceReload())
}

// Peek returns what is known of the list and its members, false where nothing is
// known of the list. It never fetches; members of which no value is known are
// left out.
func (l *Collection[V]) Peek() ([]Item[V], bool) {
	if l.lists == nil {
		return nil, false
	}
	list, _ := l.lists.Peek(l.key)
	if list.State != Fresh && list.State != Stale {
		return nil, false
	}
	items := make([]Item[V], 0, len(list.Value))
	for _, key := range list.Value {
		if s, _ := l.members.Peek(key); s.State == Fresh || s.State == Stale {
			items = append(items, Item[V]{Key: key, Value: s.Value})
		}
	}
	return items, true
}

// Invalidate declares what is known of the list void (O6): the next demand asks
// the Lister. The members stay.
func (l *Collection[V]) Invalidate(ctx context.Context) error {
	if l.lists == nil {
		return l.absent()
	}
	return l.lists.Invalidate(ctx, l.key)
}

// Watch subscribes to the list's own events: that it was loaded, that a record
// joined or left it (Updated), that it was invalidated. Before and After are
// the members' keys, in order, and Key is the query behind a question mark.
// What happens to a member is told once, as that member's event by Cache.Watch,
// an optimistic delete included. The lists of a cache have revisions of their
// own. Options are those of Cache.Watch, but for Keys and Prefix, which are refused.
func (l *Collection[V]) Watch(ctx context.Context, opts ...streams.Option) (*streams.Subscription[[]string], error) {
	if l.lists == nil {
		return nil, l.absent()
	}
	if ctx == nil {
		ctx = context.Background()
	}
	return l.lists.Log().SubscribeTo(ctx, l.key, opts...)
}
