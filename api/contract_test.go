package api_test

import (
	"context"
	"iter"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/reactivex/rxgo/v2"
	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/actors"
	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/streams"
)

// The public contract: what others compile against. A change here breaks them.

type (
	cacheOf      = *freshet.Cache[string]
	collectionOf = *freshet.Collection[string]
	futureOf     = *freshet.Future[string]
	itemsOfThem  = []freshet.Item[string]
)

var (
	_ func(freshet.Config[string]) (cacheOf, error)                                                    = freshet.New[string]
	_ func(cacheOf, context.Context, string, ...freshet.FetchOption) futureOf                          = cacheOf.Fetch
	_ func(cacheOf, context.Context, string, ...freshet.FetchOption) (string, error)                   = cacheOf.Get
	_ func(cacheOf, context.Context, string, ...freshet.FetchOption) (freshet.Snapshot[string], error) = cacheOf.Lookup
	_ func(cacheOf, context.Context, []string, ...freshet.FetchOption) (map[string]string, error)      = cacheOf.GetMany
	_ func(cacheOf, context.Context, string) futureOf                                                  = cacheOf.Reload
	_ func(cacheOf, string) (freshet.Snapshot[string], bool)                                           = cacheOf.Peek
	_ func(cacheOf, context.Context, string, string) error                                             = cacheOf.Set
	_ func(cacheOf, context.Context, string, freshet.Response[string]) error                           = cacheOf.Put
	_ func(cacheOf, context.Context, ...string) error                                                  = cacheOf.Invalidate
	_ func(cacheOf, context.Context, string) (int, error)                                              = cacheOf.InvalidatePrefix
	_ func(cacheOf, context.Context, ...string) (int, error)                                           = cacheOf.InvalidateTag
	_ func(cacheOf, context.Context, ...string) error                                                  = cacheOf.Expire
	_ func(cacheOf, context.Context, ...string) error                                                  = cacheOf.Remove
	_ func(cacheOf) iter.Seq2[string, freshet.Snapshot[string]]                                        = cacheOf.All
	_ func(cacheOf) int                                                                                = cacheOf.Len
	_ func(cacheOf) freshet.Stats                                                                      = cacheOf.Stats
	_ func(cacheOf, string) *actor.PID                                                                 = cacheOf.Ref
	_ func(cacheOf, context.Context) error                                                             = cacheOf.Close

	_ func(cacheOf, context.Context, string) (string, string, error)                   = cacheOf.Create
	_ func(cacheOf, context.Context, string, string) (string, error)                   = cacheOf.Update
	_ func(cacheOf, context.Context, string) error                                     = cacheOf.Delete
	_ func(cacheOf, context.Context, string, freshet.Mutation[string]) (string, error) = cacheOf.Mutate

	_ func(cacheOf, string) collectionOf                                                                  = cacheOf.Collection
	_ func(collectionOf, context.Context, ...freshet.FetchOption) *freshet.Future[[]freshet.Item[string]] = collectionOf.Fetch
	_ func(collectionOf, context.Context, ...freshet.FetchOption) (itemsOfThem, error)                    = collectionOf.Get
	_ func(collectionOf, context.Context) *freshet.Future[[]freshet.Item[string]]                         = collectionOf.Reload
	_ func(collectionOf, context.Context) error                                                           = collectionOf.Invalidate
	_ func(collectionOf) (itemsOfThem, bool)                                                              = collectionOf.Peek

	_ func(cacheOf, context.Context, ...streams.Option) (*streams.Subscription[string], error) = cacheOf.Watch
	_ func(cacheOf, ...streams.Option) rxgo.Observable                                         = cacheOf.Observe

	_ func() freshet.FetchOption              = freshet.ForceReload
	_ func(time.Duration) freshet.FetchOption = freshet.MaxAge
	_ func() freshet.FetchOption              = freshet.CachedOnly
	_ func(time.Duration) freshet.FetchOption = freshet.WithTimeout

	_ func(futureOf, context.Context) (string, error) = futureOf.Await
	_ func(futureOf) <-chan struct{}                  = futureOf.Done
	_ func(futureOf) (string, error)                  = futureOf.Result
	_ func(futureOf) uint64                           = futureOf.Seq

	_ func(freshet.RuntimeConfig) (*freshet.Runtime, error) = freshet.NewRuntime
	_ func(*freshet.Runtime, context.Context) error         = (*freshet.Runtime).Close

	_ func(func(context.Context, string) (string, error)) freshet.Source[string] = freshet.Func[string]
	_ freshet.Source[string]                                                     = (interface {
		Fetch(context.Context, freshet.Request[string]) (freshet.Response[string], error)
	})(nil)
	_ freshet.BulkSource[string] = (interface {
		freshet.Source[string]
		FetchMany(context.Context, []freshet.Request[string]) (map[string]freshet.Response[string], error)
	})(nil)
	_ freshet.Writer[string] = (interface {
		Create(ctx context.Context, value string) (key string, stored string, err error)
		Update(ctx context.Context, key string, value string) (stored string, err error)
		Delete(ctx context.Context, key string) error
	})(nil)
	_ freshet.Lister[string] = (interface {
		List(ctx context.Context, query string) ([]freshet.Item[string], error)
	})(nil)
	_ freshet.Codec[string] = (interface {
		Marshal(string) ([]byte, error)
		Unmarshal([]byte) (string, error)
	})(nil)
	_ freshet.Store = (interface {
		Get(ctx context.Context, key string) (freshet.Record, error)
		Set(ctx context.Context, key string, r freshet.Record) error
		Delete(ctx context.Context, key string, at time.Time) error
		DeletePrefix(ctx context.Context, prefix string, at time.Time) error
		Close() error
	})(nil)

	_ func(streams.Event[string]) streams.Token                                           = streams.Event[string].Token
	_ func(*streams.Subscription[string]) iter.Seq2[streams.Event[string], error]         = (*streams.Subscription[string]).Events
	_ func(*streams.Subscription[string], context.Context) (streams.Event[string], error) = (*streams.Subscription[string]).Next
	_ func(*streams.Subscription[string]) streams.Token                                   = (*streams.Subscription[string]).Token
	_ func(*streams.Subscription[string]) error                                           = (*streams.Subscription[string]).Err
	_ func(*streams.Subscription[string]) uint64                                          = (*streams.Subscription[string]).Lag
	_ func(*streams.Subscription[string])                                                 = (*streams.Subscription[string]).Close
	_ func(...string) streams.Option                                                      = streams.Keys
	_ func(string) streams.Option                                                         = streams.Prefix
	_ func(...streams.Kind) streams.Option                                                = streams.Kinds
	_ func(streams.Token) streams.Option                                                  = streams.Since
	_ func() streams.Option                                                               = streams.WithSnapshot
	_ func() streams.Option                                                               = streams.Live
	_ func(streams.Overflow) streams.Option                                               = streams.OnOverflow
	_ [3]streams.Overflow                                                                 = [...]streams.Overflow{streams.DropOldest, streams.Resync, streams.Disconnect}
	_ streams.Token                                                                       = "a string"
)

