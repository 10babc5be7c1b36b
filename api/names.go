package api

import (
	"context"
	"time"

	"github.com/freshet-go/freshet/actors"
)

// Forever is the duration that does not end.
const Forever = actors.Forever

// The types of the contract live where they belong; what their fields mean,
// go doc ./actors Config (Mutation, Response, ...) says.
type (
	// Runtime is what caches share: an actor system, a clock, a logger.
	Runtime = actors.Runtime
	// RuntimeConfig configures a Runtime. The zero value works.
	RuntimeConfig = actors.RuntimeConfig

	// Config says what a cache is. Only Name and Source are required.
	Config[V any] = actors.Config[V]
	// Freshness says how long what was learned may be served: TTL, Stale (while
	// one refresh flies), StaleOnError, Missing (that there is no record),
	// Failure, and, as fractions of the TTL, Ahead and Jitter (F4 to F8). What
	// each means, go doc github.com/freshet-go/freshet/actors/lifecycle
	// Freshness says.
	Freshness = actors.Freshness
	// ReloadMode says what a reload does while a flight is in the air.
	ReloadMode = actors.ReloadMode
	// FetchOption is a wish of one call: ForceReload, MaxAge, CachedOnly,
	// WithTimeout.
	FetchOption = actors.FetchOption
	// Future is an answer that everyone who asked shares (F1). It settles (C6).
	Future[V any] = actors.Future[V]
	// Snapshot is what is known of a key at one moment.
	Snapshot[V any] = actors.Snapshot[V]
	// State is what a Snapshot says of its value.
	State = actors.State
	// Stats are counters since New, and gauges as of now.
	Stats = actors.Stats

	// Source is the origin. Func makes one of a function.
	Source[V any] = actors.Source[V]
	// BulkSource is a Source that fetches many keys in one call.
	BulkSource[V any] = actors.BulkSource[V]
	// Request is what a Source is asked.
	Request[V any] = actors.Request[V]
	// Response is what a Source answers, and what Put takes.
	Response[V any] = actors.Response[V]
	// Writer makes, changes and deletes records at the origin.
	Writer[V any] = actors.Writer[V]
	// Lister is the origin of collections.
	Lister[V any] = actors.Lister[V]
	// Item is a member of a collection.
	Item[V any] = actors.Item[V]
	// Membership is a Lister that can say which list a record belongs to; others'
	// lists are read anew after each write that may change them (W8).
	Membership[V any] = actors.Membership[V]
	// Mutation is a write that is more than a plain update: Apply shows it, Commit
	// has the origin apply it, Tags and Prefixes are what it makes stale (W1).
	Mutation[V any] = actors.Mutation[V]
	// Store is a second tier.
	Store = actors.Store
	// Record is what a Store keeps of a key.
	Record = actors.Record
	// Codec turns values into a Store's bytes.
	Codec[V any] = actors.Codec[V]
	// Invalidator is a Store that tells what others did to its records.
	Invalidator = actors.Invalidator
	// Invalidation is what an Invalidator tells.
	Invalidation = actors.Invalidation

	// PanicError is a panic of user code; it fails that operation alone (C4).
	PanicError = actors.PanicError
	// FetchError is the failure of a flight, around what the source returned.
	FetchError = actors.FetchError
	// ManyError names what of many keys could not be had, and why.
	ManyError = actors.ManyError
	// WriteError is the failure of a write; Unknown says that the origin may have
	// applied it (W3).
	WriteError = actors.WriteError
)

// What a reload does while a flight is in the air.
const (
	ReloadSupersede = actors.ReloadSupersede // it takes off at once and takes over (O3)
	ReloadQueue     = actors.ReloadQueue     // it waits for the flight to land (O5)
)

// States of a Snapshot.
const (
	Empty   = actors.Empty   // nothing is known
	Fresh   = actors.Fresh   // a value within its TTL
	Stale   = actors.Stale   // a value beyond it, or invalidated
	Missing = actors.Missing // the origin said that there is no such record
	Failed  = actors.Failed  // no value, and the last flight failed
)

// Errors that a caller can tell apart with errors.Is.
var (
	ErrNotFound   = actors.ErrNotFound   // the origin says that there is no such record (F4)
	ErrClosed     = actors.ErrClosed     // the cache is closed (C5)
	ErrTimeout    = actors.ErrTimeout    // the origin did not answer in time; also context.DeadlineExceeded (C2)
	ErrSuperseded = actors.ErrSuperseded // the cause of a flight's context that newer knowledge ended (O3)
	ErrAbandoned  = actors.ErrAbandoned  // nobody waited any more (C3)
	ErrGoexit     = actors.ErrGoexit     // user code called runtime.Goexit (C4)
	ErrNotCached  = actors.ErrNotCached  // CachedOnly, and nothing admissible is known (F10)
	ErrPending    = actors.ErrPending    // a Result before its Future settled
	ErrReadOnly   = actors.ErrReadOnly   // a write without a Writer (W6)
	ErrBadKey     = actors.ErrBadKey     // not 1 to 4096 bytes of valid UTF-8 without NUL
	ErrUnknown    = actors.ErrUnknown    // a Writer wraps it where it cannot tell whether the origin applied the write (W3)
	ErrUnchanged  = actors.ErrUnchanged  // a source, or a Put, says Unchanged where nothing is held
	ErrImpure     = actors.ErrImpure     // an Apply modified its argument (Config.CheckApply)
	ErrNoLister   = actors.ErrNoLister   // a Collection without a Lister
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

// WithTimeout bounds the flight that the call starts, if it starts one (C2). d is
// more than 0.
func WithTimeout(d time.Duration) FetchOption { return actors.WithTimeout(d) }
