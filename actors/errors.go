package actors

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// Errors that a caller can tell apart with errors.Is.
var (
	// ErrNotFound is the origin's word that there is no such record (F4), or a
	// Store's that it has none.
	ErrNotFound = lifecycle.ErrNotFound
	// ErrClosed answers every call of a closed cache (C5).
	ErrClosed = lifecycle.ErrClosed
	// ErrSuperseded is the cause of a flight's cancelled context where newer
	// knowledge or a newer flight took its place (O3).
	ErrSuperseded = lifecycle.ErrSuperseded
	// ErrAbandoned settles a flight whose last waiter left (C3).
	ErrAbandoned = lifecycle.ErrAbandoned
	// ErrTimeout says that the origin did not answer within the timeout (C2);
	// it is also context.DeadlineExceeded. So is user code that others wait for
	// (Apply, and what looks at a commit's answer) and that took longer.
	ErrTimeout error = timeoutError{}
	// ErrGoexit says that user code called runtime.Goexit (C4).
	ErrGoexit = errors.New("freshet: user code called runtime.Goexit")
	// ErrNotCached answers CachedOnly where nothing admissible is known (F10).
	ErrNotCached = errors.New("freshet: not cached")
	// ErrPending is a future's Result before it settled.
	ErrPending = errors.New("freshet: the future is pending")
	// ErrReadOnly answers a write where no Writer is configured (W6).
	ErrReadOnly = errors.New("freshet: read-only: no Writer is configured")
	// ErrNoLister answers the calls of a Collection where no Lister is
	// configured.
	ErrNoLister = errors.New("freshet: no collections: no Lister is configured")
	// ErrUnknown is wrapped by a Writer's error that cannot tell whether the
	// origin applied the write (W3).
	ErrUnknown = errors.New("freshet: the origin may have applied it")
	// ErrImpure fails a mutation whose Apply modified its argument
	// (Config.CheckApply).
	ErrImpure = errors.New("freshet: Apply modified its argument, which every reader shares")
	// ErrBadKey says that a key is not 1 to 4096 bytes of valid UTF-8 without
	// NUL.
	ErrBadKey = errors.New("freshet: bad key")
	// ErrUnchanged fails a flight whose source answered Unchanged though the
	// request brought no Last that could be unchanged, and a Put of what is
	// Unchanged where no value is held.
	ErrUnchanged = errors.New("freshet: the source answered Unchanged, but nothing is held")
)

// timeoutError is ErrTimeout, whatever it says it waited for.
type timeoutError struct {
	after time.Duration
	who   string // "": the origin
}

func (e timeoutError) Error() string {
	if e.after == 0 {
		return "freshet: the origin did not answer in time"
	}
	if e.who != "" {
		return fmt.Sprintf("freshet: %s did not return in %v", e.who, e.after)
	}
	return fmt.Sprintf("freshet: the origin did not answer in %v", e.after)
}

func (timeoutError) Is(target error) bool {
	_, ok := target.(timeoutError)
	return ok
}

func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }
func (timeoutError) Unwrap() error   { return context.DeadlineExceeded }

// PanicError is a panic of user code (a source, Equal, Newer, Weigh, ...): it
// fails the operation that ran the code and nothing else (C4).
type PanicError struct {
	Value any    // what was passed to panic
	Stack []byte // of the goroutine that panicked
}

func (e *PanicError) Error() string { return fmt.Sprintf("freshet: user code panicked: %v", e.Value) }

// Unwrap returns Value where it is an error, else nil.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// bare wraps a sentinel without saying a second time whose it is.
func bare(err error) error { return trimmed{err} }

type trimmed struct{ error }

func (t trimmed) Error() string { return strings.TrimPrefix(t.error.Error(), "freshet: ") }
func (t trimmed) Unwrap() error { return t.error }

// FetchError is the failure of a flight: what the source returned, and for
// which key of which cache. errors.Is and errors.As see through to Err.
type FetchError struct {
	Cache, Key string
	Seq        uint64 // the flight's sequence number (O1)
	Err        error
}

func (e *FetchError) Error() string {
	return "freshet: " + e.Cache + "/" + e.Key + ": " + strings.ReplaceAll(e.Err.Error(), "freshet: ", "")
}

func (e *FetchError) Unwrap() error { return e.Err }

// ManyError says which keys of a GetMany failed and why. errors.Is and
// errors.As look at every one of them.
type ManyError struct{ Errs map[string]error }

func (e *ManyError) Error() string {
	const shown = 3
	keys := slices.Sorted(maps.Keys(e.Errs))
	var b strings.Builder
	fmt.Fprintf(&b, "freshet: %d of the keys failed", len(keys))
	for i, key := range keys {
		if i == shown {
			fmt.Fprintf(&b, "; and %d more", len(keys)-shown)
			break
		}
		fmt.Fprintf(&b, "; %q: %s", key, strings.TrimPrefix(e.Errs[key].Error(), "freshet: "))
	}
	return b.String()
}

// Unwrap returns the errors in the order of their keys.
func (e *ManyError) Unwrap() []error {
	errs := make([]error, 0, len(e.Errs))
	for _, key := range slices.Sorted(maps.Keys(e.Errs)) {
		errs = append(errs, e.Errs[key])
	}
	return errs
}

// WriteError is a write that was not applied, or whose outcome is Unknown: then
// the origin may have applied it (W3).
type WriteError struct {
	Key     string // empty for a Create, unless the origin gave one that could not be taken in
	Unknown bool
	Err     error
}

func (e *WriteError) Error() string {
	what := fmt.Sprintf("freshet: write of %q", e.Key)
	if e.Key == "" {
		what = "freshet: create"
	}
	why := strings.ReplaceAll(e.Err.Error(), "freshet: ", "")
	if !e.Unknown {
		return what + ": " + why
	}
	const maybe = "the origin may have applied it"
	what += ": " + maybe
	if why == maybe { // a bare ErrUnknown
		return what
	}
	return what + ": " + strings.TrimPrefix(why, maybe+": ")
}

// Is says that an unknown outcome is ErrUnknown, whatever made it so.
func (e *WriteError) Is(target error) bool { return e.Unknown && target == ErrUnknown }

func (e *WriteError) Unwrap() error { return e.Err }
