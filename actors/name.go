package actors

import (
	"encoding/binary"
	"hash/maphash"
	"math/rand/v2"
	"unsafe"
)

// name is a key as a slot of the index spells it. A short key's name is its
// bytes and its length, so equal names are equal keys and a reader need not go
// to where the key is; a long key's is a hash of it.
type name struct{ head, tail uint64 }

// The top byte of a name's tail is its kind: the length of a short key, or one
// of these. The read bit is the slot's, and no part of the name.
const (
	kindShift = 56
	maxShort  = 15
	noName    = uint64(0) // the slot never was taken since the shard grew
	longName  = uint64(maxShort+1) << kindShift
	graveName = uint64(maxShort+2) << kindShift
	emptyName = uint64(maxShort+3) << kindShift // of the empty key, which no slot has
	readBit   = uint64(1) << 63
)

// namer spells keys and spreads names over the index. It is seeded, so that
// nobody can choose keys that fall together.
type namer struct {
	seed  maphash.Seed
	salts [2]uint64
}

func newNamer() namer {
	return namer{seed: maphash.MakeSeed(), salts: [2]uint64{rand.Uint64(), rand.Uint64()}}
}

func (r *namer) name(key string) name {
	n := len(key)
	b := unsafe.Slice(unsafe.StringData(key), n)
	switch {
	case n > maxShort:
		return name{maphash.String(r.seed, key), longName}
	case n >= 8:
		return name{
			binary.LittleEndian.Uint64(b),
			binary.LittleEndian.Uint64(b[n-8:])>>(8*(16-n)) | uint64(n)<<kindShift,
		}
	case n >= 4:
		return name{
			uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint32(b[n-4:]))<<(8*(n-4)),
			uint64(n) << kindShift,
		}
	case n > 0:
		return name{
			uint64(b[0]) | uint64(b[n/2])<<(8*(n/2)) | uint64(b[n-1])<<(8*(n-1)),
			uint64(n) << kindShift,
		}
	}
	return name{0, emptyName}
}

// plain says that n spells a short key of ASCII without a NUL, which is a good key: to
// see that in the name takes a quarter of a look at the key (checkKey).
func (n name) plain() bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	length := n.tail >> kindShift
	if length == 0 || length > maxShort {
		return false
	}
	// Where the key has no byte there is a one: no NUL. Bytes below 128 less one have
	// their high bit only where one of them is 0.
	head := n.head | ones<<(8*length)
	tail := n.tail&(1<<kindShift-1) | ones<<(8*(max(length, 8)-8))
	return (head|tail|(head-ones)|(tail-ones))&highs == 0
}

// hash is for those who count keys: of all their bytes, and seeded.
func (r *namer) hash(key string) uint64 { return maphash.String(r.seed, key) }
