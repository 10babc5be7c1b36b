package cbor

import (
	"bytes"
	"errors"
	"reflect"

	"github.com/fxamacker/cbor/v2"

	freshet "github.com/freshet-go/freshet/api"
)

// Bounds of what is read. More elements would let a small record make a large value,
// for an element may be one byte there and a whole struct here.
const (
	maxNested   = 64
	maxElements = 1 << 20
)

// magic is tag 55799, "self-described CBOR" (RFC 8949, 3.4.6).
var magic = []byte{0xd9, 0xd9, 0xf7}

var errNoCBOR = errors.New("freshet: cbor: the bytes were not written by this codec")

var encoding = func() cbor.EncMode {
	o := cbor.CoreDetEncOptions()
	o.Time, o.TimeTag = cbor.TimeRFC3339Nano, cbor.EncTagRequired
	return must(o.EncMode())
}()

var decoding = must(cbor.DecOptions{
	DupMapKey:        cbor.DupMapKeyEnforcedAPF,
	IndefLength:      cbor.IndefLengthForbidden,
	MaxNestedLevels:  maxNested,
	MaxArrayElements: maxElements,
	MaxMapPairs:      maxElements,
	UTF8:             cbor.UTF8DecodeInvalid, // a Go string is any bytes
	DefaultMapType:   reflect.TypeFor[map[string]any](),
}.DecMode())

// must is for options that are constants: the tests use them.
func must[M any](mode M, err error) M {
	if err != nil {
		panic(err)
	}
	return mode
}

type codec[V any] struct{}

// New returns the Codec for values of type V. It is safe for concurrent use.
func New[V any]() freshet.Codec[V] { return codec[V]{} }

// Marshal implements freshet.Codec.
func (codec[V]) Marshal(v V) ([]byte, error) {
	b := bytes.NewBuffer(append(make([]byte, 0, 64), magic...))
	if err := encoding.NewEncoder(b).Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Unmarshal implements freshet.Codec. The value keeps nothing of b.
func (codec[V]) Unmarshal(b []byte) (v V, err error) {
	payload, ok := bytes.CutPrefix(b, magic)
	if !ok {
		return v, errNoCBOR
	}
	if err := decoding.Unmarshal(payload, &v); err != nil {
		var none V // not what was read so far
		return none, err
	}
	return v, nil
}
