package streams_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/freshet-go/freshet/streams"
	"github.com/freshet-go/freshet/streams/streamstest"
)

// randomReader subscribes in one way after another until stop, and answers chains of records: those of a chain go on
// from each other's tokens.
func randomReader(t *testing.T, c *toy, rng *rand.Rand, keys []string, stop <-chan struct{}) (chains [][]streamstest.Record[int]) {
	for {
		about := streamstest.Record[int]{Name: fmt.Sprintf("reader %d", rng.Uint32())}
		var opts []streams.Option
		switch rng.IntN(4) {
		case 0:
			opts = append(opts, streams.Prefix("b"))
			about.Wants = func(e streams.Event[int]) bool { return strings.HasPrefix(e.Key, "b") }
		case 1:
			mine := map[string]bool{}
			for range 1 + rng.IntN(4) {
				key := keys[rng.IntN(len(keys))]
				mine[key] = true
				opts = append(opts, streams.Keys(key))
			}
			about.Wants = func(e streams.Event[int]) bool { return mine[e.Key] }
		}
		opts = append(opts, streams.OnOverflow(streams.Overflow(rng.IntN(3))))
		first := opts
		if rng.IntN(2) == 0 {
			first = append(first[:len(first):len(first)], streams.WithSnapshot())
			about.Snapshot = true
		}
		var chain []streamstest.Record[int]
		var token streams.Token
		for attempt := range 1 + rng.IntN(4) {
			use := first
			if attempt > 0 {
				if token == "" {
					break
				}
				use = append(slices.Clone(opts), streams.Since(token))
			}
			one, ok := randomRead(t, c, rng, about, use, attempt > 0, stop)
			if !ok {
				break
			}
			chain, token = append(chain, one.record), one.token
			about.Snapshot = false
		}
		chains = append(chains, chain)
		select {
		case <-stop:
			return chains
		default:
		}
	}
}

type readOnce struct {
	record streamstest.Record[int]
	token  streams.Token
}

func randomRead(t *testing.T, c *toy, rng *rand.Rand, about streamstest.Record[int], opts []streams.Option, resumes bool,
	stop <-chan struct{},
) (readOnce, bool) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c.still.Lock() // so that it is known where it began
	s, err := c.Subscribe(ctx, opts...)
	about.After = c.Revision()
	c.still.Unlock()
	if err != nil {
		if !resumes || !errors.Is(err, streams.ErrCompacted) {
			t.Error(err)
		}
		return readOnce{}, false
	}
	defer s.Close()
	if !about.Snapshot {
		about.After = s.Revision()
	}
	r := streamstest.NewRecorder(about)
	lazy := rng.IntN(3) * rng.IntN(200)
	for left := rng.IntN(3000); left > 0; left-- {
		select {
		case <-stop:
			left = min(left, 50)
		default:
		}
		wait, done := context.WithTimeout(ctx, time.Millisecond)
		e, err := s.Next(wait)
		done()
		if errors.Is(err, context.DeadlineExceeded) {
			break
		}
		if err != nil {
			r.End(err)
			break
		}
		r.AddAt(e, s.Token())
		for range lazy {
			runtime.Gosched()
		}
	}
	return readOnce{record: r.Record(), token: s.Token()}, true
}
