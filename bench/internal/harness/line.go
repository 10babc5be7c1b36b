package harness

import (
	"runtime"
	"sync/atomic"
	"time"
)

const (
	lineTurns = 1000 // there and back
	lineTries = 5
)

// lineTime is how long a cache line takes from one processor to another: the
// least of a few tries of two goroutines that hand it to and fro. 0: there is
// only one processor.
//
// It may be four times as long in the next minute, where a system, or the host
// below it, runs both on one part of the chip or on two; and all that
// processors share costs as much more then.
func lineTime() time.Duration {
	if runtime.GOMAXPROCS(0) < 2 {
		return 0
	}
	least := toAndFro()
	for range lineTries - 1 {
		least = min(least, toAndFro())
	}
	return least
}

func toAndFro() time.Duration {
	var word struct {
		_ [128]byte
		atomic.Int64
		_ [128]byte
	}
	await := func(n int64) {
		for word.Load() != n {
			continue
		}
	}
	there := make(chan struct{})
	go func() {
		close(there)
		for i := int64(1); i < 2*lineTurns; i += 2 {
			await(i)
			word.Store(i + 1)
		}
	}()
	<-there
	began := time.Now()
	for i := int64(1); i < 2*lineTurns; i += 2 {
		word.Store(i)
		await(i + 1)
	}
	return time.Since(began) / (2 * lineTurns)
}
