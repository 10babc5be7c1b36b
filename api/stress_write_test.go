package api_test

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// W1: the base that a mutation waited for is not seen without it, not even for
// the moment between the two events that tell of them.
func TestStressW1_NobodySeesABaseWithoutTheMutationThatWaitedForIt(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8)) // threads that are stopped anywhere, not goroutines
	c := serveWrites(t, counting(), obliging(), config{})
	var key atomic.Pointer[string]
	var stop atomic.Bool
	var readers sync.WaitGroup
	for range 6 {
		readers.Go(func() {
			for !stop.Load() {
				if k := key.Load(); k != nil {
					if s, ok := c.Peek(*k); ok && s.Value != "" && s.Value != "v1+a" {
						t.Errorf("%s shows %q without the mutation", *k, s.Value)
						return
					}
				}
			}
		})
	}
	randomized(t, 2*time.Second, func(seed uint64) {
		k := fmt.Sprint("k", seed)
		key.Store(&k)
		v, err := c.Mutate(bg, k, appends("+a"))
		require.NoError(t, err)
		require.Equal(t, "v1+a", v)
	})
	stop.Store(true)
	readers.Wait()
}
