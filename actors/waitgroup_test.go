package actors

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The last to go and who begins to wait for him meet at every instant: who waits
// is never forgotten (C5).
func TestStressC5_WhoWaitsIsNotForgotten(t *testing.T) {
	const rounds = 30_000
	var (
		n  waitGroup
		wg sync.WaitGroup
	)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var turn atomic.Int64
	wg.Go(func() { // the one who goes, at once when there is somebody to wait
		for i := range int64(rounds) {
			for turn.Load() != i+1 {
				runtime.Gosched()
			}
			n.done()
		}
	})
	for i := range int64(rounds) {
		n.add()
		turn.Store(i + 1)
		require.Zero(t, n.wait(ctx))
	}
	wg.Wait()
	n.add()
	cancel()
	require.Equal(t, 1, n.wait(ctx), "as long as its context allows")
}
