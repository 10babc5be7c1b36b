package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"time"

	freshet "github.com/freshet-go/freshet/api"
)

const (
	version    = 1
	magic      = "\xf5\x52"
	headerSize = 32
	sumAt      = 28
	timeSize   = 12

	flagRecord    = 1
	flagTombstone = 2
)

var (
	// ErrCorrupt says that bytes are no entry, or not the one of their key.
	ErrCorrupt = errors.New("the record is corrupt")
	// ErrVersion says that an entry is of a version this program does not know.
	ErrVersion = errors.New("the record is of an unknown version")

	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// sinceYear1 is what makes the seconds of every year from 1 on positive.
const sinceYear1 = 62135596800

// AppendTime appends the 12 bytes of t; times outside the years 1 to 9999 are
// clamped.
func AppendTime(dst []byte, t time.Time) []byte {
	const last = 253402300799 + sinceYear1
	sec, ns := t.Unix()+sinceYear1, t.Nanosecond()
	switch {
	case sec < 0:
		sec, ns = 0, 0
	case sec > last:
		sec, ns = last, 999_999_999
	}
	dst = binary.BigEndian.AppendUint64(dst, uint64(sec))
	return binary.BigEndian.AppendUint32(dst, uint32(ns))
}

// Time is the time that AppendTime wrote, in UTC.
func Time(b []byte) time.Time {
	sec := binary.BigEndian.Uint64(b)
	if sec > math.MaxInt64 {
		sec = math.MaxInt64
	}
	return time.Unix(int64(sec)-sinceYear1, int64(binary.BigEndian.Uint32(b[8:]))).UTC()
}

// Encode returns the bytes of e under key.
func Encode(key string, e Entry) []byte {
	size := headerSize + 2*timeSize + 4*binary.MaxVarintLen64
	if r := e.Record; r != nil {
		size += len(r.Value) + len(r.Validator)
		for _, tag := range r.Tags {
			size += len(tag) + binary.MaxVarintLen32
		}
	}
	b := make([]byte, 0, size)
	var flags byte
	r := e.Record
	if r != nil {
		flags |= flagRecord
	} else {
		r = &freshet.Record{}
	}
	if !e.Erased.IsZero() {
		flags |= flagTombstone
	}
	b = append(b, magic...)
	b = append(b, version, flags)
	b = AppendTime(b, r.ReadAt)
	b = AppendTime(b, r.ExpiresAt)
	b = append(b, 0, 0, 0, 0)
	if flags&flagTombstone != 0 {
		b = AppendTime(b, e.Erased.At)
		b = AppendTime(b, e.Erased.Until)
	}
	b = appendText(b, r.Validator)
	b = binary.AppendUvarint(b, uint64(len(r.Tags)))
	for _, tag := range r.Tags {
		b = appendText(b, tag)
	}
	b = append(b, r.Value...)
	binary.BigEndian.PutUint32(b[sumAt:], sum(key, b))
	return b
}

func appendText(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func sum(key string, b []byte) uint32 {
	c := crc32.Update(0, castagnoli, []byte(key))
	c = crc32.Update(c, castagnoli, b[:sumAt])
	return crc32.Update(c, castagnoli, b[headerSize:])
}

// Decode returns the entry that b holds under key. The Value is a part of b.
// The error wraps ErrCorrupt or ErrVersion.
func Decode(key string, b []byte) (Entry, error) {
	if len(b) < headerSize || string(b[:2]) != magic {
		return Entry{}, fmt.Errorf("%w: %d bytes that do not begin like one", ErrCorrupt, len(b))
	}
	if b[2] != version {
		return Entry{}, fmt.Errorf("%w: %d, and this program knows %d", ErrVersion, b[2], version)
	}
	if got := sum(key, b); got != binary.BigEndian.Uint32(b[sumAt:]) {
		return Entry{}, fmt.Errorf("%w: its checksum does not match", ErrCorrupt)
	}
	var e Entry
	flags, expires, rest := b[3], b[16:sumAt], b[headerSize:]
	if flags&flagTombstone != 0 {
		if len(rest) < 2*timeSize {
			return Entry{}, fmt.Errorf("%w: it ends within its tombstone", ErrCorrupt)
		}
		e.Erased = Tombstone{At: Time(rest), Until: Time(rest[timeSize:])}
		rest = rest[2*timeSize:]
	}
	if flags&flagRecord == 0 {
		return e, nil
	}
	r := &freshet.Record{ReadAt: Time(b[4:])}
	if string(expires) != string(make([]byte, timeSize)) {
		r.ExpiresAt = Time(expires)
	}
	var ok bool
	if r.Validator, rest, ok = cutText(rest); !ok {
		return Entry{}, fmt.Errorf("%w: it ends within its validator", ErrCorrupt)
	}
	n, used := binary.Uvarint(rest)
	if used <= 0 || n > uint64(len(rest)) { // a tag takes a byte at least
		return Entry{}, fmt.Errorf("%w: it ends within its tags", ErrCorrupt)
	}
	rest = rest[used:]
	if n > 0 {
		r.Tags = make([]string, n)
	}
	for i := range r.Tags {
		if r.Tags[i], rest, ok = cutText(rest); !ok {
			return Entry{}, fmt.Errorf("%w: it ends within its tags", ErrCorrupt)
		}
	}
	r.Value = rest
	e.Record = r
	return e, nil
}

func cutText(b []byte) (s string, rest []byte, ok bool) {
	n, used := binary.Uvarint(b)
	if used <= 0 || n > uint64(len(b)-used) {
		return "", nil, false
	}
	b = b[used:]
	return string(b[:n]), b[n:], true
}
