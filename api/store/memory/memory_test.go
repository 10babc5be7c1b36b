package memory_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/store/memory"
	"github.com/freshet-go/freshet/api/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContract(t *testing.T) {
	now := time.Date(2026, 2, 3, 4, 5, 6, 7, time.UTC)
	clock := func() time.Time { return now }
	storetest.Run(t, func(*testing.T) freshet.Store { return memory.New(memory.Options{Now: clock}) },
		storetest.Clock(clock, func(d time.Duration) { now = now.Add(d) }))
}

func TestContractOnTheWallClock(t *testing.T) {
	storetest.Run(t, func(*testing.T) freshet.Store { return memory.New(memory.Options{}) })
}

func TestWhatIsHeldIsBounded(t *testing.T) {
	now := time.Date(2026, 2, 3, 4, 5, 6, 7, time.UTC)
	s := memory.New(memory.Options{Now: func() time.Time { return now }, MaxRecords: 100, Tombstones: time.Minute})
	for i := range 1000 {
		key := fmt.Sprint("key-", i)
		require.NoError(t, s.Set(t.Context(), key, freshet.Record{ReadAt: now}))
		_, err := s.Get(t.Context(), key)
		require.NoError(t, err, "what was just written is not what makes room")
	}
	require.LessOrEqual(t, s.Len(), 101)
	for i := range 1000 {
		require.NoError(t, s.Delete(t.Context(), fmt.Sprint("gone-", i), now))
	}
	require.LessOrEqual(t, s.Len(), 201)
	now = now.Add(time.Minute)
	for range 200 {
		require.NoError(t, s.Set(t.Context(), "one", freshet.Record{ReadAt: now}))
	}
	require.LessOrEqual(t, s.Len(), 101, "tombstones whose time is over go as writes come")
}

// New has no error to return: what is negative is the default, as the page says.
func TestD5_NegativeOptionsAreTheDefaults(t *testing.T) {
	now := time.Date(2026, 2, 3, 4, 5, 6, 7, time.UTC)
	s := memory.New(memory.Options{Now: func() time.Time { return now }, Tombstones: -time.Hour, MaxRecords: -1})
	read := now
	require.NoError(t, s.Delete(t.Context(), "k", now))
	for i := range 100 {
		require.NoError(t, s.Set(t.Context(), fmt.Sprint("key-", i), freshet.Record{ReadAt: now}))
	}
	require.Equal(t, 101, s.Len())
	now = now.Add(10*time.Minute - 1)
	require.NoError(t, s.Set(t.Context(), "k", freshet.Record{ReadAt: read}))
	_, err := s.Get(t.Context(), "k")
	require.ErrorIs(t, err, freshet.ErrNotFound)
}
