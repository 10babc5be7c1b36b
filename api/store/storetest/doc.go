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
// # Writing one
//
// Most stores need not be written: package kv makes one of any client that gets
// and sets with an expiry, in the thirty lines that its Example shows. It is the place to see
// what D5 asks of a service, too: comparing and writing have to be one step there
// (a compare-and-swap, a condition, a script), and a tombstone has to live beside
// what it keeps out.
package storetest
