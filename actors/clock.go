package actors

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// The coarse clock moves every tick and falls asleep after a burst of them, so
// that an idle process does not wake and virtual time can pass in tests.
const (
	clockTick  = 5 * time.Millisecond
	clockBurst = 50
	// clockSlack is how far the coarse clock runs ahead of the time. A hit that
	// close to its deadline asks the exact clock; so the coarse one can be late
	// by as much, on a busy machine, before a deadline is overlooked.
	clockSlack = 25 * time.Millisecond
)

// Clock tells a cache the time. Exact time costs a hit as much as the rest of
// it, so a hit compares its deadline with a coarse clock first.
type Clock struct {
	origin time.Time
	// coarse is the time plus slack; asleep: later than any deadline. What ends
	// after it is certainly still to come; of the rest ask Now.
	coarse atomic.Int64

	mu    sync.Mutex
	timer *time.Timer
	left  int // ticks before it falls asleep
	ended bool
}

const asleep = math.MaxInt64

// NewClock starts a clock, asleep. The time that it starts at is instant 1, for 0 is
// none.
func NewClock() *Clock {
	c := &Clock{origin: time.Now().Add(-1)}
	c.coarse.Store(asleep)
	return c
}

// Now is the exact time.
func (c *Clock) Now() lifecycle.Instant { return lifecycle.Instant(time.Since(c.origin)) }

// Time is i as wall time.
func (c *Clock) Time(i lifecycle.Instant) time.Time { return c.origin.Add(time.Duration(i)) }

// wake sets the coarse clock going for a while, if it sleeps.
func (c *Clock) wake() {
	if c.coarse.Load() != asleep || !c.mu.TryLock() {
		return
	}
	defer c.mu.Unlock()
	if c.ended || c.coarse.Load() != asleep {
		return
	}
	c.left = clockBurst
	c.coarse.Store(int64(c.Now().Plus(clockSlack)))
	if c.timer == nil {
		c.timer = time.AfterFunc(clockTick, c.tick)
	} else {
		c.timer.Reset(clockTick)
	}
}

func (c *Clock) tick() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left--; c.left <= 0 || c.ended {
		c.coarse.Store(asleep)
		return
	}
	c.coarse.Store(int64(c.Now().Plus(clockSlack)))
	c.timer.Reset(clockTick)
}

// Close puts the clock to sleep for good; Now goes on working.
func (c *Clock) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	c.coarse.Store(asleep)
	if c.timer != nil {
		c.timer.Stop()
	}
}
