package api

import (
	"context"
	"time"

	"github.com/freshet-go/freshet/actors"
)

// Forever is the duration that does not end.
const Forever = actors.Forever

// Types of the contract; each is documented where it lives: go doc
// github.com/freshet-go/freshet/actors Config, and so on; Freshness is in
// github.com/freshet-go/freshet/actors/lifecycle.
type (
	Runtime       = actors.Runtime
	RuntimeConfig = actors.RuntimeConfig

	Config[V any]   = actors.Config[V]
	Freshness       = actors.Freshness
	ReloadMode      = actors.ReloadMode
	FetchOption     = actors.FetchOption
	Future[V any]   = actors.Future[V]
	Snapshot[V any] = actors.Snapshot[V]
	State           = actors.State
	Stats           = actors.Stats

	Source[V any]     = actors.Source[V]
	BulkSource[V any] = actors.BulkSource[V]
	Request[V any]    = actors.Request[V]
	Response[V any]   = actors.Response[V]
	Writer[V any]     = actors.Writer[V]
	Lister[V any]     = actors.Lister[V]
	Item[V any]       = actors.Item[V]
	Membership[V any] = actors.Membership[V]
	Mutation[V any]   = actors.Mutation[V]
	Store             = actors.Store
	Record            = actors.Record
	Codec[V any]      = actors.Codec[V]
	Invalidator       = actors.Invalidator
	Invalidation      = actors.Invalidation

	PanicError = actors.PanicError
	FetchError = actors.FetchError
	ManyError  = actors.ManyError
	WriteError = actors.WriteError
)

// What a reload does while a flight is in the air.
const (
	ReloadSupersede = actors.ReloadSupersede
	ReloadQueue     = actors.ReloadQueue
)

// States of a Snapshot.
const (
	Empty   = actors.Empty
	Fresh   = actors.Fresh
	Stale   = actors.Stale
	Missing = actors.Missing
	Failed  = actors.Failed
)

// Errors that a caller can tell apart with errors.Is.
var (
	ErrNotFound   = actors.ErrNotFound
	ErrClosed     = actors.ErrClosed
	ErrTimeout    = actors.ErrTimeout
	ErrSuperseded = actors.ErrSuperseded
	ErrAbandoned  = actors.ErrAbandoned
	ErrGoexit     = actors.ErrGoexit
	ErrNotCached  = actors.ErrNotCached
	ErrPending    = actors.ErrPending
	ErrReadOnly   = actors.ErrReadOnly
	ErrBadKey     = actors.ErrBadKey
	ErrUnknown    = actors.ErrUnknown
	ErrUnchanged  = actors.ErrUnchanged
	ErrImpure     = actors.ErrImpure
	ErrNoLister   = actors.ErrNoLister
)

// NewRuntime makes a Runtime for several caches to share.
func NewRuntime(c RuntimeConfig) (*Runtime, error) { return actors.NewRuntime(c) }

// Func makes a Source of a function that needs only the key.
func Func[V any](f func(ctx context.Context, key string) (V, error)) Source[V] {
	return actors.Func(f)
}

// ForceReload takes only what takes off after the call began (O3).
func ForceReload() FetchOption { return actors.ForceReload() }

// MaxAge takes a value whose age is below d, fresh or not; else it joins a
// flight in the air or starts one (F10).
func MaxAge(d time.Duration) FetchOption { return actors.MaxAge(d) }

// CachedOnly takes what is admissible without a flight, else ErrNotCached (F10).
func CachedOnly() FetchOption { return actors.CachedOnly() }

// WithTimeout bounds the flight that the call starts, if it starts one (C2).
func WithTimeout(d time.Duration) FetchOption { return actors.WithTimeout(d) }
