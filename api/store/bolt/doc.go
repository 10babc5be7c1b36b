// Package bolt is a second tier in one file of this machine (go.etcd.io/bbolt):
// the embedded default. A process that comes back finds what it knew.
//
//	db, err := bolt.Open("/var/lib/app/cache.db", bolt.Options{})
//	users, err := db.Store("users") // a freshet.Store for Config.Store
//	...
//	err = db.Close() // after the caches
//
// One file serves several caches, each a bucket of its name. Two Stores of one
// name are the same records.
//
// # What it promises
//
//   - Durable (D5): a Set, Delete or DeletePrefix that returned nil is on disk and
//     survives kill -9 and, as far as the disk tells the truth about fsync, a
//     power cut. One that returned an error, or none because the process died, took
//     effect in full or not at all. There is no torn record: one record is one
//     value with a version and a checksum (D3).
//   - Group commit: calls that arrive while a commit is on its way to the disk
//     share the next one. A lone call costs one fsync; a thousand at once cost a
//     few. Nothing waits for a timer.
//   - Ordered (D5): the later of two records by ReadAt stays. Tombstones, those of
//     prefixes too, keep older records out for Options.Tombstones at least and are as
//     durable as records. A record that expired orders nothing.
//   - Reads go to the memory map and wait for no commit; only, and rarely, for the
//     file to be mapped anew when it has grown.
//   - Corruption of a record is a miss, told to Options.OnCorrupt and the log, by
//     its checksum. That of the file's structure is an error of Open, which reads the
//     structure of every page before anything trusts it (about half a second per GiB
//     that the system has in memory, else as long as the disk takes; large values
//     are skipped); where it comes later, what bbolt does then is caught. It is
//     never a panic and never another record's value.
//   - Bounded: the queue of writes, the size of a batch and of a record, the number of
//     prefix tombstones (beyond it the older half becomes their common
//     beginning, which erases more than was asked: misses, no wrong answer).
//
// # Expiry
//
// An expired record is a miss from its ExpiresAt on. Its space is reclaimed by a
// sweep in the background that looks at 1,000 records every SweepEvery (once a
// second) and goes on without a pause while it finds much to remove, never
// more than ten steps at a time. The file does not shrink; its free pages are
// used again.
//
// # Errors of Open
//
// ErrLocked: another process has the file. ErrSchema: a newer version of this
// package wrote it. ErrDamaged: it is truncated, or its structure is broken, or it is
// not a bolt file, or not one of ours; the file is left as it was. A second tier may be
// deleted, so the remedy is to do that. Anything else, such
// as a missing permission or a full disk, wraps the error of the system.
//
// A full disk fails writes with the system's error and leaves what is there readable.
//
// # What a user owes
//
// Close the DB after the caches that use it: it waits for the writes accepted so far.
// A file is for one process at a time, on a local file system; NFS and the like
// do not lock or map as bbolt needs it.
package bolt
