package streams_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/streams"
)

func TestS9_KeysAreNotLappedByOtherKeys(t *testing.T) {
	for _, history := range []int{1, 4, 1024} {
		c := newToy(t, streams.LogConfig[int]{History: history})
		s := subscribe(t, c, streams.Keys("mine"))
		var want []uint64
		for i := range 16 {
			want = append(want, c.set("mine", i))
			for j := range 500 {
				c.set(fmt.Sprint("other", j%7), j)
			}
		}
		require.Equal(t, want, revisions(t, s, 16))
		require.Zero(t, c.Stats().Laps)
	}
}

func TestS9_EveryOneOfSeveralKeysKeepsItsOwn(t *testing.T) {
	// More events than fit a batch, out of more feeds than one, after the ring has long forgotten them.
	c := newToy(t, streams.LogConfig[int]{History: 4})
	var keys []string
	for i := range 12 {
		keys = append(keys, fmt.Sprint("mine", i))
	}
	s := subscribe(t, c, streams.Keys(keys...))
	var want []uint64
	for i := range 16 * len(keys) {
		want = append(want, c.set(keys[(i*5)%len(keys)], i))
	}
	for i := range 100 {
		c.set("other", i)
	}
	require.Equal(t, want, revisions(t, s, len(want)))
}

func TestS9_KeysAreLappedByTheirOwn(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{History: 8})
	gone := subscribe(t, c, streams.Keys("mine"))
	goesOn := subscribe(t, c, streams.Keys("mine", "seldom"), streams.OnOverflow(streams.DropOldest))
	for i := range 17 {
		c.set("mine", i)
	}
	for i := range 8 {
		c.set("other", i)
	}
	_, err := gone.Next(t.Context())
	var lag *streams.LaggedError
	require.ErrorAs(t, err, &lag)
	require.EqualValues(t, 1, lag.From)
	require.EqualValues(t, 18, lag.To, "its own are lost up to 1; the history begins at 18")
	subscribe(t, c, streams.Keys("mine"), streams.Since(lag.Token)) // it can be resumed

	e := next(t, goesOn)
	require.Equal(t, streams.Gap, e.Kind)
	require.EqualValues(t, []uint64{1, 1, 1}, []uint64{e.From, e.To, e.Revision})
	require.Equal(t, upTo(2, 17), revisions(t, goesOn, 16))
}

func TestS9_KeysReadTheRingWhileItHasThem(t *testing.T) {
	// The 16 of a feed are a promise against other keys' traffic, not a limit of its own.
	c := newToy(t, streams.LogConfig[int]{History: 1000})
	s := subscribe(t, c, streams.Keys("mine"))
	for i := range 900 {
		c.set("mine", i)
	}
	require.Equal(t, upTo(1, 900), revisions(t, s, 900))
}

func TestS4_S9_KeysResumeWithWhatTheyHadNotRead(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{History: 64})
	s := subscribe(t, c, streams.Keys("mine"))
	c.set("mine", 0)
	next(t, s)
	token := s.Token()
	s.Close()
	var want []uint64
	for i := range 20 {
		c.set("other", i)
		want = append(want, c.set("mine", i))
	}
	s = subscribe(t, c, streams.Keys("mine"), streams.Since(token))
	for i := range 16 { // the older ones of its own it reads from the ring, so it does that first
		require.Equal(t, want[i], next(t, s).Revision)
	}
	for i := range 1000 {
		c.set("other", i)
	}
	require.Equal(t, want[16:], revisions(t, s, 4))

	// With no more than 16 of its own behind it, it need not have read anything.
	c = newToy(t, streams.LogConfig[int]{History: 64})
	first := subscribe(t, c, streams.Keys("mine")).Token()
	want = want[:0]
	for i := range 16 {
		want = append(want, c.set("mine", i))
	}
	s = subscribe(t, c, streams.Keys("mine"), streams.Since(first))
	for i := range 1000 {
		c.set("other", i)
	}
	require.Equal(t, want, revisions(t, s, 16))
}

