package streams_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/streams"
	"github.com/freshet-go/freshet/streams/streamstest"
)

var (
	seed   = flag.Uint64("streams.seed", 0, "of the randomized run; 0: drawn")
	events = flag.Int("streams.events", 30000, "of the randomized run")
)

// TestS8_NoWakeIsLost plays ping-pong. A wake that is lost shows when the ball is away for long.
func TestS8_NoWakeIsLost(t *testing.T) {
	for _, opts := range [][]streams.Option{nil, {streams.Keys("k")}, {streams.Keys("j", "k", "l")}} {
		c := newToy(t, streams.LogConfig[int]{})
		c.forget = true
		const players, rounds = 3, 6000
		var wg sync.WaitGroup
		got := make(chan uint64, players)
		ctx, cancel := contextFor(t, 20*time.Second)
		defer cancel()
		for range players {
			s := subscribe(t, c, opts...)
			wg.Go(func() {
				for range rounds {
					e, err := s.Next(ctx)
					if err != nil {
						got <- 0
						return
					}
					got <- e.Revision
				}
			})
		}
		for i := range rounds {
			for range i % 7 { // now before, now while, now after they lie down
				runtime.Gosched()
			}
			revision := c.set("k", i)
			for range players {
				require.Equal(t, revision, <-got)
			}
		}
		wg.Wait()
	}
}

// TestS8_NoWakeIsLostAmongMany appends one event at a time to readers of every sort, of whom some give up a wait just
// as they are woken, and are to wake others. Each event must reach all before the next.
func TestS8_NoWakeIsLostAmongMany(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{})
	c.forget = true
	sorts := [][]streams.Option{nil, {streams.Keys("k")}, {streams.Keys("j", "k", "l")}, {streams.Prefix("k")}}
	const players = 24
	var (
		wg   sync.WaitGroup
		left atomic.Int64
		all  = make(chan struct{}, 1)
	)
	for i := range players {
		s := subscribe(t, c, sorts[i%len(sorts)]...)
		wg.Go(func() {
			impatient := rand.New(rand.NewPCG(uint64(i), 1)) //nolint:gosec // a test
			for {
				ctx, cancel := t.Context(), context.CancelFunc(func() {})
				if i%3 == 0 {
					ctx, cancel = context.WithTimeout(ctx, time.Duration(impatient.IntN(100))*time.Microsecond)
				}
				_, err := s.Next(ctx)
				cancel()
				switch {
				case err == nil:
					if left.Add(-1) == 0 {
						all <- struct{}{}
					}
				case errors.Is(err, streams.ErrClosed):
					return
				}
			}
		})
	}
	for i := range 1000 {
		for range i % 7 {
			runtime.Gosched()
		}
		left.Store(players)
		c.set("k", i)
		select {
		case <-all:
		case <-time.After(15 * time.Second): // less than the silence before a Bookmark, which would wake them
			t.Fatalf("event %d has not reached %d of %d: %+v", i, left.Load(), players, c.Stats())
		}
	}
	c.Close()
	wg.Wait()
}

// TestS1_SeveralKeysComeInOneOrder reads feeds while they are written.
func TestS1_SeveralKeysComeInOneOrder(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{History: 4})
	keys := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	const n = 40000
	mine := map[string]bool{"b": true, "d": true, "e": true, "h": true}
	wants := func(e streams.Event[int]) bool { return mine[e.Key] }
	var wg sync.WaitGroup
	var records []*streamstest.Recorder[int]
	for range 3 {
		r := streamstest.NewRecorder(streamstest.Record[int]{Name: "keys", Wants: wants})
		records = append(records, r)
		s := subscribe(t, c, streams.Keys("e", "b", "h", "d"), streams.OnOverflow(streams.DropOldest))
		wg.Go(func() {
			for e := range r.Tap(s.Events()) {
				if e.Revision >= n-8 {
					return
				}
			}
		})
	}
	for i := range n {
		c.set(keys[i*5%8], i)
		if i%64 == 0 {
			runtime.Gosched()
		}
	}
	wg.Wait()
	for _, r := range records {
		require.NoError(t, streamstest.Ordered(r.Record()))
		require.NoError(t, streamstest.Unique(r.Record()))
		require.NoError(t, streamstest.ReliableOrTold(r.Record(), c.history()))
	}
}

