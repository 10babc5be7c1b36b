package main

import (
	"fmt"
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/freshet-go/freshet/bench/internal/pattern"
)

// BenchmarkLimits is what the machine asks for the parts that no cache can do
// without, each alone on one goroutine: a figure of the workloads is worth as
// much as what stands beside it here.
func BenchmarkLimits(b *testing.B) {
	for _, n := range []int{1_000, 32_000} {
		b.Run(fmt.Sprintf("keys=%d", n), func(b *testing.B) { limitsOfHits(b, n) })
	}
	b.Run("hand-off", limitOfHandOff)
	b.Run("allocate=96B", func(b *testing.B) {
		var kept *[12]uint64
		b.ReportAllocs()
		for range b.N {
			kept = new([12]uint64)
		}
		kept[0]++
		sunk.Store(kept[0])
	})
	b.Run("lock", func(b *testing.B) {
		var mu sync.Mutex
		n := uint64(0)
		for range b.N {
			mu.Lock()
			n++
			mu.Unlock()
		}
		sunk.Store(n)
	})
}

// sunk keeps the compiler from leaving out what nobody looks at.
var sunk atomic.Uint64

// limitsOfHits are those of a read, in the order of hit/zipf. The keys that are
// read are other strings than those stored, as in a service.
func limitsOfHits(b *testing.B, n int) {
	keys, order := pattern.Keys(n), pattern.ZipfOrder(n, 0.99)
	numbers, pointers := make(map[string]uint64, n), make(map[string]*atomic.Pointer[uint64], n)
	for i, key := range keys {
		value := uint64(i)
		held := &atomic.Pointer[uint64]{}
		held.Store(&value)
		numbers[strings.Clone(key)], pointers[strings.Clone(key)] = value, held
	}
	seed := maphash.MakeSeed()
	for _, limit := range []struct {
		name string
		read func(key string) uint64
	}{
		{"look-at-the-key", func(key string) uint64 { return uint64(key[len(key)-1]) }},
		{"hash", func(key string) uint64 { return maphash.String(seed, key) }},
		{"map-of-numbers", func(key string) uint64 { return numbers[key] }},
		{"map-of-atomic-pointers", func(key string) uint64 { return *pointers[key].Load() }},
	} {
		b.Run(limit.name, func(b *testing.B) {
			sum := uint64(0)
			for i := range b.N {
				sum += limit.read(keys[order.At(i)])
			}
			sunk.Store(sum)
		})
	}
}

// limitOfHandOff is a call on another goroutine that is there already: one
// channel there and one back.
func limitOfHandOff(b *testing.B) {
	there, back := make(chan uint64, 1), make(chan uint64, 1)
	go func() {
		for v := range there {
			back <- v + 1
		}
		close(back)
	}()
	sum := uint64(0)
	for i := range b.N {
		there <- uint64(i)
		sum += <-back
	}
	close(there)
	<-back
	sunk.Store(sum)
}
