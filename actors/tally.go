package actors

import (
	"context"
	"sync"
	"sync/atomic"
)

// tally counts the goroutines that work for a cache, so that Close can wait
// for them as long as its context allows: a sync.WaitGroup cannot give up.
type tally struct {
	n       atomic.Int64
	awaited atomic.Bool // somebody waits for n to be 0

	mu   sync.Mutex
	zero chan struct{} // non-nil while somebody does
}

func (t *tally) add() { t.n.Add(1) }

func (t *tally) done() {
	// Either this sees that somebody waits, or he sees that n is 0.
	if t.n.Add(-1) > 0 || !t.awaited.Load() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reachedLocked()
}

// reachedLocked lets those go who wait, if n is 0.
func (t *tally) reachedLocked() bool {
	if t.n.Load() != 0 {
		return false
	}
	if t.zero != nil {
		close(t.zero)
		t.zero = nil
		t.awaited.Store(false)
	}
	return true
}

// wait returns when the count is 0, or what is still running when ctx ended.
func (t *tally) wait(ctx context.Context) (running int) {
	t.mu.Lock()
	if t.zero == nil {
		t.zero = make(chan struct{})
		t.awaited.Store(true)
	}
	zero := t.zero
	reached := t.reachedLocked()
	t.mu.Unlock()
	if reached {
		return 0
	}
	select {
	case <-zero:
		return 0
	case <-ctx.Done():
		return int(t.n.Load())
	}
}