// TestS2_NoTornReads reads the smallest of rings, whose every chunk is reused at every append.
func TestS2_NoTornReads(t *testing.T) {
	for _, history := range []int{1, 2, 9, 512} {
		l := newLog(t, streams.LogConfig[int]{History: history})
		var wg sync.WaitGroup
		var done atomic.Bool
		for range 4 {
			s := subscribe(t, l, streams.OnOverflow(streams.DropOldest))
			wg.Go(func() {
				for e := range s.Events() {
					if e.Kind != streams.Gap && (e.After == nil || uint64(*e.After) != e.Revision || e.Seq != e.Revision) {
						t.Errorf("torn: %+v", e)
					}
					if done.Load() {
						return
					}
				}
			})
		}
		for i := range 200000 {
			v := i + 1
			l.Append(&streams.Event[int]{Key: "k", Kind: streams.Updated, Seq: uint64(v), After: &v}, 0, nil)
		}
		done.Store(true)
		l.Append(&streams.Event[int]{Key: "k", Kind: streams.Gap}, 0, nil)
		wg.Wait()
	}
}

// TestRandomizedHistoriesPassEveryValidator is the whole at once: writers, laggards, readers that cancel, resume, take
// snapshots and share. Run it longer with -streams.events, again with -streams.seed.
func TestRandomizedHistoriesPassEveryValidator(t *testing.T) {
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	t.Logf("-streams.seed=%d", s)
	root := rand.New(rand.NewPCG(s, 0))
	c := newToy(t, streams.LogConfig[int]{History: 16 << root.IntN(6)})
	keys := make([]string, 24)
	for i := range keys {
		keys[i] = fmt.Sprint([]string{"a", "b", "c"}[i%3], i)
	}
	stop := make(chan struct{})
	var writers, readers sync.WaitGroup
	for w := range 3 {
		rng := rand.New(rand.NewPCG(s, uint64(1000+w)))
		writers.Go(func() {
			for i := range *events / 3 {
				key := keys[min(rng.IntN(len(keys)), rng.IntN(len(keys)))]
				switch rng.IntN(10) {
				case 0:
					c.remove(key)
				case 1: // knowledge that changes nothing
					c.mu.Lock()
					e := c.values[key]
					c.mu.Unlock()
					c.change(streams.Event[int]{Key: key, Kind: streams.Failed, After: e.After, Err: errors.New("no")})
				default:
					c.set(key, i)
				}
				if rng.IntN(40) == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	var parts [][]streamstest.Record[int]
	var mu sync.Mutex
	for r := range 24 {
		rng := rand.New(rand.NewPCG(s, uint64(r)))
		readers.Go(func() {
			one := randomReader(t, c, rng, keys, stop)
			mu.Lock()
			defer mu.Unlock()
			parts = append(parts, one...)
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()

	truth := c.history()
	require.EqualValues(t, c.Revision(), len(truth))
	total, gaps, synced, resumed := 0, 0, 0, 0
	for _, chain := range parts {
		for _, r := range chain {
			total += len(r.Events)
			for _, e := range r.Events {
				switch e.Kind {
				case streams.Gap:
					gaps++
				case streams.Synced:
					synced++
				}
			}
			require.NoError(t, streamstest.Ordered(r))
			require.NoError(t, streamstest.Unique(r))
			require.NoError(t, streamstest.ReliableOrTold(r, truth))
			if r.Snapshot {
				require.NoError(t, streamstest.SnapshotThenTail(r, truth))
			}
		}
		if len(chain) > 1 {
			resumed += len(chain) - 1
			require.NoError(t, streamstest.Resumable(chain, truth))
		}
	}
	t.Logf("history %d: %d revisions, %d events delivered, %d gaps, %d snapshots, %d resumes, %d laps",
		c.Stats().Revision-c.Stats().Oldest+1, len(truth), total, gaps, synced, resumed, c.Stats().Laps)
}
