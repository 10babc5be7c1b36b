package actors

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// C2: a context that the source kept stays its own flight's, also when that has landed.
func TestC2_AKeptContextStaysItsFlights(t *testing.T) {
	type id struct{}
	kept := make(map[string]context.Context)
	var mu sync.Mutex
	table := testTable(t, Config[int]{}, func(ctx context.Context, key string) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		kept[key] = ctx
		if len(kept)%2 == 0 {
			ctx.Done() // some are asked
		}
		return 1, nil
	})
	for i := range 40 {
		key := strconv.Itoa(i)
		_, err := table.Get(context.WithValue(t.Context(), id{}, key), key)
		require.NoError(t, err)
	}
	for table.Stats().InFlight > 0 {
		runtime.Gosched()
	}
	for key, ctx := range kept {
		require.Equal(t, key, ctx.Value(id{}))
		require.ErrorIs(t, ctx.Err(), context.Canceled)
		<-ctx.Done()
	}
}

// F1, C2: whatever happens beside a load, its caller gets what is his, and its source the
// context that is.
func TestStressF1_EveryCallerGetsWhatIsHis(t *testing.T) {
	type id struct{}
	const keys, callers, calls = 64, 8, 3000
	var kept [256]atomic.Pointer[struct {
		key string
		ctx context.Context
	}]
	table := testTable(t, Config[int]{MaxEntries: keys / 4, Timeout: 200 * time.Microsecond, MaxSupersede: 3}, func(ctx context.Context, key string) (int, error) {
		if got := ctx.Value(id{}); got != key {
			t.Errorf("the source of %s was given the context of %v", key, got)
		}
		if old := kept[rand.IntN(len(kept))].Swap(&struct {
			key string
			ctx context.Context
		}{key, ctx}); old != nil && old.ctx.Value(id{}) != old.key {
			t.Errorf("the context of %s became that of %v", old.key, old.ctx.Value(id{}))
		}
		n, _ := strconv.Atoi(key)
		switch rand.IntN(64) {
		case 0:
			<-ctx.Done() // and comes late
		case 1:
			return 0, errors.New("no")
		case 2:
			return 0, ErrNotFound
		default:
			for range rand.IntN(3) {
				runtime.Gosched()
			}
		}
		return n, nil
	})
	check := func(key string, v int, err error) {
		if err == nil && strconv.Itoa(v) != key || err != nil && v != 0 {
			t.Errorf("%s was answered with %d, %v", key, v, err)
		}
	}
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for range calls {
				key := strconv.Itoa(rand.IntN(keys))
				ctx := context.WithValue(context.Background(), id{}, key)
				switch rand.IntN(24) {
				case 0:
					f := table.Fetch(ctx, key)
					<-f.Done()
					v, err := f.Result()
					check(key, v, err)
				case 1:
					_ = table.Invalidate(ctx, key)
				case 2:
					n, _ := strconv.Atoi(key)
					_ = table.Put(ctx, key, Response[int]{Value: n})
				case 3:
					ctx, cancel := context.WithCancel(ctx)
					go cancel()
					v, err := table.Get(ctx, key)
					check(key, v, err)
				case 4:
					v, err := table.Get(ctx, key, ForceReload())
					check(key, v, err)
				case 5:
					many, err := table.GetMany(ctx, []string{key})
					if v, ok := many[key]; ok {
						check(key, v, nil)
					} else {
						assert.Error(t, err)
					}
				case 6:
					_ = table.Stats()
				default:
					v, err := table.Get(ctx, key)
					check(key, v, err)
				}
			}
		})
	}
	all.Wait()
}
