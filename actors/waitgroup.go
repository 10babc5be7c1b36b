package actors

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// waitGroup counts the goroutines that work for a cache, so that Close can wait
// for them as long as its context allows: a sync.WaitGroup cannot give up.
type waitGroup struct {
	n       atomic.Int64
	awaited atomic.Bool // somebody waits for n to be 0

	mu   sync.Mutex
	zero chan struct{} // non-nil while somebody does
}

// Those who are about to be done get the processor parting times first, and more
// often as long as that takes less than partingTime: a system may have stopped the
// thread of one of them. Where many compute, each time may take milliseconds. The
// last bound is for clocks that stand still, as in a synctest bubble.
const (
	parting     = 100
	partingTime = 5 * time.Millisecond
	mostParting = 100_000
)

func (g *waitGroup) add() { g.n.Add(1) }

func (g *waitGroup) done() {
	// Either this sees that somebody waits, or he sees that n is 0.
	if g.n.Add(-1) > 0 || !g.awaited.Load() {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.reachedLocked()
}

// reachedLocked lets those go who wait if n is 0, and says whether it is.
func (g *waitGroup) reachedLocked() bool {
	if g.n.Load() != 0 {
		return false
	}
	if g.zero != nil {
		close(g.zero)
		g.zero = nil
		g.awaited.Store(false)
	}
	return true
}

// wait returns 0 when the count is 0, or how many are still running when ctx ended.
func (g *waitGroup) wait(ctx context.Context) (running int) {
	g.mu.Lock()
	if g.zero == nil {
		g.zero = make(chan struct{})
		g.awaited.Store(true)
	}
	zero := g.zero
	reached := g.reachedLocked()
	g.mu.Unlock()
	if reached {
		return 0
	}
	select {
	case <-zero:
		return 0
	case <-ctx.Done():
	}
	// Who has only to say that he is done may do so: a context that had ended
	// before, as that of a process which was told to stop, leaves him no time.
	began := time.Now()
	for i := 0; i < parting || (i < mostParting && time.Since(began) < partingTime); i++ {
		if g.n.Load() == 0 {
			return 0
		}
		runtime.Gosched()
	}
	return int(g.n.Load())
}
