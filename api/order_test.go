package api_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

func TestO1_SequenceNumbersRiseAndAreNeverReused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var mu sync.Mutex
		last, seen := map[string]uint64{}, map[uint64]bool{}
		o := &origin{auto: func(n int, r freshet.Request[string]) (freshet.Response[string], error) {
			mu.Lock()
			defer mu.Unlock()
			if r.Seq <= last[r.Key] || seen[r.Seq] {
				return freshet.Response[string]{}, fmt.Errorf("number %d of %s after %d", r.Seq, r.Key, last[r.Key])
			}
			last[r.Key], seen[r.Seq] = r.Seq, true
			if n%5 == 0 {
				return freshet.Response[string]{}, freshet.ErrNotFound
			}
			return freshet.Response[string]{Value: fmt.Sprint(r.Seq)}, nil
		}}
		c := serve(t, o, config{MaxEntries: 2}) // evicted keys come back, and so do removed ones
		for n := range 200 {
			key := fmt.Sprint(n % 7)
			f := c.Reload(bg, key)
			v, err := f.Await(bg)
			if !errors.Is(err, freshet.ErrNotFound) {
				require.NoError(t, err)
				require.Equal(t, v, fmt.Sprint(f.Seq()))
			}
			if n%3 == 0 {
				require.NoError(t, c.Remove(bg, key))
			}
		}
		require.Equal(t, 200, o.calls())
	})
}

// Behaviours 3 and 18. Responses come in every order; the newest is applied,
// whenever it comes.
func TestO2_ALateResponseIsDropped(t *testing.T) {
	for _, order := range [][]int{{3, 1, 2}, {3, 2, 1}, {1, 3, 2}, {1, 2, 3}, {2, 1, 3}, {2, 3, 1}} {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				o := &origin{deaf: true}
				c := serve(t, o, config{})
				events := watch(t, c)
				f := c.Fetch(bg, "k")
				for n := 2; n <= 3; n++ {
					require.Equal(t, n-1, o.calls())
					require.Same(t, f, c.Reload(bg, "k"))
				}
				dropped, over := 0, false
				for _, n := range order {
					o.call(t, n).value(fmt.Sprintf("v%d", n))
					if n != 3 {
						dropped++
					}
					if over = over || n == 3; over {
						settled(t, f, "v3")
					} else {
						pending(t, f)
					}
				}
				mustGet(t, c, "k", "v3")
				s := c.Stats()
				require.EqualValues(t, 2, s.Dropped)
				require.EqualValues(t, 2, s.Superseded)
				require.EqualValues(t, 3, s.Flights)
				require.Zero(t, s.Failures)
				require.Equal(t, o.call(t, 3).Seq, f.Seq())
				told := 0
				for _, e := range events.take() {
					switch e.Kind.String() {
					case "Dropped":
						told++
						require.Equal(t, "supersession", e.Reason, "the design's word")
						require.Less(t, e.Seq, o.call(t, 3).Seq)
					default:
						require.Equal(t, "Loaded", e.Kind.String())
						require.Equal(t, "v3", *e.After)
					}
				}
				require.Equal(t, 2, told)
			})
		})
	}
}

// The failure of a superseded flight is nobody's business.
func TestO2_ALateFailureIsDropped(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{deaf: true}
		c := serve(t, o, config{})
		f := c.Fetch(bg, "k")
		o.calls()
		c.Reload(bg, "k")
		o.call(t, 1).fail(errOrigin)
		pending(t, f)
		o.call(t, 2).value("v2")
		settled(t, f, "v2")
		s, _ := c.Peek("k")
		require.NoError(t, s.Err)
		require.Zero(t, c.Stats().Failures)
	})
}

// Behaviours 2 and 4.
func TestO3_AReloadTakesOver(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{})
		first := c.Fetch(bg, "k")
		waiter := get(c, "k")
		old := o.call(t, 1)
		second := c.Reload(bg, "k")
		require.Same(t, first, second)
		fresh := o.call(t, 2)
		require.ErrorIs(t, context.Cause(old.ctx), freshet.ErrSuperseded)
		require.Error(t, old.ctx.Err())
		require.NoError(t, fresh.ctx.Err(), "the cancellation does not reach its successor")
		require.True(t, waiter.waiting(), "the cancelled request's error is not the waiters'")
		fresh.value("v2")
		gives(t, waiter, "v2")
		settled(t, first, "v2")
	})
}

func TestO3_TheSettledValueServesMeanwhile(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{})
		require.NoError(t, c.Set(bg, "k", "old"))
		reload := c.Reload(bg, "k")
		o.call(t, 1)
		mustGet(t, c, "k", "old")
		mustGet(t, c, "k", "old", freshet.CachedOnly())
		s, err := c.Lookup(bg, "k")
		require.NoError(t, err)
		require.True(t, s.Loading)
		o.call(t, 1).value("new")
		settled(t, reload, "new")
		mustGet(t, c, "k", "new")
	})
}

// Behaviour 18: never an answer that began before it.
func TestO3_AReloadNeverJoinsAnOlderFlight(t *testing.T) {
	for name, mode := range map[string]freshet.ReloadMode{"supersede": freshet.ReloadSupersede, "queue": freshet.ReloadQueue} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				version := 1
				o := &origin{deaf: true}
				c := serve(t, o, config{Reload: mode})
				plain := c.Fetch(bg, "k")
				read := fmt.Sprintf("v%d", version) // the first call reads the origin here
				version++
				o.call(t, 1)
				reload := c.Reload(bg, "k")
				o.calls()
				o.call(t, 1).value(read)
				o.call(t, 2).value(fmt.Sprintf("v%d", version))
				settled(t, reload, "v2")
				_, err := plain.Result()
				require.NoError(t, err)
				after := c.Reload(bg, "k") // a new one after a committed one really reloads
				o.call(t, 3).value("v3")
				settled(t, after, "v3")
			})
		})
	}
}

