package work

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// parallel shares ops among GOMAXPROCS goroutines and says how long all took.
// Each does its share in one call of do: operations from..to-1.
func parallel(ops int, do func(from, to int)) time.Duration {
	return crowd(runtime.GOMAXPROCS(0), ops, do)
}

// crowd shares ops among n goroutines, however many processors there are.
func crowd(n, ops int, do func(from, to int)) time.Duration {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for w := range n {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			do(ops*w/n, ops*(w+1)/n)
		})
	}
	ready.Wait()
	began := time.Now()
	close(start)
	done.Wait()
	return time.Since(began)
}

// failure is one of the errors that callers got: who fails fast is not to look
// fast.
type failure struct{ one atomic.Pointer[error] }

func (f *failure) note(err error) { f.one.Store(&err) }

func (f *failure) err() error {
	if one := f.one.Load(); one != nil {
		return *one
	}
	return nil
}

// perOp is d for each of ops, in nanoseconds.
func perOp(d time.Duration, ops int) float64 { return float64(d.Nanoseconds()) / float64(ops) }

// expense is what the process has spent.
type expense struct {
	mallocs, bytes uint64
	cpu            time.Duration
	timed          bool
}

func countExpense() expense {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	e := expense{mallocs: m.Mallocs, bytes: m.TotalAlloc}
	e.cpu, e.timed = cpuTime()
	return e
}

// perOp are processor nanoseconds, allocations and bytes an operation since e
// was counted. A few that the measuring itself takes are rounded away.
func (e expense) perOp(ops int) (cpu, count, bytes float64) {
	now := countExpense()
	cpu = None
	if e.timed && now.timed {
		cpu = perOp(now.cpu-e.cpu, ops)
	}
	share := func(n uint64) float64 { return float64(n) / float64(ops) }
	count, bytes = share(now.mallocs-e.mallocs), share(now.bytes-e.bytes)
	if count < 0.001 {
		count, bytes = 0, 0
	}
	return cpu, count, bytes
}

// alone says how long do took.
func alone(do func()) time.Duration {
	began := time.Now()
	do()
	return time.Since(began)
}
