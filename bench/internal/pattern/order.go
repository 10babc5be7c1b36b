package pattern

import "math/rand/v2"

// Order is an endless order of access to n keys: a recorded draw, repeated.
// Its length is a power of two.
type Order []uint32

// orderLength is long enough that its repetition teaches a cache nothing.
const orderLength = 1 << 20

// ZipfOrder is skewed by s; which keys are popular has nothing to do with
// their place among the keys.
func ZipfOrder(n int, s float64) Order {
	place := rand.New(rand.NewPCG(7, 7)).Perm(n)
	z := NewZipf(n, s, 42)
	order := make(Order, orderLength)
	for i := range order {
		order[i] = uint32(place[z.Next()])
	}
	return order
}

// UniformOrder prefers no key.
func UniformOrder(n int) Order {
	rnd := rand.New(rand.NewPCG(42, 42))
	order := make(Order, orderLength)
	for i := range order {
		order[i] = uint32(rnd.IntN(n))
	}
	return order
}

// At is the i-th access.
func (o Order) At(i int) uint32 { return o[i&(len(o)-1)] }
