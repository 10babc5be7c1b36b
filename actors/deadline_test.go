package actors

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// bell is an owner of a deadline that notes when it was told.
type bell struct {
	deadline
	clock *Clock
	mu    sync.Mutex
	rang  []lifecycle.Instant
}

func (b *bell) due() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rang = append(b.rang, b.clock.Now())
}

// rung is when the bell rang; forget starts anew.
func (b *bell) rung(forget bool) []lifecycle.Instant {
	b.mu.Lock()
	defer b.mu.Unlock()
	rang := b.rang
	if forget {
		b.rang = nil
	}
	return rang
}

func newBells(n int) (s *deadlines, bells []*bell) {
	clock := NewClock()
	s = newDeadlines(clock, &waitGroup{})
	for range n {
		b := &bell{clock: clock}
		b.owner = b
		bells = append(bells, b)
	}
	return s, bells
}

const ms = lifecycle.Instant(time.Millisecond)

func TestDeadlines_EarliestFirstAndExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := newBells(3)
		s.set(&b[0].deadline, 50*ms)
		s.set(&b[1].deadline, 10*ms) // earlier than the one that is armed
		s.set(&b[2].deadline, lifecycle.Instant(30*24*time.Hour))
		time.Sleep(31 * 24 * time.Hour)
		synctest.Wait()
		require.Equal(t, []lifecycle.Instant{10 * ms}, b[1].rung(false))
		require.Equal(t, []lifecycle.Instant{50 * ms}, b[0].rung(false))
		require.Equal(t, []lifecycle.Instant{lifecycle.Instant(30 * 24 * time.Hour)}, b[2].rung(false), "to the nanosecond")
		require.Equal(t, lifecycle.Never, s.armed, "nothing is armed for nothing")
	})
}

func TestDeadlines_CoalesceToAMillisecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := newBells(4)
		s.set(&b[0].deadline, 10*ms)
		s.set(&b[1].deadline, 10*ms+ms/4)
		s.set(&b[2].deadline, 10*ms+ms/2)
		s.set(&b[3].deadline, 12*ms)
		time.Sleep(20 * time.Millisecond)
		synctest.Wait()
		require.Equal(t, []lifecycle.Instant{10 * ms}, b[0].rung(false))
		require.Equal(t, []lifecycle.Instant{11 * ms}, b[1].rung(false), "together, and not more than 1 ms late")
		require.Equal(t, []lifecycle.Instant{11 * ms}, b[2].rung(false))
		require.Equal(t, []lifecycle.Instant{12 * ms}, b[3].rung(false))
	})
}

func TestDeadlines_MovedRemovedAndClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b := newBells(4)
		for _, b := range b {
			s.set(&b.deadline, 10*ms)
		}
		s.set(&b[0].deadline, lifecycle.Never)
		s.set(&b[0].deadline, lifecycle.Never) // out already
		s.set(&b[1].deadline, 20*ms)
		s.set(&b[2].deadline, 5*ms)
		time.Sleep(15 * time.Millisecond)
		synctest.Wait()
		require.Empty(t, b[0].rung(false))
		require.Empty(t, b[1].rung(false))
		require.Equal(t, []lifecycle.Instant{5 * ms}, b[2].rung(false))
		s.set(&b[2].deadline, 18*ms) // again
		time.Sleep(3 * time.Millisecond)
		synctest.Wait()
		require.Equal(t, []lifecycle.Instant{5 * ms, 18 * ms}, b[2].rung(false))

		s.close()
		s.set(&b[2].deadline, 19*ms)
		s.set(&b[1].deadline, lifecycle.Never)
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Empty(t, b[1].rung(false), "closed")
		require.Len(t, b[2].rung(false), 2)
		require.Zero(t, s.busy.n.Load())
	})
}

// Whatever is set, moved and taken out: each rings once for each time that it
// was set and not taken out before, and never early, and at most 1 ms late.
func TestDeadlines_AgainstAModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		type step struct{ who, wait, in int }
		steps := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) step {
			return step{
				who: rapid.IntRange(0, 4).Draw(r, "who"), wait: rapid.IntRange(0, 3000).Draw(r, "wait"),
				in: rapid.IntRange(-1, 5000).Draw(r, "in"),
			}
		}), 1, 40).Draw(r, "steps")
		wrong := "" // rapid wants to be told on its own goroutine
		synctest.Test(t, func(*testing.T) {
			s, bells := newBells(5)
			want := make([]lifecycle.Instant, 5) // 0: not set
			check := func() {
				now := s.clock.Now()
				for i, b := range bells {
					if rung := b.rung(true); len(rung) > 0 {
						if late := rung[0] - want[i]; len(rung) > 1 || want[i] == 0 || late < 0 || late > ms {
							wrong = fmt.Sprintf("bell %d, set for %d, rang at %v", i, want[i], rung)
						}
						want[i] = 0
					}
					if want[i] != 0 && now > want[i]+ms {
						wrong = fmt.Sprintf("bell %d, set for %d, is silent at %d", i, want[i], now)
					}
				}
			}
			for _, step := range steps {
				at := lifecycle.Never
				if want[step.who] = 0; step.in >= 0 {
					at = s.clock.Now() + lifecycle.Instant(step.in*1000) + 1
					want[step.who] = at
				}
				s.set(&bells[step.who].deadline, at)
				time.Sleep(time.Duration(step.wait) * time.Microsecond)
				synctest.Wait()
				check()
			}
			time.Sleep(time.Second)
			synctest.Wait()
			check()
			s.close()
		})
		if wrong != "" {
			r.Fatal(wrong)
		}
	})
}

// M4: the heap gives back what a burst of deadlines needed.
func TestDeadlines_ABurstLeavesNoRoomBehind(t *testing.T) {
	clock := NewClock()
	defer clock.Close()
	s := newDeadlines(clock, &waitGroup{})
	defer s.close()
	burst := make([]*bell, 100*leastShrink)
	for i := range burst {
		burst[i] = &bell{clock: clock}
		burst[i].owner = burst[i]
		s.set(&burst[i].deadline, clock.Now().Plus(time.Hour))
	}
	for i, b := range burst {
		s.set(&b.deadline, lifecycle.Never)
		require.LessOrEqual(t, cap(s.heap), max(leastShrink, 4*(len(burst)-i)))
	}
}

// M4: who observed leaves no alarm behind, also where it has rung and what it began
// has not ended.
func TestM4_AnAlarmLeavesWithItsObserver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := make(chan int, 1)
		slow <- 1
		table := testTable(t, Config[int]{Freshness: Freshness{TTL: time.Minute}, Timeout: time.Hour}, func(context.Context, string) (int, error) {
			return <-slow, nil
		})
		release, err := table.observe([]string{"k"}, 0)
		require.NoError(t, err)
		time.Sleep(2 * time.Minute) // it is fetched again, which takes its time
		synctest.Wait()
		require.EqualValues(t, 1, table.Stats().InFlight)
		release()
		slow <- 2
		synctest.Wait()
		table.alarms.Range(func(any, any) bool {
			t.Error("an alarm keeps its cell")
			return false
		})
	})
}
