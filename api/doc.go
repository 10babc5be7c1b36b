// Package api is the door of freshet, an actor-based reactive cache: hot copies
// of records that another system owns. Import it as
//
//	import freshet "github.com/freshet-go/freshet/api"
//
// Every key is an actor that owns its fetch state. [Cache.Get] and
// [Cache.Fetch] answer from memory where that is admissible; otherwise everyone
// who asks shares one future of one origin call, a flight.
//
// Many types here are aliases of those of package actors, which says what their
// fields mean: go doc github.com/freshet-go/freshet/actors Config (Mutation,
// Response, Source, Stats, ...).
//
// # Guarantees
//
// Each rule has a number, which tests and comments cite.
//
//	F0  A demand takes the first that applies: what is known, where admissible;
//	    the flight in the air; the queued follow-up; a new flight.
//	F1  Whoever joins a flight gets the pointer-identical future.
//	F2  What is settled and fresh is that same future again: no flight, no
//	    allocation.
//	F3  A failure settles everyone who waited; the last good value is kept.
//	F4  ErrNotFound is an answer, remembered for Freshness.Missing.
//	F5  Fresh iff age < TTL; equal is stale.
//	F6  Stale-while-revalidate, for Freshness.Stale after freshness ended.
//	F7  Stale-if-error, for Freshness.StaleOnError; never for ForceReload and
//	    MaxAge, and never for what was invalidated.
//	F8  Refresh-ahead: a hit in the last fraction Freshness.Ahead of the TTL.
//	F9  A response that changes nothing renews freshness and is no update.
//	F10 CachedOnly never flies; MaxAge asks for what is young enough.
//	F11 MaxFlights bounds origin calls; the rest wait, oldest first.
//	O0  One counter orders what a cache knows. Whoever goes for knowledge takes
//	    the next number, its stamp; whoever declares older knowledge void, a
//	    barrier. Only knowledge above the barrier of its key is usable.
//	O1  A flight's stamp is its sequence number: rising, and never used again.
//	O2  Only the newest flight's response is applied; any other is dropped,
//	    counted and told.
//	O3  A reload takes the place of an older flight; old and new waiters share
//	    its answer.
//	O4  A storm of reloads costs a bounded number of calls, and everyone
//	    settles within two flights of the guard.
//	O5  With ReloadQueue every reload during a flight queues as in O4.
//	O6  Once Invalidate has returned, no later demand is answered with knowledge
//	    from before it.
//	O7  Set wins over every flight in the air.
//	O8  O0 holds per key under any interleaving of calls, eviction included.
//	O9  With Config.Newer, an older value never replaces a newer one.
//	O10 Remove is Invalidate that also forgets, also in the Store.
//	C1  A caller's context ends its own wait alone.
//	C2  A source that ignores its context holds nobody beyond the timeout.
//	C3  With AbortAbandoned a flight ends when the last who waited has left.
//	C4  A panic or Goexit of user code fails its own operation alone.
//	C5  Close ends flights, futures and goroutines; a commit in the air is awaited.
//	C6  Every future settles.
//	W1  What is shown is the confirmed base with the pending mutations applied
//	    in order.
//	W2  A mutation shows at once and then commits; the commits of one key fly
//	    one at a time, in order.
//	W3  Committed: the origin's answer is the base. Refused: that mutation alone
//	    is taken out. Unknown: taken out, and read before the next one.
//	W4  A read that overlaps a commit is never applied; it flies again after, if
//	    anybody waits.
//	W5  Create is kept under the origin's key; Delete hides at once.
//	W6  A caller that leaves does not end its write. Without a Writer: ErrReadOnly.
//	W7  Only confirmed values reach a Store.
//	W8  Collections: a list's members are resources and show as they are.
//	M1  MaxEntries and MaxWeight hold once things settle; what cannot go (M2: a
//	    flight in the air, a mutation, an observer, an erase that the Store has yet
//	    to acknowledge) may exceed them for the moment.
//	M3  Eviction costs a hit no lock.
//	M4  After Close nothing is left running.
//	D1  A key of which nothing is known is looked up in the Store before the
//	    source; a stored value keeps its age and its validator.
//	D2  A Store that fails, hangs or returns garbage costs a miss, never a read.
//	D3  One record is one write, its expiry included; an unknown format is a miss.
//	D4  Writes to the Store are ordered per key and off the caller's path; until it
//	    has acknowledged an erase it is not asked for that key.
//	D5  A Store keeps the later of two records, and what was erased out.
//	S   Changes are events in one order: see package streams.
//
// # What it does not do
//
// It does not copy values: a value returned by a source belongs to every
// reader, so never modify one. It retries no write. It is not distributed: two
// processes are two caches. After [Freshness] and bounds, what is useless for an
// hour and a TTL longer is evicted by age.
//
// # What a user owes
//
// A source should end when its context does; it must not wait for the same
// key of the same cache (the flight would wait for itself until its timeout).
// Close the cache to end its goroutines.
//
// # In tests
//
// A cache runs in a bubble of testing/synctest, where an hour's TTL takes no time.
// Make it there, and Close it before the bubble ends: a goroutine that is left is
// told as a deadlock.
package api
