package cbor_test

import (
	"encoding/json"
	"math"
	"math/big"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/freshet-go/freshet/api/codec/cbor"
)

type record struct {
	ID      uint64            `json:"id"`
	Name    string            `json:"name"`
	Balance int64             `json:"balance,omitempty"`
	Rate    float64           `json:"rate"`
	Photo   []byte            `json:"photo"`
	Labels  map[string]string `json:"labels"`
	Parts   []part            `json:"parts"`
	Next    *part             `json:"next"`
}

type part struct {
	N  int       `cbor:"1,keyasint"`
	At time.Time `cbor:"2,keyasint"`
}

func roundTrip[V any](t require.TestingT, v V) V {
	c := cbor.New[V]()
	b, err := c.Marshal(v)
	require.NoError(t, err)
	got, err := c.Unmarshal(b)
	require.NoError(t, err)
	return got
}

func records() *rapid.Generator[record] {
	parts := rapid.Custom(func(t *rapid.T) part {
		return part{
			N:  rapid.Int().Draw(t, "n"),
			At: time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC(),
		}
	})
	return rapid.Custom(func(t *rapid.T) record {
		r := record{
			ID: rapid.Uint64().Draw(t, "id"), Name: string(rapid.SliceOf(rapid.Byte()).Draw(t, "name")),
			Balance: rapid.Int64().Draw(t, "balance"), Rate: rapid.Float64().Draw(t, "rate"),
			Photo: rapid.SliceOf(rapid.Byte()).Draw(t, "photo"),
			Parts: rapid.SliceOfN(parts, 0, 5).Draw(t, "parts"),
		}
		if rapid.Bool().Draw(t, "labelled") {
			r.Labels = rapid.MapOfN(rapid.String(), rapid.String(), 0, 9).Draw(t, "labels")
		}
		if rapid.Bool().Draw(t, "followed") {
			next := parts.Draw(t, "next")
			r.Next = &next
		}
		return r
	})
}

func TestWhatGoesInComesOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := records().Draw(t, "record")
		require.Equal(t, r, roundTrip(t, r))
	})
}

func TestWhatJSONLosesSurvives(t *testing.T) {
	require.Equal(t, "\xff\xfe", roundTrip(t, "\xff\xfe"))
	require.Equal(t, any(uint64(math.MaxUint64)), roundTrip[any](t, uint64(math.MaxUint64)))
	require.Equal(t, any([]byte{1, 2}), roundTrip[any](t, []byte{1, 2}))
	require.True(t, math.IsInf(roundTrip(t, math.Inf(-1)), -1))
	require.True(t, math.IsNaN(roundTrip(t, math.NaN())))
	require.Equal(t, []int(nil), roundTrip(t, []int(nil)))
	require.Equal(t, []int{}, roundTrip(t, []int{}))
	require.Equal(t, map[int]string{1: "a"}, roundTrip(t, map[int]string{1: "a"}))
	require.Equal(t, (*int)(nil), roundTrip(t, (*int)(nil)))
	n := new(big.Int).Lsh(big.NewInt(7), 200)
	require.Zero(t, n.Cmp(roundTrip(t, n)))

	at := time.Date(2026, 2, 3, 4, 5, 6, 789_012_345, time.FixedZone("", 3600))
	got := roundTrip(t, at)
	require.True(t, at.Equal(got), "to the nanosecond: %v", got)
	_, offset := got.Zone()
	require.Equal(t, 3600, offset)
	inside, ok := roundTrip[any](t, map[string]any{"at": at}).(map[string]any)["at"].(time.Time)
	require.True(t, ok && at.Equal(inside))
}

func TestEqualValuesAreEqualBytes(t *testing.T) {
	c := cbor.New[map[string]int]()
	keys := strings.Fields("a bb ccc dddd eeeee f gg hhh iiii z")
	var first []byte
	for range 50 {
		m := map[string]int{}
		rand.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		for _, key := range keys {
			m[key] = len(key)
		}
		b, err := c.Marshal(m)
		require.NoError(t, err)
		if first == nil {
			first = b
		}
		require.Equal(t, first, b)
	}
}

func TestAStructMayGrow(t *testing.T) {
	type old struct {
		Name string `json:"name"`
		Gone string `json:"gone"`
	}
	type young struct {
		Name string `json:"name"`
		New  string `json:"new"`
	}
	b, err := cbor.New[old]().Marshal(old{"n", "g"})
	require.NoError(t, err)
	v, err := cbor.New[young]().Unmarshal(b)
	require.NoError(t, err)
	require.Equal(t, young{Name: "n"}, v)
}

// A process that changed its codec finds what the other one wrote.
func TestAnotherCodecsBytesAreRefused(t *testing.T) {
	for _, v := range []any{1, -7, "text", true, nil, []int{1}, map[string]int{"a": 1}, 1.5} {
		b, err := json.Marshal(v)
		require.NoError(t, err)
		_, err = cbor.New[any]().Unmarshal(b)
		require.Error(t, err, "JSON %s", b)
		_, err = cbor.New[int]().Unmarshal(b)
		require.Error(t, err, "JSON %s", b)

		b, err = cbor.New[any]().Marshal(v)
		require.NoError(t, err)
		require.Error(t, json.Unmarshal(b, new(any)), "CBOR of %v", v)
	}
}

