package api_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

func ofLength(t testing.TB, n int) (*freshet.Cache[string], *freshet.Collection[string]) {
	items := make([]freshet.Item[string], n)
	for i := range items {
		items[i] = freshet.Item[string]{Key: fmt.Sprint("k", i), Value: "v"}
	}
	c := lists(t, newCatalog(), config{Lister: answering(func(context.Context, string) ([]freshet.Item[string], error) {
		return items, nil
	})})
	l := c.Collection("")
	_, err := l.Get(bg)
	require.NoError(t, err)
	return c, l
}

// A hit on a collection allocates the slice that it returns, however long.
func TestW8_AHitAllocatesTheItemsAlone(t *testing.T) {
	for _, n := range []int{1, 1000} {
		_, l := ofLength(t, n)
		require.LessOrEqual(t, testing.AllocsPerRun(1000, func() { _, _ = l.Get(bg) }), 1.0, n)
	}
}

// What a hit on a collection costs beside a hit on each of its members.
func BenchmarkCollection(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000} {
		c, l := ofLength(b, n)
		b.Run(fmt.Sprintf("list/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = l.Get(bg)
			}
		})
		keys := make([]string, n)
		for i := range keys {
			keys[i] = fmt.Sprint("k", i)
		}
		b.Run(fmt.Sprintf("members/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for _, key := range keys {
					_, _ = c.Get(bg, key)
				}
			}
		})
	}
}
