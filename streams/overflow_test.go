package streams_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/streams"
	"github.com/freshet-go/freshet/streams/streamstest"
)

func TestS9_DisconnectSaysWhatIsLostAndWhereToGoOn(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{History: 4})
	s := subscribe(t, c)
	c.set("k", 0)
	next(t, s)
	for i := range 9 {
		c.set("k", i)
	}
	_, err := s.Next(t.Context())
	require.ErrorIs(t, err, streams.ErrLagged)
	require.Equal(t, err, s.Err())
	require.ErrorContains(t, err, "toy")
	var lag *streams.LaggedError
	require.ErrorAs(t, err, &lag)
	require.EqualValues(t, []uint64{2, 6}, []uint64{lag.From, lag.To})
	require.Equal(t, upTo(7, 10), revisions(t, subscribe(t, c, streams.Since(lag.Token)), 4))

	_, err = c.Subscribe(t.Context(), streams.Since(s.Token())) // the last place before the loss
	require.ErrorIs(t, err, streams.ErrCompacted)
}

func TestS9_DropOldestTellsTheGapAndGoesOn(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{History: 4})
	s := subscribe(t, c, streams.OnOverflow(streams.DropOldest))
	for range 3 {
		from := c.Revision() + 1
		for i := range 9 {
			c.set("k", i)
		}
		e := next(t, s)
		require.Equal(t, streams.Gap, e.Kind)
		require.Equal(t, []uint64{from, from + 4, from + 4}, []uint64{e.From, e.To, e.Revision})
		require.False(t, e.At.IsZero())
		require.Equal(t, "toy", e.Cache)
		require.Equal(t, e.Token(), s.Token())
		resumed := subscribe(t, c, streams.Since(e.Token()))
		require.Equal(t, upTo(from+5, from+8), revisions(t, resumed, 4))
		require.Equal(t, upTo(from+5, from+8), revisions(t, s, 4))
	}
	require.EqualValues(t, 3, c.Stats().Laps)
}

func TestS9_ResyncDropsTheStateAndBuildsItAgain(t *testing.T) {
	for _, opts := range [][]streams.Option{nil, {streams.Keys("a", "b", "z")}} {
		c := newToy(t, streams.LogConfig[int]{History: 4})
		s := subscribe(t, c, append(opts, streams.OnOverflow(streams.Resync))...)
		first := s.Token()
		require.NotEmpty(t, first)
		c.set("a", 1)
		c.set("b", 1)
		require.Equal(t, upTo(1, 2), revisions(t, s, 2))
		for i := range 40 {
			c.set("a", i)
		}
		c.remove("b")
		e := next(t, s)
		require.Equal(t, streams.Gap, e.Kind)
		require.Equal(t, []uint64{3, 43}, []uint64{e.From, e.To})
		require.Empty(t, e.Token())
		require.Empty(t, s.Token())
		c.set("z", 7) // after the boundary: it comes with the values, and then not once more
		e = next(t, s)
		require.Equal(t, "a", e.Key)
		require.EqualValues(t, 42, e.Revision)
		require.Equal(t, streams.Loaded, e.Kind)
		e = next(t, s)
		if e.Kind != streams.Synced { // the key was there when the values were asked for
			require.Equal(t, "z", e.Key)
			require.EqualValues(t, 44, e.Revision)
			e = next(t, s)
		}
		require.Equal(t, streams.Synced, e.Kind)
		require.EqualValues(t, 43, e.Revision)
		require.Equal(t, e.Token(), s.Token())
		last := c.set("z", 8)
		e = next(t, s)
		if e.Revision == 44 {
			e = next(t, s)
		}
		require.Equal(t, last, e.Revision)
	}
}

func TestS9_AResyncIsSyncedHoweverSlowItsReader(t *testing.T) {
	for _, opts := range [][]streams.Option{nil, {streams.Keys("k0", "k1", "k2")}, {streams.Prefix("k")}} {
		c := newToy(t, streams.LogConfig[int]{History: 8})
		lap := func() {
			for i := range 60 { // more than history and feeds hold
				c.set(fmt.Sprint("k", i%3), i)
			}
		}
		lap()
		s := subscribe(t, c, append(opts, streams.OnOverflow(streams.Resync))...)
		lap()
		for range 20 {
			e := next(t, s)
			require.Equal(t, streams.Gap, e.Kind)
			require.Empty(t, s.Token())
			lap()
			for range 3 {
				require.Equal(t, streams.Loaded, next(t, s).Kind)
				require.Empty(t, s.Token())
				lap()
			}
			e = next(t, s)
			require.Equal(t, streams.Synced, e.Kind)
			require.Equal(t, e.Token(), s.Token())
			lap()
		}
	}
}

// TestS3_SlowWatchersSeeTheSequenceOrAGap has 256 watchers on a history of next to nothing.
func TestS3_SlowWatchersSeeTheSequenceOrAGap(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{History: 8})
	const n = 2000
	var wg sync.WaitGroup
	recorders := make([]*streamstest.Recorder[int], 256)
	for i := range recorders {
		recorders[i] = streamstest.NewRecorder(streamstest.Record[int]{Name: "slow"})
		s, err := c.Subscribe(context.Background(), streams.OnOverflow(streams.DropOldest))
		require.NoError(t, err)
		wg.Go(func() {
			for e, err := range recorders[i].Tap(s.Events()) {
				if err != nil {
					return
				}
				for range i % 4 * 10 { // some are slower than others
					_ = s.Lag()
				}
				if e.Revision == n {
					return
				}
			}
		})
	}
	for i := range n {
		c.set("k", i)
	}
	wg.Wait()
	for _, r := range recorders {
		record := r.Record()
		require.NoError(t, streamstest.Ordered(record))
		require.NoError(t, streamstest.Unique(record))
		require.NoError(t, streamstest.ReliableOrTold(record, c.history()))
		require.EqualValues(t, n, record.Events[len(record.Events)-1].Revision)
	}
}
