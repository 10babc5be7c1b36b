package work

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/freshet-go/freshet/bench/internal/peer"
)

// storms are reloads that overtake one another.
func storms() []Workload {
	w := Workload{
		Name: "storm/out-of-order",
		About: "A record changes 40 times, 1 ms apart, and each time it is reloaded (deleted and read where a cache has no " +
			"reload). The origin answers with what it had when it was asked, 1 to 20 ms later, out of order, whether or not " +
			"the call was cancelled. Settled is the time from the last change until a read shows it, 300 ms at most.",
		Columns: []Column{
			{Name: "settled", Unit: "ns"}, {Name: "origin calls"},
			{Name: "went back", Wrong: true}, {Name: "old answers", Wrong: true}, {Name: "ends stale", Unit: "%", Wrong: true}, {Name: "hung", Wrong: true},
		},
		Ops: 3, Quick: 1, Seconds: 0.4,
	}
	w.Contenders = of(peer.With(peer.CanDelete), func(p peer.Peer) (Run, error) {
		return episodes(func() ([]float64, error) { return storm(p, 0) }), nil
	})
	unguarded := of(peer.Named(peer.Ours), func(p peer.Peer) (Run, error) {
		return episodes(func() ([]float64, error) { return storm(p, stormLength) }), nil
	})
	unguarded[0].Name = fmt.Sprintf("%s, MaxSupersede %d", peer.Ours, stormLength)
	refresh := of([]peer.Peer{peer.OtterRefresh}, func(p peer.Peer) (Run, error) {
		return episodes(func() ([]float64, error) { return storm(p, 0) }), nil
	})
	w.Contenders = slices.Insert(w.Contenders, 2, refresh...)
	w.Contenders = slices.Insert(w.Contenders, 1, unguarded...)
	return []Workload{w}
}

const (
	stormLength = 40
	stormPause  = time.Millisecond
	stormLimit  = 300 * time.Millisecond
)

// record is what changes at an origin.
type record struct {
	version atomic.Uint64
	calls   atomic.Int64
	mu      sync.Mutex
	rnd     *rand.Rand
	min     time.Duration
	spread  time.Duration
}

func newRecord(least, most time.Duration) *record {
	return &record{rnd: rand.New(rand.NewPCG(1, 2)), min: least, spread: most - least}
}

// fetch answers with the version as of now, later, and heeds no context.
func (r *record) fetch(context.Context, string) (uint64, error) {
	r.calls.Add(1)
	version := r.version.Load()
	r.mu.Lock()
	delay := r.min + time.Duration(r.rnd.Int64N(int64(r.spread)+1))
	r.mu.Unlock()
	time.Sleep(delay)
	return version, nil
}

// renew asks the origin again, by the cache's own way if it has one.
func renew(ctx context.Context, cache peer.Cache, key string) (uint64, error) {
	if c, ok := cache.(peer.Reloader); ok {
		return c.Reload(ctx, key)
	}
	cache.(peer.Deleter).Delete(key)
	return cache.Get(ctx, key)
}

func storm(p peer.Peer, most int) ([]float64, error) {
	ctx := context.Background()
	origin := newRecord(time.Millisecond, 20*time.Millisecond)
	cache, err := p.New(peer.Options{Source: origin.fetch, Capacity: 1000, Storm: most})
	if err != nil {
		return nil, err
	}
	defer cache.Close()
	origin.version.Store(1)
	if _, err := cache.Get(ctx, "key"); err != nil {
		return nil, err
	}
	settle(cache)
	calls := origin.calls.Load()

	watch := watchVersion(cache, "key")
	var old, returned atomic.Int64
	var reloads sync.WaitGroup
	for range stormLength {
		time.Sleep(stormPause)
		now := origin.version.Add(1)
		reloads.Go(func() {
			defer returned.Add(1)
			if got, err := renew(ctx, cache, "key"); err == nil && got < now {
				old.Add(1)
			}
		})
	}
	began := time.Now()
	settled := watch.until(origin.version.Load(), began.Add(stormLimit))
	hung := waitFor(&reloads, &returned)
	time.Sleep(25 * time.Millisecond) // what is still in the air lands
	back := watch.stop()
	last, err := cache.Get(ctx, "key")
	if err != nil {
		return nil, err
	}
	stale := 0.0
	if last < origin.version.Load() {
		stale = 100
	}
	return []float64{
		float64(settled.Sub(began).Nanoseconds()), float64(origin.calls.Load() - calls),
		float64(back), float64(old.Load()), stale, hung,
	}, nil
}

// waitFor waits for all reloads and says how many of them hang.
func waitFor(reloads *sync.WaitGroup, returned *atomic.Int64) float64 {
	all := make(chan struct{})
	go func() { reloads.Wait(); close(all) }()
	select {
	case <-all:
		return 0
	case <-time.After(patience):
		return float64(stormLength - returned.Load())
	}
}

// versionWatch reads a key again and again.
type versionWatch struct {
	newest atomic.Uint64
	ended  chan struct{}
	back   chan int
}

func watchVersion(cache peer.Cache, key string) *versionWatch {
	w := &versionWatch{ended: make(chan struct{}), back: make(chan int, 1)}
	go func() {
		back, last := 0, uint64(0)
		for {
			select {
			case <-w.ended:
				w.back <- back
				return
			default:
			}
			if got, err := cache.Get(context.Background(), key); err == nil {
				if got < last {
					back++
				}
				if last = got; got > w.newest.Load() {
					w.newest.Store(got)
				}
			}
			time.Sleep(20 * time.Microsecond)
		}
	}()
	return w
}

// until waits for a version, and says when it was there or that it is limit.
func (w *versionWatch) until(version uint64, limit time.Time) time.Time {
	for w.newest.Load() < version {
		if !time.Now().Before(limit) {
			return limit
		}
		time.Sleep(50 * time.Microsecond)
	}
	return time.Now()
}

// stop ends the watch and tells how often the version went back.
func (w *versionWatch) stop() int {
	close(w.ended)
	return <-w.back
}
