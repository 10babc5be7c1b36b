package streams_test

import (
	"context"
	"flag"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/freshet-go/freshet/streams"
)

func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || strings.HasPrefix(f.Name, "rapid.") })
	if !given { // rapid's own defaults are for slower work
		_ = flag.Set("rapid.checks", "1000")
		_ = flag.Set("rapid.steps", "60")
	}
	goleak.VerifyTestMain(m)
}

// toy is the least that can stand behind a Log: a map that changes in the log's critical section, and the truth.
type toy struct {
	*streams.Log[int]

	still sync.RWMutex // held by whoever wants nothing to change

	mu     sync.Mutex
	values map[string]streams.Event[int]
	truth  []streams.Event[int]

	forget bool                // keep no truth
	onScan func(keys []string) // runs before a scan yields anything
}

func newToy(tb testing.TB, cfg streams.LogConfig[int]) *toy {
	tb.Helper()
	c := &toy{values: make(map[string]streams.Event[int])}
	if cfg.Cache == "" {
		cfg.Cache = "toy"
	}
	cfg.Scan = c.scan
	log, err := streams.NewLog(cfg)
	require.NoError(tb, err)
	c.Log = log
	return c
}

func (c *toy) change(e streams.Event[int]) uint64 {
	c.still.RLock()
	defer c.still.RUnlock()
	return c.Append(&e, 1, func(revision uint64) {
		c.mu.Lock()
		defer c.mu.Unlock()
		e := e
		e.Revision, e.Cache = revision, "toy"
		if e.After == nil {
			delete(c.values, e.Key)
		} else {
			value := e
			value.Kind = streams.Loaded
			c.values[e.Key] = value
		}
		if !c.forget {
			c.truth = append(c.truth, e)
		}
	})
}

func (c *toy) set(key string, v int) uint64 {
	return c.change(streams.Event[int]{Key: key, Kind: streams.Updated, After: &v})
}

func (c *toy) remove(key string) uint64 {
	return c.change(streams.Event[int]{Key: key, Kind: streams.Deleted})
}

func (c *toy) scan(keys []string, prefix string) iter.Seq[streams.Event[int]] {
	return func(yield func(streams.Event[int]) bool) {
		if c.onScan != nil {
			c.onScan(keys)
		}
		if len(keys) == 0 {
			c.mu.Lock()
			keys = slices.Sorted(maps.Keys(c.values))
			c.mu.Unlock()
		}
		for _, key := range keys {
			c.mu.Lock()
			e, ok := c.values[key]
			c.mu.Unlock()
			if ok && strings.HasPrefix(key, prefix) && !yield(e) {
				return
			}
		}
	}
}

func (c *toy) history() []streams.Event[int] {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.truth)
}

func subscribe(tb testing.TB, l interface {
	Subscribe(context.Context, ...streams.Option) (*streams.Subscription[int], error)
}, opts ...streams.Option) *streams.Subscription[int] {
	tb.Helper()
	s, err := l.Subscribe(context.Background(), opts...)
	require.NoError(tb, err)
	tb.Cleanup(s.Close)
	return s
}

// next is the next event, which is there already.
func next(tb testing.TB, s *streams.Subscription[int]) streams.Event[int] {
	tb.Helper()
	ctx, cancel := contextFor(tb, 40*time.Second) // longer than the silence before a Bookmark
	defer cancel()
	e, err := s.Next(ctx)
	require.NoError(tb, err)
	return e
}

// revisions takes n events.
func revisions(tb testing.TB, s *streams.Subscription[int], n int) []uint64 {
	tb.Helper()
	var out []uint64
	for range n {
		out = append(out, next(tb, s).Revision)
	}
	return out
}

func upTo(from, to uint64) []uint64 {
	var out []uint64
	for i := from; i <= to; i++ {
		out = append(out, i)
	}
	return out
}

func contextFor(tb testing.TB, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(tb.Context(), d)
}