const magic = "\xd9\xd9\xf7"

func TestD2_GarbageIsAnError(t *testing.T) {
	for name, b := range map[string]string{
		"nothing":             "",
		"nothing behind":      magic,
		"a magic cut short":   "\xd9\xd9",
		"no magic":            "\x01",
		"something behind":    magic + "\x01\x01",
		"a string cut short":  magic + "\x63ab",
		"a huge string":       magic + "\x7b\x7f\xff\xff\xff\xff\xff\xff\xff",
		"huge bytes":          magic + "\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
		"a huge array":        magic + "\x9b\x7f\xff\xff\xff\xff\xff\xff\xff\x01",
		"a huge map":          magic + "\xbb\x7f\xff\xff\xff\xff\xff\xff\xff\x01\x01",
		"a length below zero": magic + "\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
		"an open array":       magic + "\x9f\x01\xff",
		"an open string":      magic + "\x7f\x61a\xff",
		"a key twice":         magic + "\xa2\x61a\x01\x61a\x02",
		"too deep":            magic + strings.Repeat("\x81", 100) + "\x01",
		"much too deep":       magic + strings.Repeat("\x81", 10_000_000) + "\x01",
		"tags without end":    magic + strings.Repeat("\xc1", 10_000_000),
		"a reserved byte":     magic + "\x1c",
		"an array of a map":   magic + "\xa1\x81\x01\x01",
		"a time of nonsense":  magic + "\xc0\x63abc",
		"a break":             magic + "\xff",
	} {
		t.Run(name, func(t *testing.T) {
			v, err := cbor.New[any]().Unmarshal([]byte(b))
			require.Error(t, err)
			require.Nil(t, v)
			r, err := cbor.New[record]().Unmarshal([]byte(b))
			require.Error(t, err)
			require.Zero(t, r, "nothing half read")
		})
	}
}

func TestD2_AnotherTypesValueIsAnError(t *testing.T) {
	b, err := cbor.New[map[string]any]().Marshal(map[string]any{"id": 7, "name": []int{1}})
	require.NoError(t, err)
	r, err := cbor.New[record]().Unmarshal(b)
	require.Error(t, err)
	require.Zero(t, r, "not the half that fits")
}

// No bytes make it panic, or take memory that they do not account for.
func TestD2_RandomBytesAreBounded(t *testing.T) {
	whole, err := cbor.New[record]().Marshal(record{
		ID: 1 << 60, Name: "name", Photo: make([]byte, 40), Labels: map[string]string{"a": "b", "c": "d"},
		Parts: []part{{1, time.Unix(1, 0)}, {2, time.Unix(2, 0)}}, Next: &part{},
	})
	require.NoError(t, err)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const rounds = 20_000
	for seed := range uint64(rounds) {
		d := rand.New(rand.NewPCG(seed, 1))
		b := append([]byte(nil), whole...)
		for range 1 + d.IntN(4) {
			b[d.IntN(len(b))] = byte(d.Uint32())
		}
		b = b[:1+d.IntN(len(b))]
		_, _ = cbor.New[record]().Unmarshal(b)
		_, _ = cbor.New[any]().Unmarshal(b)
	}
	runtime.ReadMemStats(&after)
	require.Less(t, (after.TotalAlloc-before.TotalAlloc)/rounds, uint64(100<<10), "bytes a record")
	for n := range whole {
		_, err := cbor.New[record]().Unmarshal(whole[:n])
		require.Error(t, err, "the first %d bytes", n)
	}
}

func TestTheValueKeepsNothingOfTheBytes(t *testing.T) {
	c := cbor.New[[]byte]()
	b, err := c.Marshal([]byte("photo"))
	require.NoError(t, err)
	v, err := c.Unmarshal(b)
	require.NoError(t, err)
	clear(b)
	require.Equal(t, "photo", string(v))
}

func TestWhatCannotBeWrittenIsAnError(t *testing.T) {
	b, err := cbor.New[any]().Marshal(make(chan int))
	require.Error(t, err)
	require.Nil(t, b)
}

func TestManyAtOnce(t *testing.T) {
	c := cbor.New[record]()
	var wg sync.WaitGroup
	for i := range uint64(8) {
		wg.Go(func() {
			for range 200 {
				b, err := c.Marshal(record{ID: i})
				if v, bad := c.Unmarshal(b); err != nil || bad != nil || v.ID != i {
					t.Errorf("%d: %v %v %v", i, v, err, bad)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkCodec(b *testing.B) {
	c, v := cbor.New[record](), record{ID: 7, Name: "Ada Lovelace", Rate: 1.5, Parts: []part{{N: 1}, {N: 2}}}
	data, err := c.Marshal(v)
	require.NoError(b, err)
	b.Run("marshal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = c.Marshal(v)
		}
		b.ReportMetric(float64(len(data)), "B")
	})
	b.Run("unmarshal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = c.Unmarshal(data)
		}
	})
	b.Run("json/marshal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = json.Marshal(v)
		}
	})
	b.Run("json/unmarshal", func(b *testing.B) {
		text, err := json.Marshal(v)
		require.NoError(b, err)
		b.ReportAllocs()
		for b.Loop() {
			var r record
			_ = json.Unmarshal(text, &r)
		}
	})
}
