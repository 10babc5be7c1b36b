package actors

import (
	"runtime"
	"sync/atomic"
)

// letter is a message that waits for its turn.
type letter[V any] struct {
	message[V]
	next  *letter[V]
	state atomic.Uint32
	wake  chan struct{} // made by the sender, if he falls asleep
}

// The states of a letter.
const (
	posted uint32 = iota
	awaited
	handled
)

// yields is how often a sender offers his processor to others before he falls
// asleep: a turn is much shorter than it takes a system to wake one who sleeps.
const yields = 8

// wait returns when the letter was handled.
func (l *letter[V]) wait() {
	for range yields {
		if l.state.Load() == handled {
			return
		}
		runtime.Gosched()
	}
	l.wake = make(chan struct{})
	if l.state.CompareAndSwap(posted, awaited) {
		<-l.wake
	}
}

// answer lets go who waits.
func (l *letter[V]) answer() {
	if l.state.Swap(handled) == awaited {
		close(l.wake)
	}
}
