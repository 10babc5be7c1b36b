// Package record is what the stores of freshet have in common: the bytes of one
// record, the rules of D5 as pure functions over an [Entry], the set of erased
// [Prefixes], and the checks of keys. It does no I/O and knows no clock.
//
// # Format
//
//	0   2  magic F5 52
//	2   1  version, 1
//	3   1  flags: 1 there is a record, 2 there is a tombstone
//	4  12  ReadAt
//	16 12  ExpiresAt, zeros: never
//	28  4  CRC-32C of the key, of bytes 0 to 28 and of all that follows
//	32     tombstone, where flagged: At, Until (12 bytes each)
//	       validator: uvarint length, bytes
//	       tags: uvarint count, each with its uvarint length
//	       value: the rest
//
// A time is 8 bytes of seconds since the year 1 and 4 of nanoseconds, big
// endian: times compare as bytes do. Magic, version and ReadAt stay where they
// are in every version to come, so that order (D5) survives a rolling upgrade;
// anything else of an unknown version is a miss (D3).
package record
