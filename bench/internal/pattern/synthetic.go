package pattern

import (
	"fmt"
	"math/rand/v2"
)

// Accesses are a trace: the keys, as numbers, in the order in which they were
// asked for.
type Accesses struct {
	Name       string
	About      string
	Capacities []int // that are worth looking at
	Keys       []uint32
}

// Synthetic are the traces that need no recording, each n accesses long.
func Synthetic(n int) []Accesses {
	var all []Accesses
	for _, s := range []float64{0.7, 0.8, 0.9, 1.0, 1.1, 1.2} {
		all = append(all, Accesses{
			Name: fmt.Sprintf("zipf-%.1f", s), About: fmt.Sprintf("Zipf %.1f over 50,000 keys", s),
			Capacities: []int{500, 2_500, 10_000}, Keys: zipfs(n, 50_000, s),
		})
	}
	return append(all, scans(n), loops(n), phases(n))
}

func zipfs(n, keys int, s float64) []uint32 {
	z := NewZipf(keys, s, uint64(s*100))
	out := make([]uint32, n)
	for i := range out {
		out[i] = uint32(z.Next())
	}
	return out
}

// scans is a skewed traffic through which, now and then, someone reads a long
// row of keys that nobody asks for again.
func scans(n int) Accesses {
	z := NewZipf(10_000, 0.9, 3)
	out := make([]uint32, 0, n)
	next := uint32(1 << 20)
	for len(out) < n {
		for range 8_000 {
			out = append(out, uint32(z.Next()))
		}
		for range 4_000 {
			out = append(out, next)
			next++
		}
	}
	return Accesses{
		Name: "scan", About: "Zipf 0.9 over 10,000 keys, a third of the accesses being scans of keys that never come again",
		Capacities: []int{500, 2_000, 5_000}, Keys: out[:n],
	}
}

// loops goes round and round over slightly more than fits.
func loops(n int) Accesses {
	out := make([]uint32, n)
	for i := range out {
		out[i] = uint32(i % 3_000)
	}
	return Accesses{
		Name: "loop-3000", About: "the same 3,000 keys in the same order, again and again",
		Capacities: []int{1_000, 2_000, 2_900}, Keys: out,
	}
}

// phases is a skewed traffic whose favourites change all at once.
func phases(n int) Accesses {
	const length = 50_000
	z := NewZipf(20_000, 0.9, 5)
	rnd := rand.New(rand.NewPCG(5, 5))
	out := make([]uint32, n)
	var shift int
	for i := range out {
		if i%length == 0 {
			shift = rnd.IntN(20_000)
		}
		out[i] = uint32((z.Next() + shift) % 20_000)
	}
	return Accesses{
		Name: "phases", About: "Zipf 0.9 over 20,000 keys, whose favourites change every 50,000 accesses",
		Capacities: []int{500, 2_000, 5_000}, Keys: out,
	}
}
