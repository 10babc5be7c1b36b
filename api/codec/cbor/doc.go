// Package cbor is a compact Codec for the second tier (CBOR, RFC 8949, by
// fxamacker/cbor): smaller than JSON, about twice as fast, and exact where JSON
// is not.
//
//	freshet.Config[User]{..., Store: store, Codec: cbor.New[User]()}
//
// # What it promises
//
//   - Deterministic: equal values are equal bytes (core deterministic encoding,
//     RFC 8949, 4.2.1). A store that tells other processes of news (package redis)
//     tells of none where nothing changed.
//   - Exact: what went in comes out. Times keep their nanoseconds and their offset,
//     []byte stays bytes, integers beyond 2^53 and strings that are no UTF-8 survive,
//     nil and empty stay apart. Except for a time whose offset has seconds, as local
//     times before 1900 do: RFC 3339 has none, so store it in UTC. One beyond the
//     years 0 to 9999 is an error when it is read, so a miss.
//   - Bounded: bytes from a store are not trusted. What is cut short, nested deeper
//     than 64, has more than a million elements in one array or map, an indefinite
//     length or a key twice, or goes on after its end, is an error, and an error
//     costs a miss (D2). No length is believed before the bytes are there.
//   - Not mistaken: every value begins with the three bytes that RFC 8949 sets
//     aside to say "this is CBOR". The JSON 1 would otherwise be read as -18 by a
//     process that changed its Codec. So a change of Codec, either way, is misses and
//     never a wrong value.
//
// # Fields
//
// Names are those of `cbor` tags, else of `json` tags, else the fields'. `cbor:",toarray"`
// and `cbor:"1,keyasint"` make it smaller still. As with JSON a field that is not
// there keeps its zero value and one that is not known is skipped, so a struct may
// grow. A map inside an interface value comes back as map[string]any, a number as
// uint64, int64 or float64, a time as time.Time.
package cbor
