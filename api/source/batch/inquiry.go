package batch

import (
	"context"
	"errors"
	"fmt"
	"slices"

	freshet "github.com/freshet-go/freshet/api"
)

// ErrUnanswered says that the origin, asked twice, answered without the key.
var ErrUnanswered = errors.New("freshet: the origin's answer leaves the key out")

// inquiry gets an answer for every key of a batch, in as many calls as it
// takes.
type inquiry[V any] struct {
	config *Config[V]
	ctx    context.Context //nolint:containedctx // it lives as long as one call
	tell   func(key string, r freshet.Response[V], err error)
	wanted func([]freshet.Request[V]) []freshet.Request[V]
	extra  int                  // calls that are left
	absent []freshet.Request[V] // what the answers left out
}

// ask calls for rs and tells what the answer says of each, except of those
// that it leaves out.
func (i *inquiry[V]) ask(rs []freshet.Request[V]) {
	if rs = i.wanted(rs); len(rs) == 0 {
		return
	}
	if i.ctx.Err() != nil {
		i.fail(rs, context.Cause(i.ctx))
		return
	}
	found, err := i.config.Fetch(i.ctx, slices.Clone(rs)) // it may take out of them what it finds elsewhere
	var many *freshet.ManyError
	errors.As(err, &many)
	var none freshet.Response[V]
	var rest []freshet.Request[V]
	for _, r := range rs {
		if response, ok := found[r.Key]; ok {
			i.tell(r.Key, response, nil)
		} else if many != nil && many.Errs[r.Key] != nil {
			i.tell(r.Key, none, many.Errs[r.Key])
		} else {
			rest = append(rest, r)
		}
	}
	switch {
	case err == nil || many != nil:
		i.leftOut(rest)
	case len(rest) <= 1 || i.extra <= 0 || !keysFault(i.ctx, err):
		i.fail(rest, err)
	default:
		for _, half := range [][]freshet.Request[V]{rest[:len(rest)/2], rest[len(rest)/2:]} {
			if i.extra <= 0 {
				i.fail(half, err)
				continue
			}
			i.extra--
			i.ask(half)
		}
	}
}

func (i *inquiry[V]) leftOut(rs []freshet.Request[V]) {
	if !i.config.AbsentIsMissing {
		i.absent = append(i.absent, rs...)
		return
	}
	for _, r := range rs {
		i.fail([]freshet.Request[V]{r}, fmt.Errorf("freshet: the origin knows no %q: %w", r.Key, freshet.ErrNotFound))
	}
}

// askAgain asks for what was left out, once.
func (i *inquiry[V]) askAgain() {
	again := i.absent
	i.absent = nil
	i.ask(again)
	i.fail(i.absent, ErrUnanswered)
}

func (i *inquiry[V]) fail(rs []freshet.Request[V], err error) {
	for _, r := range rs {
		i.tell(r.Key, freshet.Response[V]{}, err)
	}
}

// keysFault says whether err may be the fault of one key among many.
func keysFault(ctx context.Context, err error) bool {
	if ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return false
	}
	var says interface{ Retryable() bool }
	return !errors.As(err, &says) || !says.Retryable()
}
