package api_test

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/streams"
)

const (
	stressClients = 8
	stressCalls   = 60 // of each client
	stressKeys    = 24
)

// TestStressVirtual does everything at once, round after round, each in a
// bubble of its own: a lost wake-up, a waiter that hangs or a goroutine that
// stays is a deadlock of the bubble (C6, M4).
func TestStressVirtual(t *testing.T) {
	randomized(t, 4*time.Second, func(seed uint64) {
		synctest.Test(t, func(t *testing.T) { storm(t, seed, true) })
	})
}

// TestStressReal is the same on real time, where timers fire while others run.
func TestStressReal(t *testing.T) {
	randomized(t, 3*time.Second, func(seed uint64) { storm(t, seed, false) })
}

// storm is one round.
func storm(t *testing.T, seed uint64, virtual bool) {
	d := newDice(seed, 0)
	h := &harbour{seed: seed, wild: d.in(2)}
	config := freshet.Config[cargo]{
		Name: "stress", Source: h,
		Freshness: freshet.Freshness{
			TTL: some(d, 0, 2*tick, 8*tick), Stale: some(d, 0, 4*tick), StaleOnError: some(d, 0, 4*tick),
			Missing: some(d, 0, 4*tick), Failure: some(d, 0, 2*tick),
			Ahead: some(d, 0, 0.5), Jitter: some(d, 0, 0.5),
		},
		Timeout:        some(d, 4*tick, 10*tick),
		Reload:         some(d, freshet.ReloadSupersede, freshet.ReloadQueue),
		MaxSupersede:   d.IntN(4),
		MaxFlights:     some(d, 0, 1, 4),
		AbortAbandoned: d.in(2),
		MaxEntries:     some(d, 0, 1, stressKeys/3),
		History:        some(d, 4, 64),
	}
	if d.in(3) {
		config.MaxWeight, config.Weigh = 100, func(_ string, v cargo) uint32 { return v.Weight }
	}
	if d.in(2) {
		config.Source = bulkHarbour{h}
	}
	cache, err := freshet.New(config)
	require.NoError(t, err)
	s := &sea{t: t, cache: cache}
	var wg sync.WaitGroup
	for i := range stressClients {
		d := newDice(seed, uint64(i+1))
		wg.Go(func() {
			for range stressCalls {
				s.sail(d)
			}
		})
	}
	early := d.in(2)
	if early { // in the middle of it
		_ = dawdle(bg, d, true)
		within(t, func() { require.NoError(t, cache.Close(bg)) })
	}
	within(t, wg.Wait)
	for _, f := range s.futures {
		within(t, func() { <-f.Done() })
		_, err := f.Result()
		require.NotErrorIs(t, err, freshet.ErrPending, "C6")
	}
	within(t, s.subscribers.Wait)
	if virtual && !early {
		time.Sleep(time.Second) // until all has come to rest
		s.atRest(config)
	}
	within(t, func() { require.NoError(t, cache.Close(bg)) })
	stats := cache.Stats()
	require.Zero(t, stats.InFlight, "after Close")
	require.Zero(t, stats.Subscriptions)
	if config.MaxFlights > 0 && virtual { // else a call may see its timeout after its place was given away
		require.LessOrEqual(t, h.most.Load(), int64(config.MaxFlights), "F11")
	}
	_, err = cache.Get(bg, "k1")
	require.ErrorIs(t, err, freshet.ErrClosed)
}

// within waits for what must come. Where it does not, all goroutines are shown.
func within(t *testing.T, wait func()) {
	t.Helper()
	alarm := time.AfterFunc(time.Minute, func() {
		debug.SetTraceback("all")
		panic("hung")
	})
	defer alarm.Stop()
	wait()
}

// sea is what the clients of one round share.
type sea struct {
	t     *testing.T
	cache *freshet.Cache[cargo]

	mu          sync.Mutex
	futures     []*freshet.Future[cargo]
	subscribers sync.WaitGroup
}

