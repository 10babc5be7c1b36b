package streams_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/streams"
)

func TestNewLogRefusesBadHistory(t *testing.T) {
	for _, history := range []int{-1, math.MaxInt} {
		_, err := streams.NewLog(streams.LogConfig[int]{Cache: "c", History: history})
		require.ErrorContains(t, err, "History")
	}
}

func TestEpochIsDrawnUnlessGiven(t *testing.T) {
	a, b := newToy(t, streams.LogConfig[int]{}), newToy(t, streams.LogConfig[int]{})
	require.NotZero(t, a.Epoch())
	require.NotEqual(t, a.Epoch(), b.Epoch())
	require.EqualValues(t, 7, newToy(t, streams.LogConfig[int]{Epoch: 7}).Epoch())
}

func TestS0_AllotPublishAppendAreOneCriticalSection(t *testing.T) {
	l := newLog(t, streams.LogConfig[int]{})
	var inside, published atomic.Uint64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				e := streams.Event[int]{Key: "k", Kind: streams.Updated}
				revision := l.Append(&e, 0, func(revision uint64) {
					if inside.Add(1) != 1 {
						t.Error("two at once")
					}
					if published.Add(1) != revision || l.Revision() != revision-1 {
						t.Error("a revision out of order, or one that can be read already")
					}
					inside.Add(^uint64(0))
				})
				if e.Revision != 0 || revision == 0 {
					t.Error("the event was not copied")
				}
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 4000, l.Revision())
}

func TestS0_APublishThatPanicsAppendsNothing(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{})
	s := subscribe(t, c)
	require.Panics(t, func() {
		c.Append(&streams.Event[int]{Key: "k", Kind: streams.Updated}, 1, func(uint64) { panic("no") })
	})
	require.Zero(t, c.Revision())
	require.Zero(t, c.Weight())
	require.EqualValues(t, 1, c.set("k", 1))
	require.EqualValues(t, 1, next(t, s).Revision)
}

func TestS7_WhatAnEventTellsCanBeRead(t *testing.T) {
	l := newLog(t, streams.LogConfig[int]{})
	var visible atomic.Uint64
	var wg sync.WaitGroup
	for _, opts := range [][]streams.Option{nil, {streams.Keys("k")}} {
		s := subscribe(t, l, append(opts, streams.OnOverflow(streams.DropOldest))...)
		wg.Go(func() {
			for e := range s.Events() {
				if visible.Load() < e.Revision {
					t.Error("an event came before what it tells of")
				}
				if e.Revision == 20000 {
					return
				}
			}
		})
	}
	for range 20000 {
		l.Append(&streams.Event[int]{Key: "k", Kind: streams.Updated}, 0, visible.Store)
	}
	wg.Wait()
}

func TestWeightIsThatOfTheHistory(t *testing.T) {
	l := newLog(t, streams.LogConfig[int]{History: 3})
	var have []uint64
	for i := range 6 {
		l.Append(&streams.Event[int]{Key: "k"}, uint32(10*i), nil)
		have = append(have, l.Weight())
	}
	require.Equal(t, []uint64{0, 10, 30, 60, 90, 120}, have)
}

func TestCacheNameIsSetWhereThereIsNone(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{})
	s := subscribe(t, c)
	c.set("k", 1)
	c.Append(&streams.Event[int]{Key: "k", Cache: "other"}, 0, nil)
	require.Equal(t, "toy", next(t, s).Cache)
	require.Equal(t, "other", next(t, s).Cache)
}

func TestCloseDrainsAndThenEndsEverybody(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{})
	behind := subscribe(t, c)
	keys := subscribe(t, c, streams.Keys("k"))
	values := subscribe(t, c, streams.WithSnapshot())
	ended := make(chan error)
	for _, s := range []*streams.Subscription[int]{subscribe(t, c), subscribe(t, c, streams.Keys("l"))} {
		go func() {
			for {
				if _, err := s.Next(context.Background()); err != nil {
					ended <- err
					return
				}
			}
		}()
	}
	for i := range 100 {
		c.set("k", i)
	}
	c.Close()
	c.Close()
	for i := range 2000 {
		require.EqualValues(t, 101+i, c.set("k", i), "a closed log goes on allotting, and keeps what is to be drained")
	}
	require.EqualValues(t, 2100, c.Revision())
	require.ErrorIs(t, <-ended, streams.ErrClosed)
	require.ErrorIs(t, <-ended, streams.ErrClosed)
	for _, s := range []*streams.Subscription[int]{behind, keys} {
		require.Equal(t, upTo(1, 100), revisions(t, s, 100))
		for range 2 {
			_, err := s.Next(t.Context())
			require.ErrorIs(t, err, streams.ErrClosed)
		}
		require.ErrorIs(t, s.Err(), streams.ErrClosed)
	}
	require.EqualValues(t, 2100, next(t, values).Revision, "a value of after the end")
	require.Equal(t, streams.Synced, next(t, values).Kind)
	_, err := c.Subscribe(t.Context())
	require.ErrorIs(t, err, streams.ErrClosed)
	values.Close()
	require.Zero(t, c.Stats().Subscriptions)
}

