package pattern

import (
	"math"
	"math/rand/v2"
	"sort"
)

// Zipf draws ranks 0..n-1 with probability proportional to 1/(rank+1)^s, any
// s > 0 (math/rand's wants s > 1).
type Zipf struct {
	upTo []float64 // cumulated
	rnd  *rand.Rand
}

// NewZipf makes a Zipf whose draws depend on the arguments alone.
func NewZipf(n int, s float64, seed uint64) *Zipf {
	z := &Zipf{upTo: make([]float64, n), rnd: rand.New(rand.NewPCG(seed, seed))}
	sum := 0.0
	for i := range z.upTo {
		sum += math.Pow(float64(i+1), -s)
		z.upTo[i] = sum
	}
	return z
}

// Next draws.
func (z *Zipf) Next() int {
	x := z.rnd.Float64() * z.upTo[len(z.upTo)-1]
	return min(sort.SearchFloat64s(z.upTo, x), len(z.upTo)-1)
}
