package actors

import (
	"sync"
	"time"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// ticks are the times that the Stores of this process are told, in the order in
// which things happened (D5), also where a clock shows one time for all of them. All
// caches have them in common, for several may share a Store. They are in one order
// as long as the clocks of the caches' runtimes agree within tickSlack; beyond that
// each goes by its own, as processes do.
var ticks tickOrder

// tickOrder is the newest of those times, in nanoseconds of wall time.
type tickOrder struct {
	mu     sync.Mutex
	users  int   // caches
	told   int64 // of anything
	erased int64 // of an erase
}

// tickSlack is how far ticks run ahead of a clock that stands still. What is
// further ahead is of another time: virtual time, or a clock that was set back.
const tickSlack = int64(time.Millisecond)

// enter counts a cache in.
func (o *tickOrder) enter() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.users++
}

// leave counts it out. The next to come, when there is none, may live in another
// virtual time, which begins again where this one did.
func (o *tickOrder) leave() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.users--; o.users == 0 {
		o.told, o.erased = 0, 0
	}
}

// read is the time of what is read from now on: later than every erase.
func (o *tickOrder) read(now int64) int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	tick := after(now, o.erased+1)
	o.told = after(tick, o.told)
	return tick
}

// erase is the time of an erase: later than the one before, and no earlier than
// anything that was read.
func (o *tickOrder) erase(now int64) int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.told = after(after(now, o.erased+1), o.told)
	o.erased = o.told
	return o.told
}

// after is now, but least where that is a little later.
func after(now, least int64) int64 {
	if least > now && least <= now+tickSlack {
		return least
	}
	return now
}

// readTick is when what is read from now on is read.
func (s *tier[V]) readTick() lifecycle.Instant { return s.tick(ticks.read) }

// eraseTick is the time of an erase.
func (s *tier[V]) eraseTick() time.Time { return s.table.clock.Time(s.tick(ticks.erase)) }

func (s *tier[V]) tick(take func(now int64) int64) lifecycle.Instant {
	now := s.table.clock.Now()
	wall := s.table.clock.Time(now).UnixNano()
	return now + lifecycle.Instant(take(wall)-wall)
}
