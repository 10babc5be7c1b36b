package work

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/freshet-go/freshet/bench/internal/stream"
	"github.com/freshet-go/freshet/streams"
)

// appends are what an event costs its writer.
func appends() []Workload {
	all := make([]Workload, 0, 4)
	for _, c := range []struct {
		readers    int
		ops, quick int
	}{{0, 1_000_000, 200_000}, {1, 300_000, 60_000}, {1000, 5_000, 600}} {
		all = append(all, toEverybody(c.readers, c.ops, c.quick))
	}
	all = append(all, toOthers())
	for _, procs := range processors() {
		all = append(all, byMany(procs))
	}
	return all
}

// byMany has more writers than processors, and nobody who reads.
func byMany(procs int) Workload {
	const writers = 16
	return Workload{
		Name:    fmt.Sprintf("append/%d-writers-procs-%d", writers, procs),
		About:   fmt.Sprintf("Events of %d writers at once, with GOMAXPROCS %d and no reader.", writers, procs),
		Columns: []Column{{Name: "time/append", Unit: "ns"}, {Name: CPU, Unit: "ns"}, {Name: "allocs/op"}},
		Scales:  true, Ops: 1_000_000, Quick: 0, Seconds: 0.3, Procs: procs,
		Contenders: broadcasters(readerless(), func(b stream.Broadcast, ops int) ([]float64, error) {
			value := uint64(1)
			e := stream.Event{Key: "busy", Kind: streams.Updated, After: &value}
			var all sync.WaitGroup
			spent := countExpense()
			took := alone(func() {
				for range writers {
					all.Go(func() {
						for range ops / writers {
							b.Send(&e)
						}
					})
				}
				all.Wait()
			})
			cpu, allocs, _ := spent.perOp(ops)
			return []float64{perOp(took, ops), cpu, allocs}, nil
		}),
	}
}

// readerless are the peers that have something to do without a reader: where each reader has a channel, there is none then.
func readerless() []stream.Peer {
	return slices.DeleteFunc(stream.All(), func(p stream.Peer) bool { return p.Name == stream.Channels })
}

// The time of an append is the median over slices of a hundred: what it costs the writer. The mean has in it the time in
// which readers had the writer's processor.
var appending = []Column{
	{Name: "time/append", Unit: "ns"}, {Name: "mean", Unit: "ns"}, {Name: "slowest", Unit: "ns"}, {Name: "allocs/op"},
	{Name: "woken"}, {Name: "lapped", Better: Neither},
}

func toEverybody(readers, ops, quick int) Workload {
	peers := stream.All()
	if readers == 0 {
		peers = readerless()
	}
	return Workload{
		Name: fmt.Sprintf("append/%d-readers", readers),
		About: fmt.Sprintf("Events one after another to %d readers that sleep when there is none; each wants every event. "+
			"Lapped readers of freshet are told so and go on; the others block the writer.", readers),
		Columns: appending, Scales: true, Ops: ops, Quick: quick, Seconds: 0.3,
		Contenders: broadcasters(peers, func(b stream.Broadcast, ops int) ([]float64, error) {
			return appendTo(b, ops, readers, func(int) string { return "" })
		}),
	}
}

// toOthers has a thousand readers that want none of the events.
func toOthers() Workload {
	return Workload{
		Name: "append/1000-other-keys",
		About: "Events of one key while 1,000 readers wait for events of a key of their own. Woken are readers that " +
			"woke for an event that they did not want.",
		Columns: appending, Scales: true, Ops: 5_000, Quick: 600, Seconds: 0.3,
		Contenders: broadcasters(stream.All(), func(b stream.Broadcast, ops int) ([]float64, error) {
			return appendTo(b, ops, 1000, func(i int) string { return fmt.Sprint("quiet", i) })
		}),
	}
}

func broadcasters(peers []stream.Peer, do func(b stream.Broadcast, ops int) ([]float64, error)) []Contender {
	all := make([]Contender, 0, len(peers))
	for _, p := range peers {
		all = append(all, Contender{Name: p.Name, Module: p.Module, Prepare: func() (Run, error) {
			return Run{
				Do: func(ops int) ([]float64, error) {
					b, err := p.New()
					if err != nil {
						return nil, err
					}
					defer b.Close()
					return do(b, ops)
				},
				Close: func() {},
			}, nil
		}})
	}
	return all
}

func appendTo(b stream.Broadcast, ops, readers int, key func(i int) string) ([]float64, error) {
	for i := range readers {
		if err := b.Subscribe(key(i), func(stream.Event) {}); err != nil {
			return nil, err
		}
	}
	asleep(b, readers)
	value := uint64(1)
	e := stream.Event{Key: "busy", Kind: streams.Updated, After: &value}
	watch := watchParked(b, readers)
	spent := countExpense()
	const slice = 100 // one alone is below the clock's resolution
	times := make([]float64, 0, ops/slice+1)
	began := time.Now()
	for from := 0; from < ops; from += slice {
		before := time.Now()
		n := min(slice, ops-from)
		for range n {
			b.Send(&e)
		}
		times = append(times, perOp(time.Since(before), n))
	}
	took := time.Since(began)
	_, allocs, _ := spent.perOp(ops)
	slices.Sort(times)
	return []float64{
		times[len(times)/2], perOp(took, ops), times[len(times)-1], allocs, watch(), float64(b.Laps()),
	}, nil
}

// asleep waits until all readers sleep, as far as the peer can tell.
func asleep(b stream.Broadcast, readers int) {
	for deadline := time.Now().Add(2 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if parked := b.Parked(); parked < 0 || parked >= readers {
			return
		}
	}
}

// watchParked looks every few milliseconds how many readers do not sleep, and
// tells the most it saw; no number where the peer can't tell.
func watchParked(b stream.Broadcast, readers int) (most func() float64) {
	if b.Parked() < 0 {
		return func() float64 { return None }
	}
	stop, told := make(chan struct{}), make(chan float64)
	go func() {
		woken := 0
		look := time.NewTicker(2 * time.Millisecond)
		defer look.Stop()
		for {
			select {
			case <-look.C:
				woken = max(woken, readers-b.Parked())
			case <-stop:
				told <- float64(max(woken, readers-b.Parked()))
				return
			}
		}
	}()
	runtime.Gosched()
	return func() float64 {
		close(stop)
		return <-told
	}
}
