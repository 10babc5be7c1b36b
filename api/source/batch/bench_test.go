package batch_test

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/freshet-go/freshet/api/source/batch"
)

// What a key costs when a hundred are demanded at once of an origin that needs
// 100 us for a call and serves one call at a time, alone and in a batch; and
// what batching itself costs, of an origin that needs no time.
func BenchmarkPerKey(b *testing.B) {
	const keys = 100
	for _, latency := range []time.Duration{0, 100 * time.Microsecond} {
		var one sync.Mutex
		call := func(ctx context.Context, names []string) (map[string]string, error) {
			if latency > 0 {
				one.Lock()
				defer one.Unlock()
				time.Sleep(latency)
			}
			return all(ctx, names)
		}
		run := func(b *testing.B, fetch func(key string)) {
			b.ReportAllocs()
			for b.Loop() {
				var wg sync.WaitGroup
				for i := range keys {
					wg.Go(func() { fetch(strconv.Itoa(i)) })
				}
				wg.Wait()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*keys), "ns/key")
		}
		b.Run("single/"+latency.String(), func(b *testing.B) {
			run(b, func(key string) { _, _ = call(bg, []string{key}) })
		})
		b.Run("batch/"+latency.String(), func(b *testing.B) {
			s, err := batch.New(config{Fetch: batch.Keys(call), Max: keys})
			if err != nil {
				b.Fatal(err)
			}
			run(b, func(key string) { _, _ = s.Fetch(bg, request{Key: key}) })
			_ = s.Close(bg)
		})
	}
}
