// Package lifecycle is the life of one resource as a pure state machine: no
// goroutine, no clock, no lock, no I/O, no user code. It decides; package
// actors performs.
//
// A [Resource] is driven by commands (Demand, Arrived, Invalidate, ...). Each
// takes a [Turn], which brings the time in and carries the [Effect]s out; what the
// core cannot make, fresh numbers and futures, it asks the turn's [Driver] for.
// Whoever drives a Resource runs its commands one at a time and performs the
// effects in order; a Resource never waits for anything, so every interleaving of
// callers, flights and invalidations is a list of commands that can be written
// down and replayed (testdata/ holds such lists).
//
// # One comparison
//
// Every cache has one counter. Whoever goes for knowledge (a flight, a look-up, a
// list, a commit) takes the next number when it takes off: its stamp. Whoever
// declares older knowledge void (Set, Invalidate, Remove, a write that landed)
// takes a number as the key's barrier. Knowledge is usable iff its stamp is above
// the barrier (rule O0). The late response, the read that an invalidation overtook
// and the list that seeds a stale member are all that one case. What a write
// brought has the stamp of its take-off, so a second number says when it landed,
// for lists and Creates alone (Resource.wrote).
//
// # Futures
//
// The type parameter F is a handle of a pending answer that the driver owns.
// A Resource only passes handles on: it says which one answers a demand
// (DoAnswer) and with what each is settled (DoSettle), exactly once (C6).
package lifecycle
