package work

import (
	"context"
	"sync/atomic"
)

// The writer of a fan-out goes at most ahead windows before its slowest reader, which is less than what freshet keeps.
const (
	window = 1024
	ahead  = 3
)

// pace holds the writer back, the same for all peers and without asking any of them: the last reader through a window
// says so.
type pace struct {
	left []atomic.Int32 // readers still to come, for each window
	done chan struct{}  // one for each window that all are through, in order
	seen int            // of done
}

func newPace(ops, readers int) *pace {
	windows := (ops + window - 1) / window
	p := &pace{left: make([]atomic.Int32, windows), done: make(chan struct{}, windows)}
	for i := range p.left {
		p.left[i].Store(int32(readers))
	}
	return p
}

// passed is a reader's word that it is through a window.
func (p *pace) passed(i int) {
	if p.left[i].Add(-1) == 0 {
		p.done <- struct{}{}
	}
}

// wait returns when window i may be sent, or false when ctx has ended.
func (p *pace) wait(ctx context.Context, i int) bool {
	for p.seen <= i-ahead {
		select {
		case <-p.done:
			p.seen++
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// finish returns when all readers are through, or ctx has ended.
func (p *pace) finish(ctx context.Context) { p.wait(ctx, len(p.left)+ahead-1) }
