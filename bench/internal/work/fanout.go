package work

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/freshet-go/freshet/bench/internal/stream"
	"github.com/freshet-go/freshet/streams"
)

// fanouts deliver events to readers.
func fanouts() []Workload {
	var all []Workload
	for _, c := range []struct{ readers, ops, quick int }{
		{1, 400_000, 60_000}, {10, 80_000, 12_000}, {100, 16_000, 4_000},
	} {
		all = append(all, Workload{
			Name: fmt.Sprintf("fanout/%d", c.readers),
			About: fmt.Sprintf("Deliveries a second to %d readers that each get every event; the writer waits for the slowest "+
				"when that is %d behind, so that nobody loses one. ro calls its observers from the writer: nothing is handed over.",
				c.readers, ahead*window),
			Columns: []Column{
				{Name: "deliveries", Unit: "/s", Better: Higher}, {Name: CPU, Unit: "ns"}, {Name: "allocs/delivery"},
				{Name: "lost", Wrong: true},
			},
			Ops: c.ops, Quick: c.quick, Seconds: 0.4,
			Contenders: broadcasters(stream.All(), func(b stream.Broadcast, ops int) ([]float64, error) {
				return deliver(b, ops, c.readers)
			}),
		})
	}
	return append(all, idleSubscriptions())
}

func deliver(b stream.Broadcast, ops, readers int) ([]float64, error) {
	var delivered atomic.Int64
	pace := newPace(ops, readers)
	for range readers {
		// In cache lines of its own: else what a reader counts may lie beside what the
		// writer reads, which depends on where the allocator happens to put it.
		count := &struct {
			got int
			_   [120]byte
		}{}
		if err := b.Subscribe("", func(stream.Event) {
			if count.got++; count.got%window == 0 || count.got == ops {
				delivered.Add(int64((count.got-1)%window + 1))
				pace.passed((count.got - 1) / window)
			}
		}); err != nil {
			return nil, err
		}
	}
	asleep(b, readers)
	value := uint64(1)
	e := stream.Event{Key: "k", Kind: streams.Updated, After: &value}
	spent := countExpense()
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for from := 0; from < ops; from += window {
		if !pace.wait(ctx, from/window) {
			break
		}
		for range min(window, ops-from) {
			b.Send(&e)
		}
	}
	pace.finish(ctx)
	took := time.Since(began)
	wanted := ops * readers
	cpu, allocs, _ := spent.perOp(wanted)
	return []float64{float64(delivered.Load()) / took.Seconds(), cpu, allocs, float64(int64(wanted) - delivered.Load())}, nil
}

// idleSubscriptions are what it costs to wait.
func idleSubscriptions() Workload {
	return Workload{
		Name:  "stream/idle-subscriptions",
		About: "Memory and goroutines of readers that wait for a key each. Stacks of their goroutines are counted.",
		Ops:   2_000, Quick: 1_000, Seconds: 0.1, Rounds: 3,
		Columns: []Column{{Name: "bytes/reader", Unit: "B"}, {Name: "goroutines/reader"}},
		Contenders: broadcasters(stream.All(), func(b stream.Broadcast, ops int) ([]float64, error) {
			settleGoroutines()
			before, routines := memoryNow(), runtime.NumGoroutine()
			for i := range ops {
				if err := b.Subscribe(fmt.Sprint("quiet", i), func(stream.Event) {}); err != nil {
					return nil, err
				}
			}
			asleep(b, ops)
			settleGoroutines()
			after := memoryNow()
			return []float64{
				(float64(after) - float64(before)) / float64(ops),
				float64(runtime.NumGoroutine()-routines) / float64(ops),
			}, nil
		}),
	}
}

// memoryNow is what is alive, stacks included.
func memoryNow() uint64 {
	collect()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
