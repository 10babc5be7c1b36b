package actors

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"
)

// jsonCodec is the default Codec.
type jsonCodec[V any] struct{}

func (jsonCodec[V]) Marshal(v V) ([]byte, error) { return json.Marshal(v) }

func (jsonCodec[V]) Unmarshal(b []byte) (v V, err error) {
	err = json.Unmarshal(b, &v)
	return v, err
}

// A record's value is a format version, for how long the value is fresh and how
// old it was at Record.ReadAt (big-endian nanoseconds; the age is below zero where
// the origin answered later), and what the Codec made of it (D3).
const (
	recordFormat = 1
	recordHeader = 1 + 8 + 8
)

func packRecord(ttl, age time.Duration, payload []byte) []byte {
	b := make([]byte, 0, recordHeader+len(payload))
	b = append(b, recordFormat)
	b = binary.BigEndian.AppendUint64(b, uint64(ttl))
	b = binary.BigEndian.AppendUint64(b, uint64(age))
	return append(b, payload...)
}

func unpackRecord(b []byte) (ttl, age time.Duration, payload []byte, err error) {
	switch {
	case len(b) < recordHeader:
		return 0, 0, nil, fmt.Errorf("a record of %d bytes is too short", len(b))
	case b[0] != recordFormat:
		return 0, 0, nil, fmt.Errorf("record format %d is unknown, want %d", b[0], recordFormat)
	}
	ttl = time.Duration(binary.BigEndian.Uint64(b[1:]))
	if ttl < 0 {
		return 0, 0, nil, fmt.Errorf("a record with the negative TTL %v", ttl)
	}
	return max(ttl, 1), time.Duration(binary.BigEndian.Uint64(b[9:])), b[recordHeader:], nil
}
