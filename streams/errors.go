package streams

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// The ways in which a subscription is refused or ends, beside its context's own error. All work with errors.Is.
var (
	// ErrLagged: the subscriber fell behind the history and its policy is [Disconnect], or a snapshot was lapped
	// each time it was taken. It comes as [*LaggedError].
	ErrLagged = errors.New("freshet: the subscriber fell behind the history")
	// ErrCompacted: the token is older than the history. It comes as [*CompactedError].
	ErrCompacted = errors.New("freshet: the token is older than the history")
	// ErrEpoch: the token belongs to another cache or to another life of this one.
	ErrEpoch = errors.New("freshet: the token belongs to another life of the cache, or to another cache")
	// ErrFuture: the token's revision has not happened yet.
	ErrFuture = errors.New("freshet: the token is from the future")
	// ErrToken: the token is no token.
	ErrToken = errors.New("freshet: not a token")
	// ErrClosed: the log or the subscription is closed.
	ErrClosed = errors.New("freshet: the stream is closed")
	// ErrLiveNeedsKeys: Live observes the keys that Keys names, and there are none.
	ErrLiveNeedsKeys = errors.New("freshet: Live needs Keys")
	// ErrGoexit: a handler of [Each], or a function of an operator below Debounce, Buffer or Merge, ended its goroutine
	// with runtime.Goexit.
	ErrGoexit = errors.New("freshet: the handler called runtime.Goexit")
)

// refusedError is why nobody may subscribe. However many reasons there are, it is said once whose they are.
type refusedError struct {
	cache, call string
	err         error
}

func (e *refusedError) Error() string {
	return "freshet: " + e.cache + ": " + e.call + ": " + strings.ReplaceAll(e.err.Error(), "freshet: ", "")
}

func (e *refusedError) Unwrap() error { return e.err }

// CompactedError says where the history begins. errors.Is(err, ErrCompacted) holds for it.
type CompactedError struct {
	Oldest uint64 // the oldest revision that is kept
}

func (e *CompactedError) Error() string {
	return fmt.Sprintf("%v, which begins at revision %d", ErrCompacted, e.Oldest)
}

// Is makes errors.Is(err, ErrCompacted) hold.
func (e *CompactedError) Is(target error) bool { return target == ErrCompacted }

// LaggedError says what a subscriber missed. errors.Is(err, ErrLagged) holds for it.
//
// There are two places to go on from. The subscription's own Token is the last place before the loss; by the nature of
// the thing the history no longer holds it, and [Since] answers with ErrCompacted. Token here lies after the loss, an
// eighth of the history above the oldest event, so that the writer does not overtake whoever resumes from it: that goes
// on with From to To missing.
type LaggedError struct {
	Cache    string
	From, To uint64 // the revisions lost, both inclusive
	Token    Token  // resumes after To; empty when a snapshot was lapped
}

func (e *LaggedError) Error() string {
	return fmt.Sprintf("freshet: %s: the subscriber fell behind the history: revisions %d to %d are lost", e.Cache, e.From, e.To)
}

// Is makes errors.Is(err, ErrLagged) hold.
func (e *LaggedError) Is(target error) bool { return target == ErrLagged }

// contextError is why ctx ended: its cause, and still recognisable as context.Canceled or DeadlineExceeded.
func contextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if cause == nil || cause == err { //nolint:errorlint // identity is meant: nothing to add
		return err
	}
	return fmt.Errorf("%w: %w", err, cause)
}
