package actors

import (
	"bytes"
	"fmt"
	"math"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Short keys have the same name only where they are the same, and no short key
// has a long one's or none.
func TestNamesAreKeys(t *testing.T) {
	r := newNamer()
	rapid.Check(t, func(t *rapid.T) {
		draw := func(what string) string {
			return string(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 'a', 0xff}), 0, maxShort+2).Draw(t, what))
		}
		a, b := draw("a"), draw("b")
		if (r.name(a) == r.name(b)) != (a == b) {
			t.Fatalf("%q and %q: %x and %x", a, b, r.name(a), r.name(b))
		}
		kind := r.name(a).tail >> kindShift << kindShift
		if kind == noName || kind == graveName || (kind == longName) != (len(a) > maxShort) {
			t.Fatalf("%q: kind %x", a, kind)
		}
	})
}

// A plain name is that of a key that checkKey lets pass, and of short ASCII every one
// is plain that has no NUL.
func TestPlainNamesAreGoodKeys(t *testing.T) {
	r := newNamer()
	check := func(key string) {
		plain := len(key) > 0 && len(key) <= maxShort
		for i := range len(key) {
			plain = plain && key[i] != 0 && key[i] < utf8.RuneSelf
		}
		got := r.name(key).plain()
		require.Equal(t, plain, got, "%q", key)
		require.False(t, got && checkKey(key) != nil, "%q", key)
	}
	for _, rest := range []byte{1, 'a', 0x7f} {
		for n := range maxShort + 3 {
			key := bytes.Repeat([]byte{rest}, n)
			check(string(key))
			for i := range key {
				for _, odd := range []byte{0, 'b', 0x80, 0xc3, 0xff} {
					key[i] = odd
					check(string(key))
				}
				key[i] = rest
			}
		}
	}
}

// Keys that differ little are spread evenly.
func TestNamesSpread(t *testing.T) {
	x := newIndex[int](0)
	const n = 1 << 16
	for _, format := range []string{"%d", "user:%08d", "%015d", "a long key, number %d"} {
		var shards [indexShards]int
		var slots [1024]int
		for i := range n {
			shard, from := x.place(x.name(fmt.Sprintf(format, i)))
			shards[shard]++
			slots[from%1024]++
		}
		for _, of := range [][]int{shards[:], slots[:]} {
			mean := float64(n / len(of))
			for _, got := range of {
				require.InDelta(t, mean, got, 7*math.Sqrt(mean), format)
			}
		}
	}
}
