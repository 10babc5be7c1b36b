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

// hash is for those who count keys: of all their bytes, and seeded.
func (r *namer) hash(key string) uint64 { return maphash.String(r.seed, key) }
