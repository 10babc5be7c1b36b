package actors

import "sync/atomic"

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

// looks is how often a sender looks whether his turn is over before he falls
// asleep: a few turns long, and shorter than it takes a system to wake one
// who sleeps.
const looks = 3000

// wait returns when the letter was handled.
func (l *letter[V]) wait() {
	for range looks {
		if l.state.Load() == handled {
			return
		}
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
