// Package storetest is the contract of a freshet.Store as a suite that any
// implementation can run, and a wrapper that makes any Store fail on purpose.
//
//	func TestContract(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) freshet.Store { return mystore.New() })
//	}
//
// # What Run proves
//
//	D3 One record is one write: value, ReadAt to the nanosecond, expiry,
//	   validator and tags come back as they went in; the expiry of a record goes
//	   with it, at its very ExpiresAt it is gone, and a zero ExpiresAt is never.
//	D5 The later of two records by ReadAt wins, whatever the order of arrival; an
//	   equal one replaces (a retry is harmless). Delete and DeletePrefix erase
//	   what was read at or before their time and keep it out from then on, keys
//	   that were never there included; what was read later stays and comes in.
//	   So the answer is a function of the set of calls, not of their order, and
//	   the suite walks at random, also from many goroutines, against that.
//	   All keys: 1 to 4096 bytes of UTF-8 without NUL are keys, whatever they
//	   mean to the client beneath; anything else is ErrBadKey.
//	   Lifetime: Close twice is fine; afterwards every call is ErrClosed, and
//	   never ErrNotFound, which would be an answer. A context that ended is
//	   reported, and never as ErrNotFound.
//	   Nobody's bytes: what the caller does to its record after Set, or to the one
//	   it got, does not reach the store.
//
// A record that expired may keep older ones out or not. The suite
// does not prove durability, or how long a tombstone lives: see packages bolt
// and redis for how that is done.
//
// # Wrapping a get/set/expire client
//
// Many caches that a company already runs speak three words: get, set with a
// time to live, delete. The Example of this package makes a Store of such a client
// in about thirty lines. Be honest about what that gives:
//
//   - D1 to D3, in full: a record is encoded into one value, expiry included.
//   - D5 within one process only. Comparing and writing are two calls, so
//     between them another process may write; the mutex of the Example serialises its
//     own process alone. A read that began before another process's erase can
//     then come back.
//   - DeletePrefix only in its coarsest form, because such a client cannot list keys:
//     one tombstone for everything, which costs misses and no wrong answer.
//
// To give D5 to all processes the comparison has to happen where the record is:
// a compare-and-swap on a version (memcached's cas, DynamoDB's condition, an SQL
// UPDATE ... WHERE read_at < ?) in a loop around the same lines, or a script as
// package redis has it. A tombstone must live there too, as a value that expires.
package storetest
