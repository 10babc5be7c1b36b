package actors

import (
	"sync/atomic"
	"unsafe"
)

// Stats are counters since the cache was made, and gauges as of now. They are
// not one consistent cut: each is right by itself. The first four count demands
// for records, those of a Collection for its members included and for the list
// itself not; Flights to Superseded count the loads of lists too.
type Stats struct {
	Hits        uint64 // answered by a fresh value, or a remembered absence or failure
	StaleHits   uint64 // answered by a stale value (F6, F7, MaxAge)
	Misses      uint64 // demands that had to start a flight, also where the Store then answered
	Coalesced   uint64 // demands that joined a flight or a follow-up
	Flights     uint64 // origin calls that were made, each key of a FetchMany one
	Failures    uint64 // of flights, timeouts included
	Dropped     uint64 // responses that came out of order, too late or below a barrier (O2)
	Superseded  uint64 // flights that newer ones or values took the place of (O3)
	Evictions   uint64 // to make room
	StoreHits   uint64 // look-ups that found a record, in time
	StoreErrors uint64 // calls of the Store that failed, or were not made while it hangs; records that nobody could read

	Resident      int // resources in the table
	InFlight      int // origin calls in the air, superseded ones that still run included
	Pending       int // mutations not yet confirmed
	Subscriptions int // open ones, those of Observables included
}

// counter is one of the counters.
type counter uint8

const (
	cHits counter = iota
	cStaleHits
	cMisses
	cCoalesced
	cFlights
	cFailures
	cDropped
	cSuperseded
	cEvictions
	cStoreHits
	cStoreErrors
	counters
)

// stripes is how many copies of the counters there are: readers on different
// goroutines count on different cache lines.
const (
	stripes    = 64
	stripeBits = 6
	stackBits  = 11 // 2 kB is the smallest stack
	stackHash  = 0x9E3779B97F4A7C15
)

type stripe struct {
	n [counters]atomic.Uint64
	_ [128 - (8*counters)%128]byte
}

type tallies [stripes]stripe

// count adds one on a stripe that depends on where the goroutine's stack is: few
// that run at once share one, and it costs no lookup.
func (t *tallies) count(c counter) { t[stripeHere()].n[c].Add(1) }

// stripeHere is a number below stripes that depends on where the stack is.
func stripeHere() uint64 {
	var here byte
	return uint64(uintptr(unsafe.Pointer(&here))) >> stackBits * stackHash >> (64 - stripeBits)
}

func (t *tallies) sum(c counter) (sum uint64) {
	for i := range t {
		sum += t[i].n[c].Load()
	}
	return sum
}
