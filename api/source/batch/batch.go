package batch

import (
	"context"
	"runtime/debug"
	"time"

	freshet "github.com/freshet-go/freshet/api"
)

// batch is demands that become one call. The source's lock guards it until it
// departs, and its staying for ever.
type batch[V any] struct {
	requests []freshet.Request[V] // one per key, in the order in which they came
	members  map[string][]*member[V]
	staying  int // members that have not left
	latest   time.Time
	forever  bool // a member has no deadline
	window   *time.Timer
	ctx      context.Context
	stop     context.CancelCauseFunc
}

// member is one who waits.
type member[V any] struct {
	batch *batch[V]
	done  chan outcome[V]
	gone  bool
}

type outcome[V any] struct {
	response freshet.Response[V]
	err      error
}

func (s *Source[V]) newBatch() *batch[V] {
	b := &batch[V]{members: make(map[string][]*member[V])}
	b.ctx, b.stop = context.WithCancelCause(s.life)
	b.window = time.AfterFunc(s.config.Window, func() { s.due(b) })
	return b
}

// add makes m a member. A key that is demanded twice is asked for once, and
// without a validator where the two do not hold the same: Unchanged has to
// mean the same to both.
func (b *batch[V]) add(ctx context.Context, r freshet.Request[V], m *member[V]) {
	m.batch = b
	b.staying++
	if deadline, ok := ctx.Deadline(); !ok {
		b.forever = true
	} else if deadline.After(b.latest) {
		b.latest = deadline
	}
	if others := b.members[r.Key]; len(others) > 0 {
		for i := range b.requests {
			if first := &b.requests[i]; first.Key == r.Key {
				if !sameLast(first.Last, r.Last) {
					first.Last = nil
				}
				first.Seq = max(first.Seq, r.Seq)
			}
		}
	} else {
		b.requests = append(b.requests, r)
	}
	b.members[r.Key] = append(b.members[r.Key], m)
}

func sameLast[V any](a, b *freshet.Snapshot[V]) bool {
	return a == b || a != nil && b != nil && a.Seq == b.Seq && a.Validator == b.Validator
}

// run is the goroutine of a call.
func (s *Source[V]) run(b *batch[V]) {
	defer s.calls.Done()
	ctx := b.ctx
	if !b.forever {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, b.latest)
		defer cancel()
	}
	defer b.stop(nil)
	tell := func(key string, r freshet.Response[V], err error) {
		for _, m := range b.members[key] {
			m.done <- outcome[V]{r, err}
		}
		delete(b.members, key)
	}
	returned := false
	defer func() {
		if returned {
			return
		}
		err := caught(recover())
		for key := range b.members {
			tell(key, freshet.Response[V]{}, err)
		}
	}()
	i := &inquiry[V]{config: &s.config, ctx: ctx, tell: tell, extra: s.config.Extra,
		wanted: func(rs []freshet.Request[V]) []freshet.Request[V] { return s.wanted(b, rs) }}
	i.ask(b.requests)
	i.askAgain()
	returned = true
}

// caught is the error of user code that did not return: r is what recover
// returned, nil where it called runtime.Goexit.
func caught(r any) error {
	if r == nil {
		return freshet.ErrGoexit
	}
	return &freshet.PanicError{Value: r, Stack: debug.Stack()}
}