// The fields, by name, with the types that literals and readers rely on.
var (
	_ = freshet.RuntimeConfig{ActorSystem: (*actor.ActorSystem)(nil), Logger: (*slog.Logger)(nil)}
	_ = freshet.Config[string]{
		Name: "", Source: nil, Writer: nil, Lister: nil, Runtime: (*freshet.Runtime)(nil),
		Freshness: freshet.Freshness{TTL: freshet.Forever, Stale: 0, StaleOnError: 0, Missing: 0, Failure: 0, Ahead: 0.5, Jitter: 0.5},
		Timeout:   time.Duration(0), Reload: freshet.ReloadSupersede, MaxSupersede: 0, MaxFlights: 0, AbortAbandoned: false,
		MaxEntries: 0, MaxWeight: uint64(0), Weigh: func(string, string) uint32 { return 0 },
		Equal: func(_, _ string) bool { return false }, Newer: func(_, _ string) bool { return false },
		History: 0, Store: freshet.Store(nil), Codec: freshet.Codec[string](nil), StoreTimeout: time.Duration(0),
	}
	_ = freshet.Mutation[string]{
		Apply:  func(current string) (string, error) { return current, nil },
		Commit: func(_ context.Context, optimistic string) (string, error) { return optimistic, nil },
	}
	_ = freshet.Request[string]{Key: "", Seq: uint64(0), Last: (*freshet.Snapshot[string])(nil)}
	_ = freshet.Response[string]{Value: "", Unchanged: false, TTL: time.Duration(0), Age: time.Duration(0), Validator: "", Tags: []string(nil)}
	_ = freshet.Item[string]{Key: "", Value: ""}
	_ = freshet.Snapshot[string]{
		Key: "", Value: "", State: freshet.Empty, Err: error(nil), Seq: uint64(0), Revision: uint64(0), At: time.Time{},
		Validator: "", Pending: 0, Loading: false,
	}
	_ = freshet.Record{Value: []byte(nil), ReadAt: time.Time{}, ExpiresAt: time.Time{}, Validator: "", Tags: []string(nil)}
	_ = freshet.Stats{
		Hits: uint64(0), StaleHits: 0, Misses: 0, Coalesced: 0, Flights: 0, Failures: 0, Dropped: 0, Superseded: 0, Evictions: 0,
		StoreHits: 0, StoreErrors: 0, Resident: int(0), InFlight: 0, Pending: 0, Subscriptions: 0,
	}
	_ error = &freshet.PanicError{Value: any(nil), Stack: []byte(nil)}
	_ error = &freshet.ManyError{Errs: map[string]error(nil)}
	_ error = &freshet.WriteError{Key: "", Unknown: false, Err: error(nil)}
	_ error = &freshet.FetchError{Cache: "", Key: "", Seq: uint64(0), Err: error(nil)}
	_       = streams.Event[string]{
		Revision: uint64(0), Cache: "", Key: "", Kind: streams.Loaded, Seq: uint64(0), Before: (*string)(nil), After: (*string)(nil),
		Reason: "", Err: error(nil), At: time.Time{}, From: uint64(0), To: uint64(0),
	}
	_ error = &streams.CompactedError{Oldest: uint64(0)}
	_       = actors.Answer[string]{Snapshot: freshet.Snapshot[string]{}, Err: error(nil)}
	_       = []any{actors.Demand{}, actors.Reload{}, actors.Invalidate{}}
)

