package actors

import (
	"context"
	"sync"
)

// tally counts the goroutines that work for a cache, so that Close can wait
// for them as long as its context allows: a sync.WaitGroup cannot give up.
type tally struct {
	mu   sync.Mutex
	n    int
	zero chan struct{} // non-nil while somebody waits for n to be 0
}

func (t *tally) add() {
	t.mu.Lock()
	t.n++
	t.mu.Unlock()
}

func (t *tally) done() {
	t.mu.Lock()
	if t.n--; t.n == 0 && t.zero != nil {
		close(t.zero)
		t.zero = nil
	}
	t.mu.Unlock()
}

// wait returns when the count is 0, or what is still running when ctx ended.
func (t *tally) wait(ctx context.Context) (running int) {
	t.mu.Lock()
	if t.n == 0 {
		t.mu.Unlock()
		return 0
	}
	if t.zero == nil {
		t.zero = make(chan struct{})
	}
	zero := t.zero
	t.mu.Unlock()
	select {
	case <-zero:
		return 0
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n
}
