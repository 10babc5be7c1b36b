package work

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/freshet-go/freshet/bench/internal/peer"
)

// stampedes are many callers on one cold key.
func stampedes() []Workload {
	var all []Workload
	for _, c := range []struct{ callers, ops, quick int }{{10, 40, 10}, {1_000, 8, 4}, {10_000, 3, 1}} {
		all = append(all, stampede(c.callers, c.ops, c.quick))
	}
	for _, c := range []struct{ callers, ops, quick int }{{10, 40, 10}, {1_000, 8, 4}, {10_000, 3, 1}} {
		all = append(all, desertion(c.callers, c.ops, c.quick))
	}
	return all
}

// slowly is how long the source of a stampede takes.
const slowly = time.Millisecond

func stampede(callers, ops, quick int) Workload {
	return Workload{
		Name:    fmt.Sprintf("stampede/%d", callers),
		About:   fmt.Sprintf("%d callers at once on a cold key whose source takes 1 ms; until the last is answered.", callers),
		Columns: []Column{{Name: "wall", Unit: "ns"}, {Name: "origin calls"}, {Name: "failed", Wrong: true}, {Name: "hung", Wrong: true}},
		Ops:     ops, Quick: quick, Seconds: 0.1,
		Contenders: of(peer.All(), func(p peer.Peer) (Run, error) {
			return episodes(func() ([]float64, error) {
				o, err := rush(p, callers, false)
				return []float64{o.wall, o.calls, o.failed, o.hung}, err
			}), nil
		}),
	}
}

func desertion(callers, ops, quick int) Workload {
	return Workload{
		Name: fmt.Sprintf("stampede/%d-half-leave", callers),
		About: fmt.Sprintf("The same with %d callers of whom half, the first included, give up 0.3 ms after the source was "+
			"asked. Failed are those who stayed and got an error; the last to leave is counted from the giving up.", callers),
		Columns: []Column{
			{Name: "wall", Unit: "ns"}, {Name: "origin calls"}, {Name: "failed", Wrong: true}, {Name: "hung", Wrong: true}, {Name: "last to leave", Unit: "ns"},
		},
		Ops: ops, Quick: quick, Seconds: 0.1,
		Contenders: of(peer.All(), func(p peer.Peer) (Run, error) {
			return episodes(func() ([]float64, error) {
				o, err := rush(p, callers, true)
				return []float64{o.wall, o.calls, o.failed, o.hung, o.leaving}, err
			}), nil
		}),
	}
}

// episodes is a run of ops repetitions, whose figures are averaged.
func episodes(once func() ([]float64, error)) Run {
	return Run{
		Do: func(ops int) ([]float64, error) {
			var sum []float64
			for range ops {
				figures, err := once()
				if err != nil {
					return nil, err
				}
				if sum == nil {
					sum = make([]float64, len(figures))
				}
				for i, f := range figures {
					sum[i] += f / float64(ops)
				}
			}
			return sum, nil
		},
		Close: func() {},
	}
}

type rushOutcome struct{ wall, calls, failed, hung, leaving float64 }

// patience is after how long a caller counts as hung.
const patience = 5 * time.Second

// rush sends callers to a cold key. Where some leave, the first to come is one
// of them.
func rush(p peer.Peer, callers int, leave bool) (rushOutcome, error) {
	source := &origin{delay: slowly}
	asked := make(chan struct{}, callers+1)
	cache, err := p.New(peer.Options{Capacity: 1000, Source: func(ctx context.Context, key string) (uint64, error) {
		asked <- struct{}{}
		return source.fetch(ctx, key)
	}})
	if err != nil {
		return rushOutcome{}, err
	}
	defer cache.Close()
	// A service's cache is not new: what the first load of all sets up is not
	// the stampede's.
	if _, err := cache.Get(context.Background(), "another key"); err != nil {
		return rushOutcome{}, err
	}
	<-asked
	leaving, giveUp := context.WithCancel(context.Background())
	defer giveUp()
	var returned, failed atomic.Int64
	var lastLeft atomic.Int64
	last := make(chan struct{})
	began := time.Now()
	call := func(leaves bool) {
		ctx := context.Background()
		if leaves {
			ctx = leaving
		}
		_, err := cache.Get(ctx, "key")
		switch {
		case leaves:
			raise(&lastLeft, int64(time.Since(began)))
		case err != nil:
			failed.Add(1)
		}
		if returned.Add(1) == int64(callers) {
			close(last)
		}
	}
	start := make(chan struct{})
	if !leave {
		for range callers {
			go func() { <-start; call(false) }()
		}
		time.Sleep(time.Millisecond) // all wait at the start
		began = time.Now()
		close(start)
	} else {
		for i := range callers - 1 {
			go func() { <-start; call(i%2 == 1) }()
		}
		time.Sleep(time.Millisecond)
		began = time.Now()
		go call(true)
		<-asked
		close(start)
		spin(300 * time.Microsecond)
		giveUp()
	}
	gaveUp := time.Since(began)
	hung := 0.0
	select {
	case <-last:
	case <-time.After(patience):
		hung = float64(int64(callers) - returned.Load())
	}
	return rushOutcome{
		wall: float64(time.Since(began).Nanoseconds()), calls: float64(source.calls.Load() - 1),
		failed: float64(failed.Load()), hung: hung, leaving: float64(max(0, lastLeft.Load()-int64(gaveUp))),
	}, nil
}

// spin passes a time shorter than an idle program's timers can tell, and lets
// others run meanwhile.
func spin(d time.Duration) {
	for began := time.Now(); time.Since(began) < d; {
		runtime.Gosched()
	}
}

// raise lifts n to at least v.
func raise(n *atomic.Int64, v int64) {
	for {
		now := n.Load()
		if now >= v || n.CompareAndSwap(now, v) {
			return
		}
	}
}