func TestContract_NamesAreDistinct(t *testing.T) {
	require.Equal(t, time.Duration(math.MaxInt64), freshet.Forever)
	for name, all := range map[string][]any{
		"states": {freshet.Empty, freshet.Fresh, freshet.Stale, freshet.Missing, freshet.Failed},
		"modes":  {freshet.ReloadSupersede, freshet.ReloadQueue},
		"kinds": {
			streams.Loaded, streams.Updated, streams.Revalidated, streams.Invalidated, streams.Expired, streams.Failed,
			streams.Missing, streams.Dropped, streams.Optimistic, streams.Committed, streams.RolledBack, streams.Created,
			streams.Deleted, streams.Evicted, streams.Synced, streams.Gap, streams.Bookmark,
		},
		"errors": {
			freshet.ErrNotFound, freshet.ErrClosed, freshet.ErrTimeout, freshet.ErrSuperseded, freshet.ErrAbandoned,
			freshet.ErrGoexit, freshet.ErrNotCached, freshet.ErrPending, freshet.ErrReadOnly, freshet.ErrBadKey, freshet.ErrUnknown,
		},
		"errors of streams": {
			streams.ErrLagged, streams.ErrCompacted, streams.ErrEpoch, streams.ErrFuture, streams.ErrClosed,
			streams.ErrLiveNeedsKeys, streams.ErrToken,
		},
	} {
		seen := map[any]bool{}
		for _, x := range all {
			require.NotNil(t, x, name)
			require.False(t, seen[x], "%s: %v stands twice", name, x)
			seen[x] = true
		}
	}
	require.Zero(t, freshet.ReloadSupersede, "the default")
}
