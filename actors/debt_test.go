package actors

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// deaf is a Store that answers nothing before its caller gives up.
type deaf struct{ shelf }

func (s *deaf) Set(ctx context.Context, _ string, _ Record) error {
	<-ctx.Done()
	return ctx.Err()
}

// M1, D2: what is owed to a Store that does not keep up is bounded, however many
// resources come and go meanwhile; the newest records are those that are kept.
func TestM1_DebtsToASlowStoreAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const resident = 16
		store := &deaf{shelf{records: map[string]Record{}}}
		table := testTable(t, Config[int]{MaxEntries: resident, Store: store, Codec: numerals{}}, nil)
		owed := func() int {
			table.tier.mu.Lock()
			defer table.tier.mu.Unlock()
			return len(table.tier.debts)
		}
		ctx, n := context.Background(), 0
		load := func(more int) {
			for range more {
				n++
				_, err := table.Get(ctx, strconv.Itoa(n))
				require.NoError(t, err)
			}
			time.Sleep(time.Second)
			synctest.Wait()
		}
		load(tierOwed / 2)
		require.Less(t, int(table.Stats().StoreErrors), 2*5*tierWorkers, "while there is room nothing is given up")
		for range 2 {
			load(tierOwed)
			require.LessOrEqual(t, owed(), tierOwed+resident+tierWorkers)
		}
		table.tier.mu.Lock()
		require.NotNil(t, table.tier.debts[strconv.Itoa(n)], "the newest is still owed")
		require.Nil(t, table.tier.debts["1"])
		table.tier.mu.Unlock()
	})
}

// refusing is a Store that erases nothing, and notes when it was asked to.
type refusing struct {
	shelf
	mu    sync.Mutex
	asked map[string][]time.Time
}

func (s *refusing) Delete(_ context.Context, key string, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[key] = append(s.asked[key], time.Now())
	return errors.New("read-only")
}

// D4: a failed erase is tried again though others go on failing, and the pause
// grows with each round of them, not with each key.
func TestD4_FailedErasesDoNotPutOffEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &refusing{shelf: shelf{records: map[string]Record{}}, asked: map[string][]time.Time{}}
		table := testTable(t, Config[int]{Store: store, Codec: numerals{}}, nil)
		began := time.Now()
		require.NoError(t, table.Remove(t.Context(), "first"))
		for i := range 200 { // another fails every 50 ms
			time.Sleep(50 * time.Millisecond)
			require.NoError(t, table.Remove(t.Context(), strconv.Itoa(i)))
		}
		store.mu.Lock()
		defer store.mu.Unlock()
		asked := store.asked["first"]
		require.GreaterOrEqual(t, len(asked), 4)
		require.Less(t, asked[1].Sub(began), 2*firstEraseWait)
		require.Less(t, asked[2].Sub(began), 5*firstEraseWait)
	})
}
