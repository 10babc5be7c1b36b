package streams_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/streams"
	"github.com/freshet-go/freshet/streams/streamstest"
)

// record reads s until it has delivered revision until, or ended.
func record(tb testing.TB, s *streams.Subscription[int], about streamstest.Record[int], until uint64) streamstest.Record[int] {
	tb.Helper()
	r := streamstest.NewRecorder(about)
	synced := !about.Snapshot
	for {
		e, err := s.Next(tb.Context())
		if err != nil {
			r.End(err)
			return r.Record()
		}
		r.AddAt(e, s.Token())
		synced = synced || e.Kind == streams.Synced
		if synced && (e.Revision >= until || s.Lag() == 0) {
			return r.Record()
		}
	}
}

func validate(tb testing.TB, r streamstest.Record[int], truth []streams.Event[int]) {
	tb.Helper()
	require.NoError(tb, streamstest.Ordered(r))
	require.NoError(tb, streamstest.Unique(r))
	require.NoError(tb, streamstest.ReliableOrTold(r, truth))
	require.NoError(tb, streamstest.SnapshotThenTail(r, truth))
}

func TestS5_ValuesThenSyncedThenTheTail(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{})
	for i := range 200 {
		c.set(fmt.Sprint("k", i%150), i)
	}
	c.remove("k3")
	s := subscribe(t, c, streams.WithSnapshot(), streams.Kinds(streams.Deleted))
	all := subscribe(t, c, streams.WithSnapshot())
	boundary := c.Revision()
	c.set("k5", 1000)
	c.remove("k7")
	require.Empty(t, s.Token())
	values := map[string]uint64{}
	for range 148 { // 150 keys, two of them removed
		e := next(t, s)
		require.Equal(t, streams.Loaded, e.Kind, "values come whatever Kinds says")
		require.Empty(t, e.Token())
		require.Empty(t, s.Token())
		values[e.Key] = e.Revision
	}
	require.Len(t, values, 148)
	require.Equal(t, boundary+1, values["k5"], "a value may be newer than the boundary")
	e := next(t, s)
	require.Equal(t, streams.Synced, e.Kind)
	require.Equal(t, boundary, e.Revision)
	require.Equal(t, e.Token(), s.Token())
	require.NotEmpty(t, s.Token())
	require.Equal(t, boundary+2, next(t, s).Revision)

	r := record(t, all, streamstest.Record[int]{Snapshot: true, After: boundary}, boundary+2)
	validate(t, r, c.history())
	for _, e := range r.Events[149:] {
		require.NotEqual(t, boundary+1, e.Revision, "contained in the value")
	}
}

func TestS5_AnEmptyCacheIsSyncedAtOnce(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{})
	s := subscribe(t, c, streams.WithSnapshot(), streams.Keys("none"))
	e := next(t, s)
	require.Equal(t, streams.Synced, e.Kind)
	require.Zero(t, e.Revision)
	c.set("none", 1)
	require.EqualValues(t, 1, next(t, s).Revision)
}

