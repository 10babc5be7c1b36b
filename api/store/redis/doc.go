// Package redis is a second tier that processes share (redis/rueidis, Redis 6.0 or
// later with RESP3; MULTI and modules are not needed).
//
//	client, err := redis.Open(redis.Options{URL: "redis://cache.internal:6379/0"})
//	users, err := client.Store("users") // a freshet.Store for Config.Store
//	...
//	err = client.Close() // after the caches
//
// # Keys
//
// All of a cache is under one hash tag, "freshet:{users}:", so that a script may compare
// and write in one step. In a Redis Cluster (any of its nodes in Options.Addrs; MOVED
// is followed) one cache therefore lives on one node, and different caches spread;
// a cache too big for a node is several caches. While its slot is half moved, calls
// may fail, and count as misses.
//
//	freshet:{users}:r:<key>     a record, with PX
//	freshet:{users}:t:<key>     a tombstone, with PX
//	freshet:{users}:p:<prefix>  a tombstone of a prefix; PX once its purge is over
//	freshet:{users}:l           lengths of those prefixes
//	freshet:{users}:q           purges under way
//	freshet:{users}:n:<key>     news: a record's content changed; PX 60 s
//
// # What it promises
//
//   - One record is one SET with PX inside one script (D3): never an entry without
//     its expiry. A value has a version and a checksum that includes its key; garbage is a
//     miss, told to Options.OnCorrupt and the log.
//   - The later by ReadAt stays, whatever process it comes from, and tombstones are in
//     Redis too (D5): a read that began before another process's erase stays
//     out. Tombstones live Options.Tombstones; a record that expired orders nothing.
//   - DeletePrefix is one tombstone, in force when it returns for keys that
//     are there and those that are not. A read looks at one tombstone for
//     every distinct length of erased prefixes (64 at most; beyond, a shorter prefix is
//     erased). The space is reclaimed in the background by SCAN and UNLINK, 500
//     keys at a time. The tombstone starts to age only when that is over, and another process
//     takes over from one that died: what was erased cannot come back.
//   - Bounded: every call ends with its context, and after Options.Timeout at the
//     latest. Redis that is down at start, or goes away, costs errors (which a
//     cache counts as misses, D2) and not a dial for each call. It is found again
//     by itself.
//   - No error and no log line has the password or the URL in it.
//
// # Invalidation
//
// A cache on a Store hears what other processes erased, or replaced by something
// else, and expires it, without any wiring: [Store] is a freshet.Invalidator, by
// server-assisted client tracking (BCAST by prefix). Expire is the soft form: what
// is stale may be served within Freshness.Stale while it is read again. After a
// lost connection all that the cache holds expires, for nobody knows what was said
// meanwhile.
//
// It hears of tombstones and news only, not of every record: if two processes told
// each other of every Set, each of them would load again, set again and tell the
// other, for ever. News are a record of other content than the one before; what a
// cache notes of its freshness is no content. So a source should answer the same
// bytes for the same state; one that answers the time of day makes news each time.
// A record that comes too late, because others erased the key or read something
// else since it was read, expires as well: their word may have come before it.
// Caches on one Client are one process, and do not hear of each other.
//
// [Store.OnInvalidate] is for whoever wants to hear of it too.
// Options.NoTracking turns all of it off.
//
// # What it does not promise
//
//   - Durability is that of the Redis: a failover may lose the last writes,
//     tombstones among them. WAIT is not used.
//   - Where maxmemory evicts, it may evict tombstones. Use noeviction, or
//     volatile-lru with room to spare. Full without eviction (OOM) a Set fails and
//     erases still get through.
//   - Order is that of the readers' clocks: ReadAt of two machines is as good as
//     their NTP. Expiry is counted from the writer's clock, too.
//   - Replicas are not read. A node that joined a cluster less than two seconds before
//     a slot moved to it may have its first invalidations unheard.
package redis
