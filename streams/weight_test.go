package streams_test

import (
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/streams"
)

// M1: the history's weight is bounded, but for the newest few events, and what
// was given up for it is told like what was overwritten.
func TestM1_TheHistoryGivesUpItsOldestForTheirWeight(t *testing.T) {
	const most, heaviest = 100, 30
	l, err := streams.NewLog(streams.LogConfig[int]{Cache: "c", History: 64, MaxWeight: most})
	require.NoError(t, err)
	first, err := l.Subscribe(t.Context(), streams.OnOverflow(streams.Disconnect))
	require.NoError(t, err)
	defer first.Close()
	token := first.Token()

	var weights []uint64
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 1000 {
		w := uint32(r.IntN(heaviest))
		l.Append(&streams.Event[int]{Key: "k", After: &i}, w, nil)
		weights = append(weights, uint64(w))
		oldest := l.Stats().Oldest
		sum := uint64(0)
		for _, w := range weights[oldest-1:] {
			sum += w
		}
		require.Equal(t, sum, l.Weight(), "the weight is that of what is kept")
		require.LessOrEqual(t, l.Weight(), uint64(most+8*heaviest))
		require.LessOrEqual(t, l.Revision()-oldest+1, uint64(64))
	}
	_, err = first.Next(t.Context())
	require.ErrorIs(t, err, streams.ErrLagged)
	_, err = l.Subscribe(t.Context(), streams.Since(token))
	var compacted *streams.CompactedError
	require.True(t, errors.As(err, &compacted))
	require.Equal(t, l.Stats().Oldest, compacted.Oldest)
}

// Readers that are inside what is given up see whole events or an explicit gap.
func TestStressM1_ReadersOfWhatIsGivenUp(t *testing.T) {
	const events, readers = 20_000, 4
	l, err := streams.NewLog(streams.LogConfig[int]{Cache: "c", History: 256, MaxWeight: 500})
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range readers {
		s, err := l.Subscribe(t.Context(), streams.OnOverflow(streams.DropOldest))
		require.NoError(t, err)
		wg.Go(func() {
			defer s.Close()
			next := uint64(1)
			for e, err := range s.Events() {
				if err != nil {
					require.ErrorIs(t, err, streams.ErrClosed)
					return
				}
				switch {
				case e.Kind == streams.Gap:
					if e.From != next {
						t.Errorf("a gap from %d, want %d", e.From, next)
						return
					}
					next = e.To + 1
				case e.Revision != next || e.After == nil || uint64(*e.After) != next:
					t.Errorf("event %d with %v, want %d", e.Revision, e.After, next)
					return
				default:
					next++
				}
			}
		})
	}
	for i := 1; i <= events; i++ {
		l.Append(&streams.Event[int]{Key: "k", After: &i}, uint32(i%50), nil)
	}
	l.Close()
	wg.Wait()
}
