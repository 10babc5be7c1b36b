package lifecycle

import (
	"errors"
	"math"
	"time"
)

// Instant is a point in time: nanoseconds since an origin that the driver
// chooses. Only differences and order mean anything.
type Instant int64

// Never is an instant that does not come.
const Never Instant = math.MaxInt64

// Forever is the duration that does not end.
const Forever time.Duration = math.MaxInt64

// Plus is i + d, saturating at Never instead of wrapping. d is not negative.
func (i Instant) Plus(d time.Duration) Instant {
	if sum := i + Instant(d); sum >= i {
		return sum
	}
	return Never
}

// Errors that end a flight or settle a future without the origin's word.
var (
	// ErrNotFound is the origin's word that there is no such record (F4).
	ErrNotFound = errors.New("freshet: not found")
	// ErrClosed is what a closed cache answers (C5).
	ErrClosed = errors.New("freshet: cache is closed")
	// ErrSuperseded is the cause with which a flight's context is cancelled
	// when newer knowledge or a newer flight takes its place (O3, O7).
	ErrSuperseded = errors.New("freshet: superseded by a newer fetch or value")
	// ErrAbandoned settles a flight whose last waiter left (C3).
	ErrAbandoned = errors.New("freshet: abandoned by its last waiter")
)

// Freshness says how long what was learned may be served. A zero field is an
// honest setting, never "the default": TTL 0 is Forever (F5), Stale and
// StaleOnError 0 serve nothing stale, Missing and Failure 0 remember nothing.
type Freshness struct {
	// TTL is how long a value is fresh, from the moment the response was
	// applied less Response.Age (F5). 0 is Forever.
	TTL time.Duration
	// Stale is how long after freshness ended a plain demand still gets the
	// old value at once while one refresh flies (F6).
	Stale time.Duration
	// StaleOnError is how long after freshness ended a failed flight of a
	// plain demand settles with the old value (F7). A caller that leaves before
	// the flight has failed gets its context's error. Without Failure, every
	// demand asks the failing origin again and waits for that.
	StaleOnError time.Duration
	// Missing is how long the origin's "not found" is remembered (F4).
	Missing time.Duration
	// Failure is how long a failure is remembered: until then a plain demand
	// gets it without another flight (F3).
	Failure time.Duration
	// Ahead is the last fraction of the TTL, 0 to 1, in which a hit starts a
	// background refresh (F8).
	Ahead float64
	// Jitter is the fraction of the TTL, 0 to 1, by which it is shortened at
	// most, drawn once per response, so that what was loaded together does
	// not expire together (F5).
	Jitter float64
}

// ReloadMode says what a reload does while a flight is in the air.
type ReloadMode uint8

const (
	// ReloadSupersede takes off at once and cancels the older flight (O3).
	ReloadSupersede ReloadMode = iota
	// ReloadQueue waits for the flight to land; one follow-up then serves
	// every reload that queued (O5).
	ReloadQueue
)

// Rules are what the resources of one cache have in common. They do not
// change in its life.
type Rules struct {
	Freshness
	Reload         ReloadMode
	MaxSupersede   int // supersessions in a row before a reload queues (O4)
	AbortAbandoned bool
	Store          bool // there is a second tier
}
