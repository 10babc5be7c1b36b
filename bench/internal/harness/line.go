package harness

import (
	"runtime"
	"sync/atomic"
	"time"
)

const (
	lineTurns = 1000 // there and back
	lineTries = 5
	lineLooks = 1 << 22 // for one answer: some milliseconds, for a sleeping thread may take one to wake
	lineLimit = 50 * time.Millisecond
)

// lineTime is how long a cache line takes from one processor to another: the
// least of a few tries of two goroutines that hand it to and fro. 0: there is
// only one processor to be had.
//
// It may be four times as long in the next minute, where a system, or the host
// below it, runs both on one part of the chip or on two; and all that
// processors share costs as much more then.
func lineTime() time.Duration {
	if runtime.GOMAXPROCS(0) < 2 {
		return 0
	}
	var least time.Duration
	for range lineTries {
		if took := toAndFro(); took > 0 && (least == 0 || took < least) {
			least = took
		}
	}
	return least
}

// toAndFro is one try, 0 where one of the two waited in vain: both may have to
// share a processor, whatever GOMAXPROCS says.
func toAndFro() time.Duration {
	const lost = -1
	var word struct {
		_ [128]byte
		atomic.Int64
		_ [128]byte
	}
	await := func(n int64) bool {
		for range lineLooks {
			switch word.Load() {
			case n:
				return true
			case lost:
				return false
			}
		}
		word.Store(lost)
		return false
	}
	word.Store(1) // before the other looks: he may give up, and nothing must hide that he has
	go func() {
		for i := int64(1); i < 2*lineTurns; i += 2 {
			if !await(i) {
				return
			}
			word.Store(i + 1)
		}
	}()
	for word.Load() == 1 { // the other may have yet to be given a processor
		runtime.Gosched()
	}
	began := time.Now()
	for i := int64(3); i < 2*lineTurns; i += 2 {
		word.Store(i)
		if !await(i+1) || (i%64 == 1 && time.Since(began) > lineLimit) {
			word.Store(lost)
			return 0
		}
	}
	return time.Since(began) / (2 * lineTurns)
}