func TestS5_ChangesWhileScanningComeExactlyOnce(t *testing.T) {
	// Every value that is asked for finds the cache changed meanwhile: values newer, older, gone and come back.
	for _, opts := range [][]streams.Option{
		{}, {streams.Prefix("a")}, {streams.Keys("a0", "a1", "a2", "b1")}, {streams.OnOverflow(streams.Resync)},
	} {
		c := newToy(t, streams.LogConfig[int]{History: 4096})
		for i := range 40 {
			c.set(fmt.Sprint("a", i%20), i)
			c.set(fmt.Sprint("b", i%20), i)
		}
		s := subscribe(t, c, append(opts, streams.WithSnapshot())...)
		after, n := c.Revision(), 0
		c.onScan = func([]string) {
			for i := range 30 {
				n++
				key := fmt.Sprint([]string{"a", "b"}[n%2], (n*7)%23)
				if i%5 == 0 {
					c.remove(key)
				} else {
					c.set(key, n)
				}
			}
		}
		wants := func(e streams.Event[int]) bool { return true }
		if len(opts) > 0 {
			wants = map[string]func(e streams.Event[int]) bool{
				"a": func(e streams.Event[int]) bool { return e.Key[0] == 'a' },
			}["a"]
			if c.Subscriptions()[0].Keys > 0 {
				wants = func(e streams.Event[int]) bool {
					return e.Key == "a0" || e.Key == "a1" || e.Key == "a2" || e.Key == "b1"
				}
			} else if c.Subscriptions()[0].Prefix == "" {
				wants = nil
			}
		}
		about := streamstest.Record[int]{Snapshot: true, After: after, Wants: wants}
		r := streamstest.NewRecorder(about)
		for synced := false; !synced; {
			e := next(t, s)
			r.AddAt(e, s.Token())
			synced = e.Kind == streams.Synced
		}
		c.onScan = nil
		last := c.set("a0", 1)
		for {
			e := next(t, s)
			r.AddAt(e, s.Token())
			if e.Revision == last {
				break
			}
		}
		validate(t, r.Record(), c.history())
	}
}

func TestS5_LappedWhileScanningScansAgain(t *testing.T) { // behaviour 37
	for _, opts := range [][]streams.Option{{}, {streams.Keys("k0", "k1", "k2")}} {
		for laps := range 5 {
			c := newToy(t, streams.LogConfig[int]{History: 8})
			for i := range 100 {
				c.set(fmt.Sprint("k", i), i)
			}
			s := subscribe(t, c, append(opts, streams.WithSnapshot())...)
			left := laps
			c.onScan = func(keys []string) {
				if len(keys) == 0 || left == 0 {
					return
				}
				left--
				for i := range 60 { // more than history and feed hold
					c.set(fmt.Sprint("k", i%3), i)
				}
			}
			r := record(t, s, streamstest.Record[int]{Snapshot: true, After: 100}, 100+60*uint64(laps))
			if laps >= 3 {
				require.ErrorIs(t, r.Err, streams.ErrLagged)
				continue
			}
			require.NoError(t, r.Err)
			gaps := 0
			for _, e := range r.Events {
				if e.Kind == streams.Gap {
					gaps++
				}
			}
			require.Equal(t, laps, gaps, "whoever has values of an attempt is told to drop them")
			if len(opts) > 0 {
				r.Wants = func(e streams.Event[int]) bool { return e.Key == "k0" || e.Key == "k1" || e.Key == "k2" }
			}
			validate(t, r, c.history())
		}
	}
}

func TestS5_LappedBeforeTheFirstValueIsNobodysBusiness(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{History: 8})
	s := subscribe(t, c, streams.WithSnapshot())
	for i := range 100 {
		c.set("k", i)
	}
	require.EqualValues(t, 100, next(t, s).Revision)
	e := next(t, s)
	require.Equal(t, streams.Synced, e.Kind)
	require.EqualValues(t, 100, e.Revision)
}

func TestS5_AReaderThatStopsHalfWayHoldsNothing(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{})
	for i := range 1000 {
		c.set(fmt.Sprint("k", i), i)
	}
	before := runtime.NumGoroutine()
	s := subscribe(t, c, streams.WithSnapshot())
	for range 100 {
		next(t, s)
	}
	require.LessOrEqual(t, runtime.NumGoroutine(), before)
	done := make(chan struct{})
	go func() { s.Close(); close(done) }() // from another goroutine
	<-done
	_, err := s.Next(t.Context())
	require.ErrorIs(t, err, streams.ErrClosed)
}

func TestS5_TheTailGoesOnWhereTheSnapshotEnded(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{})
	c.set("a", 1)
	c.set("b", 1)
	s := subscribe(t, c, streams.WithSnapshot())
	for e := next(t, s); e.Kind != streams.Synced; e = next(t, s) {
	}
	token := s.Token()
	s.Close()
	c.set("a", 2)
	require.EqualValues(t, 3, next(t, subscribe(t, c, streams.Since(token))).Revision)
}
