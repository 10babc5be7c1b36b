package actors

import (
	"context"
	"strconv"
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