func TestO4_TheStormGuard(t *testing.T) {
	for _, most := range []int{0, 1, 3, 10} {
		t.Run(fmt.Sprint(most), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				o := &origin{deaf: true}
				c := serve(t, o, config{MaxSupersede: most})
				if most == 0 {
					most = 3 // the default
				}
				group := c.Fetch(bg, "k")
				var queued *freshet.Future[string]
				for n := 1; n <= 50; n++ {
					o.calls()
					f := c.Reload(bg, "k")
					switch {
					case n <= most:
						require.Same(t, group, f)
					case queued == nil:
						queued = f
						require.NotSame(t, group, f)
					default:
						require.Same(t, queued, f)
					}
				}
				require.Equal(t, 1+most, o.calls())
				plain := get(c, "k")
				o.call(t, 1+most).value("lands")
				settled(t, group, "lands")
				gives(t, plain, "lands")
				pending(t, queued)
				require.Equal(t, 2+most, o.calls(), "ONE follow-up")
				o.call(t, 2+most).value("follows")
				settled(t, queued, "follows")
				mustGet(t, c, "k", "follows")
				require.Equal(t, 2+most, o.calls())
				s := c.Stats()
				require.EqualValues(t, most, s.Superseded)
				require.EqualValues(t, 2+most, s.Flights)
			})
		})
	}
}

// Under any rate of reloads every waiter settles within two flights of the
// guard, and the origin's calls stay bounded.
func TestO4_AStormThatNeverEndsStarvesNobody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{auto: func(int, freshet.Request[string]) (freshet.Response[string], error) {
			time.Sleep(100 * time.Millisecond)
			return freshet.Response[string]{Value: "v"}, nil
		}}
		c := serve(t, o, config{})
		type wait struct {
			f  *freshet.Future[string]
			at time.Time
		}
		waits := []wait{}
		for range 2000 { // a reload a millisecond, each of which would supersede
			waits = append(waits, wait{c.Reload(bg, "k"), time.Now()})
			time.Sleep(time.Millisecond)
			for len(waits) > 0 {
				if _, err := waits[0].f.Result(); errors.Is(err, freshet.ErrPending) {
					break
				}
				waits = waits[1:]
			}
			if len(waits) > 0 {
				require.LessOrEqual(t, time.Since(waits[0].at), 210*time.Millisecond)
			}
		}
		// 2 s of flights of 100 ms, each with up to 3 supersessions.
		require.LessOrEqual(t, o.calls(), 4*21)
		time.Sleep(time.Second)
	})
}

// A failure settles too: the guard begins anew, and who queued flies.
func TestO4_AFailureEndsTheGuardToo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{deaf: true}
		c := serve(t, o, config{MaxSupersede: 1})
		group := c.Fetch(bg, "k")
		o.calls()
		c.Reload(bg, "k")
		o.calls()
		queued := c.Reload(bg, "k")
		o.call(t, 2).fail(errOrigin)
		synctest.Wait()
		_, err := group.Result()
		require.ErrorIs(t, err, errOrigin)
		pending(t, queued)
		o.call(t, 3)
		require.Same(t, queued, c.Reload(bg, "k"), "one more supersession is allowed")
		o.call(t, 4).value("v4")
		settled(t, queued, "v4")
	})
}

func TestO5_ReloadQueue(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		c := serve(t, o, config{Reload: freshet.ReloadQueue})
		first := c.Fetch(bg, "k")
		queued := c.Reload(bg, "k")
		require.Same(t, queued, c.Reload(bg, "k"))
		require.Equal(t, 1, o.calls())
		require.NoError(t, o.call(t, 1).ctx.Err(), "nothing is cancelled")
		o.call(t, 1).value("v1")
		settled(t, first, "v1")
		pending(t, queued)
		third := c.Reload(bg, "k")
		require.NotSame(t, queued, third, "the follow-up is in the air: it began before this one")
		o.call(t, 2).value("v2")
		settled(t, queued, "v2")
		o.call(t, 3).value("v3")
		settled(t, third, "v3")
		require.Zero(t, c.Stats().Superseded)
	})
}

// A response that comes when its resource was evicted is dropped as any other: it
// is below the floor, at the latest.
func TestO2_ALateResponseAfterTheEvictionIsDropped(t *testing.T) {
	for reason, late := range map[string]func(c *freshet.Cache[string]){
		"barrier": func(c *freshet.Cache[string]) { c.Reload(bg, "k") },
		"timeout": func(*freshet.Cache[string]) { time.Sleep(time.Minute) },
	} {
		bubble(t, func(t *testing.T) {
			o := &origin{deaf: true}
			c := serve(t, o, config{MaxEntries: 1, Timeout: time.Minute})
			c.Fetch(bg, "k")
			o.calls()
			late(c)
			if o.calls() == 2 {
				o.call(t, 2).value("newest")
				o.calls()
			}
			require.NoError(t, c.Set(bg, "other", "v"))
			require.NoError(t, c.Set(bg, "another", "v"))
			_, ok := c.Peek("k")
			require.False(t, ok, "it was evicted")
			events := watch(t, c)
			o.call(t, 1).value("late")
			events.tells(t, "Dropped ->- "+reason)
			require.EqualValues(t, 1, c.Stats().Dropped)
			_, ok = c.Peek("k")
			require.False(t, ok)
		})
	}
}