func TestS9_ManyKeysDeliverInOrder(t *testing.T) {
	// Beyond 64 keys a subscription sleeps and reads in other ways; what it delivers is the same.
	c := newToy(t, streams.LogConfig[int]{History: 32})
	var keys []string
	for i := range 300 {
		keys = append(keys, fmt.Sprint("k", i))
	}
	s := subscribe(t, c, streams.Keys(keys...))
	var want []uint64
	for i := range 300 {
		want = append(want, c.set(keys[(i*7)%300], i))
		c.set("other", i)
	}
	require.Equal(t, want, revisions(t, s, 300))
	for range 5 {
		revision := c.set("k7", 1)
		require.Equal(t, revision, next(t, s).Revision)
	}
}

// TestS9_ParkedKeysAreNotWokenByOtherKeys is the must-hold of the issue: 1,000 subscriptions of one key each, asleep,
// under 100,000 events a second on other keys.
func TestS9_ParkedKeysAreNotWokenByOtherKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newToy(t, streams.LogConfig[int]{})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		got := make([]int, 1000)
		for i := range got {
			s, err := c.Subscribe(ctx, streams.Keys(fmt.Sprint("quiet", i)))
			require.NoError(t, err)
			wg.Go(func() {
				for e, err := range s.Events() {
					if err == nil && !e.Kind.Control() {
						got[i]++
					}
				}
			})
		}
		// Two of the busy keys have subscribers too: that must not matter to the others.
		for _, key := range []string{"busy0", "busy1"} {
			s, err := c.Subscribe(ctx, streams.Keys(key), streams.OnOverflow(streams.DropOldest))
			require.NoError(t, err)
			wg.Go(func() {
				for range s.Events() {
				}
			})
		}
		synctest.Wait()
		v := 1
		for range 100 { // a second, by the bubble's clock
			for i := range 1000 {
				c.Append(&streams.Event[int]{Key: fmt.Sprint("busy", i%10), Kind: streams.Updated, After: &v}, 1, nil)
			}
			time.Sleep(10 * time.Millisecond)
		}
		synctest.Wait()
		st := c.Stats()
		require.Equal(t, 1002, st.Parked)
		require.Zero(t, st.Laps)
		for _, s := range c.Subscriptions()[:1000] {
			require.Zero(t, s.Woken, "subscription %d", s.Number)
			require.Zero(t, s.Lag, "subscription %d", s.Number)
		}
		for i := range got {
			c.set(fmt.Sprint("quiet", i), i)
		}
		synctest.Wait()
		for i := range got {
			require.Equal(t, 1, got[i])
		}
		for _, s := range c.Subscriptions()[:1000] {
			require.EqualValues(t, 1, s.Woken, "subscription %d", s.Number)
		}
		cancel()
		wg.Wait()
	})
}

func TestS8_EverySleeperOfOneKeyIsWoken(t *testing.T) {
	for _, opts := range [][]streams.Option{nil, {streams.Keys("k")}, {streams.Keys("k", "l", "m")}, {streams.Prefix("k")}} {
		synctest.Test(t, func(t *testing.T) {
			c := newToy(t, streams.LogConfig[int]{})
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			for i := range 500 {
				s, err := c.Subscribe(ctx, opts...)
				require.NoError(t, err)
				wg.Go(func() {
					at := uint64(0)
					for e, err := range s.Events() {
						if err != nil {
							return
						}
						require.Equal(t, at+1, e.Revision)
						if at++; at == 50 && i%3 == 0 {
							return // some leave while others are still to be woken
						}
					}
				})
			}
			for i := range 100 {
				synctest.Wait()
				c.set("k", i)
			}
			synctest.Wait()
			st := c.Stats()
			require.Equal(t, 500-167, st.Parked)
			for _, s := range c.Subscriptions() {
				require.Zero(t, s.Lag, "%+v", s)
			}
			cancel()
			wg.Wait()
			synctest.Wait()
			require.Zero(t, c.Stats().Subscriptions)
		})
	}
}
