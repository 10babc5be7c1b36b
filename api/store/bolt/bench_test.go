package bolt_test

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/api/store/bolt"
)

func BenchmarkGet(b *testing.B) {
	_, s := open(b, filepath.Join(b.TempDir(), "db"), bolt.Options{SweepEvery: -1})
	require.NoError(b, s.Set(b.Context(), "k", rec(1, "a value of a few bytes")))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Get(b.Context(), "k"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSetAlone(b *testing.B) {
	_, s := open(b, filepath.Join(b.TempDir(), "db"), bolt.Options{SweepEvery: -1})
	for i := 0; b.Loop(); i++ {
		if err := s.Set(b.Context(), fmt.Sprint(i), rec(i, "a value of a few bytes")); err != nil {
			b.Fatal(err)
		}
	}
}

// Many who wait for their commit at once share it.
func BenchmarkSetFrom512(b *testing.B) {
	_, s := open(b, filepath.Join(b.TempDir(), "db"), bolt.Options{SweepEvery: -1})
	var n atomic.Int64
	b.SetParallelism(256)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := int(n.Add(1))
			if err := s.Set(b.Context(), fmt.Sprint(i), rec(i, "a value of a few bytes")); err != nil {
				b.Error(err)
			}
		}
	})
}
