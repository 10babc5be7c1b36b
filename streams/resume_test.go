package streams_test

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/reactivex/rxgo/v2"
	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/streams"
)

func TestS4_ThreeAnswersForThreeWrongTokens(t *testing.T) { // behaviour 35
	c := newToy(t, streams.LogConfig[int]{History: 10, Epoch: 1})
	s := subscribe(t, c)
	begin := s.Token()
	c.set("k", 0)
	first := next(t, s).Token()
	require.Equal(t, first, s.Token())
	for i := range 10 {
		c.set("k", i)
	}
	refused := func(token streams.Token) error {
		t.Helper()
		_, err := c.Subscribe(t.Context(), streams.Since(token))
		require.Error(t, err)
		rx := c.Observable(streams.Since(token))
		for range 2 { // every observer is told
			item, ok := <-rx.Observe(rxgo.WithContext(t.Context()))
			require.True(t, ok && item.Error())
			require.ErrorContains(t, item.E, "observe")
		}
		return err
	}
	// Compacted, with the oldest revision. The place just before the oldest is good.
	require.Equal(t, upTo(2, 11), revisions(t, subscribe(t, c, streams.Since(first)), 10))
	err := refused(begin)
	require.ErrorIs(t, err, streams.ErrCompacted)
	var old *streams.CompactedError
	require.ErrorAs(t, err, &old)
	require.EqualValues(t, 2, old.Oldest)
	require.ErrorContains(t, err, "revision 2")

	// Another life of the same cache; another cache of the same epoch.
	for _, cfg := range []streams.LogConfig[int]{{Epoch: 2, Cache: "toy"}, {Epoch: 1, Cache: "other"}} {
		require.ErrorIs(t, refused(subscribe(t, newLog(t, cfg)).Token()), streams.ErrEpoch)
	}

	// The future: the same cache and epoch, further on.
	twin := newToy(t, streams.LogConfig[int]{Epoch: 1})
	for i := range 12 {
		twin.set("k", i)
	}
	require.ErrorIs(t, refused(subscribe(t, twin).Token()), streams.ErrFuture)

	// Rubbish, a mangled token included: changing any letter makes it rubbish, or somebody else's.
	require.Regexp(t, regexp.MustCompile(`^[A-Za-z0-9_-]+$`), string(first))
	for _, token := range []streams.Token{"x", first[1:], first + "A", streams.Token([]byte{0, 1, 2}), first + "\n", "AAAAAAAAAAAAAAAAAAAAAAAA"} {
		require.ErrorIs(t, refused(token), streams.ErrToken)
	}
	wrong := 0
	for i := range first {
		for _, letter := range []byte("AZaz09-_") {
			mangled := []byte(first)
			mangled[i] = letter
			if streams.Token(mangled) == first {
				continue
			}
			if s, err := c.Subscribe(t.Context(), streams.Since(streams.Token(mangled))); err == nil {
				s.Close()
				wrong++
			}
		}
	}
	require.Zero(t, wrong)
}

func TestS4_ResumeMissesNothingAndRepeatsNothing(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{History: 200})
	for _, opts := range [][]streams.Option{nil, {streams.Prefix("a")}, {streams.Keys("a1", "a3")}} {
		whole := subscribe(t, c, opts...)
		token := whole.Token()
		for i := range 100 {
			c.set(fmt.Sprint([]string{"a", "b"}[i%2], i%5), i)
		}
		last := c.set("a3", 100)
		var want, have []uint64
		for len(want) == 0 || want[len(want)-1] < last {
			want = append(want, next(t, whole).Revision)
		}
		for len(have) < len(want) { // a subscription for every event
			s := subscribe(t, c, append(opts, streams.Since(token))...)
			have = append(have, next(t, s).Revision)
			token = s.Token()
			s.Close()
		}
		require.Equal(t, want, have)
	}
}

func TestS4_CompactionAtTheBoundaryLosesNoDelete(t *testing.T) {
	for extra := range 5 {
		c := newToy(t, streams.LogConfig[int]{History: 4})
		s := subscribe(t, c)
		c.set("k", 1)
		next(t, s)
		token := s.Token()
		c.remove("k")
		for i := range extra {
			c.set("l", i)
		}
		resumed, err := c.Subscribe(t.Context(), streams.Since(token))
		if extra < 4 { // the delete is within the history, up to its very edge
			require.NoError(t, err)
			require.Equal(t, streams.Deleted, next(t, resumed).Kind)
			resumed.Close()
			require.Equal(t, streams.Deleted, next(t, s).Kind)
			continue
		}
		require.ErrorIs(t, err, streams.ErrCompacted)
		_, err = s.Next(t.Context())
		require.ErrorIs(t, err, streams.ErrLagged)
	}
}
