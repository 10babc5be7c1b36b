package actors

import (
	"fmt"
	"math"
	"testing"

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