// Whose end it is can be told from one's own.
func TestClosedSaysWhatWasClosed(t *testing.T) {
	over := errors.New("the shop is closed")
	_, err := streams.NewLog(streams.LogConfig[int]{Closed: over})
	require.ErrorIs(t, err, over, "it has to wrap ErrClosed")

	l := newLog(t, streams.LogConfig[int]{Closed: fmt.Errorf("%w: %w", over, streams.ErrClosed)})
	own, other := subscribe(t, l), subscribe(t, l, streams.Keys("k"))
	own.Close()
	l.Close()
	_, err = other.Next(t.Context())
	for _, err := range []error{err, other.Err()} {
		require.ErrorIs(t, err, over)
		require.ErrorIs(t, err, streams.ErrClosed)
	}
	require.ErrorIs(t, own.Err(), streams.ErrClosed)
	require.NotErrorIs(t, own.Err(), over)
	_, err = l.Subscribe(t.Context())
	require.ErrorIs(t, err, over)
	require.ErrorIs(t, err, streams.ErrClosed)
}

func TestStatsTellWhoIsBehind(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{History: 10})
	reader := subscribe(t, c)
	sleeper := subscribe(t, c, streams.OnOverflow(streams.DropOldest))
	quiet := subscribe(t, c, streams.Keys("quiet"))
	for i := range 25 {
		c.set("k", i)
		next(t, reader)
	}
	st := c.Stats()
	require.Equal(t, streams.LogStats{Revision: 25, Oldest: 16, Weight: 10, Subscriptions: 3, Lag: 25}, st)
	require.EqualValues(t, 25, sleeper.Lag())
	require.Zero(t, quiet.Lag(), "nothing of its key happened")
	require.Equal(t, streams.Gap, next(t, sleeper).Kind)
	require.EqualValues(t, 10, sleeper.Lag())
	all := c.Subscriptions()
	require.Equal(t, []streams.SubscriptionStats{
		{Number: 1}, {Number: 2, Lag: 10, Laps: 1}, {Number: 3, Keys: 1},
	}, all)
	require.EqualValues(t, 1, c.Stats().Laps)
	reader.Close()
	require.Zero(t, reader.Lag())
	require.Equal(t, 2, c.Stats().Subscriptions)
}

func TestS8_NobodyWhoReadsNothingCostsTheWriter(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{})
	for i := range 300 {
		switch i % 3 {
		case 0:
			subscribe(t, c)
		case 1:
			subscribe(t, c, streams.Keys("k"))
		default:
			subscribe(t, c, streams.WithSnapshot())
		}
	}
	before := runtime.NumGoroutine()
	e := streams.Event[int]{Key: "k", Kind: streams.Updated}
	for range 5000 { // the chunks of the ring and of the feed are all there
		c.Append(&e, 1, nil)
	}
	require.Zero(t, testing.AllocsPerRun(5000, func() { c.Append(&e, 1, nil) }))
	require.LessOrEqual(t, runtime.NumGoroutine(), before, "a subscription has no goroutine")
}

func TestS10_SubscriptionsComeAndGoUnderLoad(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{})
	c.forget = true
	churn := func(n int) {
		stop := make(chan struct{})
		var writers sync.WaitGroup
		writers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					c.set(fmt.Sprint("k", i%50), i)
					runtime.Gosched()
				}
			}
		})
		defer writers.Wait()
		defer close(stop)
		for i := range n {
			ctx, cancel := context.WithCancel(context.Background())
			s, err := c.Subscribe(ctx, [][]streams.Option{
				nil, {streams.Keys(fmt.Sprint("k", i%50))}, {streams.WithSnapshot()}, {streams.Prefix("k1")},
			}[i%4]...)
			if err != nil {
				t.Error(err)
			}
			if i%2 == 0 {
				_, _ = s.Next(ctx)
			}
			if i%3 != 0 {
				s.Close()
			}
			cancel()
		}
	}
	heap := func() uint64 {
		for c.Stats().Subscriptions > 0 { // contexts end on goroutines of their own
			runtime.Gosched()
		}
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	goroutines := runtime.NumGoroutine()
	churn(500)
	memory := heap() // while nobody writes: what a writer leaves to the collector is not left behind
	churn(10000)
	after := heap()
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > goroutines; runtime.Gosched() {
		require.True(t, time.Now().Before(deadline), "goroutines are left behind") // the last of them may be about to end
	}
	require.Less(t, int64(after)-int64(memory), int64(2<<20), "10,000 subscriptions left something behind")
}

func TestS10_OneCauseHoweverManyEnds(t *testing.T) {
	boom := errors.New("boom")
	for range 200 {
		c := newToy(t, streams.LogConfig[int]{})
		ctx, cancel := context.WithCancelCause(context.Background())
		s, err := c.Subscribe(ctx)
		require.NoError(t, err)
		c.set("k", 1)
		var wg sync.WaitGroup
		wg.Go(func() { cancel(boom) })
		wg.Go(s.Close)
		wg.Go(c.Close)
		var last error
		for _, err := range s.Events() {
			last = err
		}
		wg.Wait()
		cause := s.Err()
		require.Error(t, cause)
		if last != nil {
			require.Equal(t, cause, last)
		}
		time.AfterFunc(0, s.Close)
		s.Close()
		require.Equal(t, cause, s.Err())
		_, err = s.Next(context.Background())
		require.Equal(t, cause, err)
	}
}