// atRest says what has to hold when nothing happens any more.
func (s *sea) atRest(config freshet.Config[cargo]) {
	stats := s.cache.Stats()
	require.Zero(s.t, stats.InFlight)
	require.Equal(s.t, s.cache.Len(), stats.Resident)
	if config.MaxEntries > 0 {
		require.LessOrEqual(s.t, s.cache.Len(), config.MaxEntries, "M1")
	}
	weight := uint64(0)
	for _, r := range s.cache.All() {
		weight += uint64(r.Value.Weight)
	}
	if config.MaxWeight > 0 {
		require.LessOrEqual(s.t, weight, config.MaxWeight, "M1")
	}
}

func (s *sea) keep(f *freshet.Future[cargo]) *freshet.Future[cargo] {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.futures = append(s.futures, f)
	return f
}

// some future that somebody was given, perhaps long ago.
func (s *sea) old(d dice) *freshet.Future[cargo] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.futures) == 0 {
		return s.cache.Fetch(bg, "k0")
	}
	return s.futures[d.IntN(len(s.futures))]
}

// counted checks the error of a call that waited as a counted waiter: what it
// waits for is not taken from it.
func (s *sea) counted(err error) {
	if errors.Is(err, freshet.ErrSuperseded) || errors.Is(err, freshet.ErrAbandoned) || errors.Is(err, freshet.ErrPending) {
		s.t.Errorf("a caller that waited got: %v", err)
	}
}

// sail does one thing.
func (s *sea) sail(d dice) {
	c, key := s.cache, fmt.Sprintf("k%d", d.IntN(stressKeys))
	ctx, cancel := context.WithCancel(bg)
	defer cancel()
	if d.in(4) {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(d.IntN(4))*tick)
		defer cancel()
	}
	switch d.IntN(26) {
	case 0, 1, 2, 3:
		_, err := c.Get(ctx, key)
		s.counted(err)
	case 4:
		_, err := c.Get(ctx, key, freshet.MaxAge(tick), freshet.WithTimeout(3*tick))
		s.counted(err)
	case 5:
		_, err := c.Lookup(ctx, key, some(d, freshet.CachedOnly(), freshet.ForceReload(), freshet.FetchOption{}))
		s.counted(err)
	case 6, 7:
		s.keep(c.Fetch(ctx, key))
	case 8, 9:
		_, _ = s.keep(c.Fetch(ctx, key)).Await(ctx)
	case 10:
		_, _ = s.old(d).Await(ctx)
	case 11, 12:
		s.keep(c.Reload(ctx, key))
	case 13, 14:
		var keys []string
		for range 1 + d.IntN(6) {
			keys = append(keys, fmt.Sprintf("k%d", d.IntN(stressKeys)))
		}
		_, err := c.GetMany(ctx, keys)
		s.counted(err)
	case 15:
		_ = c.Set(ctx, key, cargo{Weight: uint32(d.IntN(20))})
	case 16:
		_ = c.Put(ctx, key, freshet.Response[cargo]{
			Value: cargo{Weight: uint32(d.IntN(20))}, Tags: []string{some(d, "red", "green", fmt.Sprint("t", d.IntN(3000)))},
			TTL: some[time.Duration](d, 0, -1, tick, 3*tick), Unchanged: d.in(5),
		})
	case 17:
		_ = c.Invalidate(ctx, key, "k1", "")
	case 18:
		_, _ = c.InvalidatePrefix(ctx, some(d, "", "k1", key))
	case 19:
		_, _ = c.InvalidateTag(ctx, some(d, "red", "green", "blue", "nobody's"), "blue")
	case 20:
		_ = c.Expire(ctx, key, "k2")
	case 21:
		_ = c.Remove(ctx, key)
	case 22:
		for range c.All() {
			_, _ = c.Peek(key)
		}
	case 23:
		s.observe(d, key)
	default:
		_ = dawdle(ctx, d, false)
	}
}

// observe reads the events of two keys for a while (S11).
func (s *sea) observe(d dice, key string) {
	ctx, cancel := context.WithTimeout(bg, time.Duration(1+d.IntN(5))*tick)
	sub, err := s.cache.Watch(ctx, streams.Keys(key, "k3"), streams.Live(), streams.WithSnapshot())
	if err != nil {
		defer cancel()
		if !errors.Is(err, freshet.ErrClosed) && ctx.Err() == nil {
			s.t.Errorf("Watch: %v", err)
		}
		return
	}
	s.subscribers.Go(func() {
		defer cancel()
		for range sub.Events() {
		}
	})
}
