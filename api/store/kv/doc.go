// Package kv makes a freshet.Store of any client that can get and set with an
// expiry: memcached, a table in a database, an object store, the service that a
// company already runs.
//
//	store, err := kv.New("users", client, kv.Options{})
//
// The Example below is the whole page: a client, wrapped in about thirty lines.
// What makes a Store of it is in this package: a record is one value, its expiry,
// order and tombstone included (D3, D5), and an erased prefix needs no list of keys.
//
// # What is asked of the client
//
// A [Client] gets and sets. A [Swapper] compares and writes in one step, which is
// memcached's cas, a condition of DynamoDB, an UPDATE ... WHERE value = ? of SQL,
// an If-Match of an object store. Keys are "<name>:r:<key>", as long and as odd as
// those of the cache; where the service takes less (memcached: 250 bytes without
// blanks), hash them in the client: a record knows its key, and the rare other one
// under the same hash is a miss.
//
// # What it promises
//
//   - D1 to D3: a record that is garbage, of an unknown version or expired is a miss.
//   - D5 with a Swapper: the later by ReadAt stays and what was erased stays out,
//     whatever process it comes from.
//   - D5 with a plain Client, within one process: comparing and writing are two calls,
//     and a lock for each key keeps them together here.
//   - DeletePrefix is one write, in force when it returns for keys that are there
//     and those that are not.
//
// # What it costs
//
// A miss is one call of the client, a hit two (the record, then the prefixes that
// were ever erased: one value of a few kilobytes at most), a write two.
//
// # What it does not promise
//
//   - Without Swap nothing keeps two processes from comparing at once: a read
//     that began before another process's erase may be written after it and come
//     back, and an older record may replace a newer one. Both end with their TTL.
//     Use a plain Client where one process writes, or where that is good enough.
//   - A service that evicts may evict a tombstone, or the prefixes, and what they
//     kept out may come back. Their keys are "<name>:r:" and "<name>:p".
//   - Space of an erased prefix is reclaimed by the expiry of its records: a
//     client that cannot list keys can't find them sooner. A prefix stays erased
//     for ever; of more than 128 the older half becomes one, their common
//     beginning, which erases more than was asked and costs misses.
//   - Order is that of the readers' clocks.
package kv
