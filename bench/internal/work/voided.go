package work

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/freshet-go/freshet/bench/internal/peer"
)

// voideds are invalidations that meet loads in the air.
func voideds() []Workload {
	return []Workload{{
		Name: "invalidate/during-load",
		About: "A record changes, its key is invalidated, and so on, 0.5 ms apart, while 8 callers read it from a source " +
			"that takes 0.1 to 1 ms. A result is stale where the caller began after Invalidate (Delete) of a later change had returned.",
		Columns: []Column{
			{Name: "stale/million", Wrong: true}, {Name: "stale", Wrong: true}, {Name: "reads", Better: Neither}, {Name: "origin calls/change"},
			{Name: "longest stale", Unit: "ns"},
		},
		Ops: 400, Quick: 50, Seconds: 0.4,
		Contenders: of(peer.With(peer.CanDelete), func(p peer.Peer) (Run, error) {
			return Run{
				Do:    func(ops int) ([]float64, error) { return voided(p, ops) },
				Close: func() {},
			}, nil
		}),
	}}
}

func voided(p peer.Peer, changes int) ([]float64, error) {
	const callers = 8
	ctx := context.Background()
	origin := newRecord(100*time.Microsecond, time.Millisecond)
	cache, err := p.New(peer.Options{Source: origin.fetch, Capacity: 1000})
	if err != nil {
		return nil, err
	}
	defer cache.Close()
	deleter := cache.(peer.Deleter)
	var floor atomic.Uint64 // the version whose invalidation has returned
	var raised atomic.Int64 // when, in nanoseconds since began
	began := time.Now()
	var reads, stale, longest atomic.Int64
	var failed failure
	ended := make(chan struct{})
	var callersLeft sync.WaitGroup
	for range callers {
		callersLeft.Go(func() {
			for {
				select {
				case <-ended:
					return
				default:
				}
				least, since := floor.Load(), raised.Load()
				got, err := cache.Get(ctx, "key")
				reads.Add(1)
				switch {
				case err != nil:
					failed.note(err)
				case got < least:
					stale.Add(1)
					raise(&longest, int64(time.Since(began))-since)
				}
				runtime.Gosched()
			}
		})
	}
	for range changes {
		now := origin.version.Add(1)
		deleter.Delete("key")
		raised.Store(int64(time.Since(began)))
		floor.Store(now)
		time.Sleep(500 * time.Microsecond)
	}
	close(ended)
	callersLeft.Wait()
	n := float64(reads.Load())
	return []float64{
		1e6 * float64(stale.Load()) / n, float64(stale.Load()), n,
		float64(origin.calls.Load()) / float64(changes), float64(longest.Load()),
	}, failed.err()
}
