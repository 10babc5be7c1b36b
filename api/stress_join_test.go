package api_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	freshet "github.com/freshet-go/freshet/api"
)

// TestStressJoin has callers come in the very moment in which the flight that
// nobody waited for is given up: by an Invalidate or a Remove (O6), or because
// its last waiter leaves (C3). Whoever came is answered by this flight or by
// another, never with the end of the one that was given up.
func TestStressJoin(t *testing.T) {
	randomized(t, 2*time.Second, func(seed uint64) {
		synctest.Test(t, func(t *testing.T) {
			d := newDice(seed, 0)
			abort := d.in(2)
			cache := open(t, freshet.Config[int]{
				AbortAbandoned: abort,
				Source: freshet.Func(func(ctx context.Context, _ string) (int, error) {
					select {
					case <-time.After(tick):
						return 1, nil
					case <-ctx.Done():
						return 0, context.Cause(ctx)
					}
				}),
			})
			for range 20 {
				left, leave := context.WithCancel(bg)
				var gone, wg sync.WaitGroup
				gone.Go(func() { _, _ = cache.Get(left, "k") })
				synctest.Wait()
				if !abort {
					leave()
					gone.Wait() // the flight goes on, and nobody waits for it
				}
				start := make(chan struct{})
				for range 3 {
					wg.Go(func() {
						<-start
						if _, err := cache.Get(bg, "k"); err != nil {
							t.Errorf("a caller that came meanwhile got: %v", err)
						}
					})
				}
				wg.Go(func() {
					<-start
					switch {
					case abort:
						leave()
					case d.in(2):
						_ = cache.Remove(bg, "k")
					default:
						_ = cache.Invalidate(bg, "k")
					}
				})
				synctest.Wait()
				close(start)
				wg.Wait()
				gone.Wait()
				leave()
				_ = cache.Remove(bg, "k")
			}
		})
	})
}
