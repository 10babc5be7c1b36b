package batch_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/source/batch"
)

func requests(keys ...string) []request {
	rs := make([]request, len(keys))
	for i, key := range keys {
		rs[i].Key = key
	}
	return rs
}

// GetMany of a cache goes straight through: no window, calls of Max keys.
func TestGetManyGoesStraightThrough(t *testing.T) {
	o := &origin{f: all}
	bubble(t, o, config{Window: time.Hour, Max: 10}, func(t *testing.T, s *batch.Source[string]) {
		c, err := freshet.New(freshet.Config[string]{Name: "test", Source: s})
		require.NoError(t, err)
		begun := time.Now()
		found, err := c.GetMany(bg, append(names(25), "000"))
		require.NoError(t, err)
		require.Len(t, found, 25)
		require.Zero(t, time.Since(begun))
		sizes := []int{}
		for _, call := range o.made() {
			sizes = append(sizes, len(call))
		}
		slices.Sort(sizes)
		require.Equal(t, []int{5, 10, 10}, sizes)
		require.NoError(t, c.Close(bg))
	})
}

// A key that two caches demand holding different values is asked for without
// a validator: Unchanged would mean two things.
func TestAKeyDemandedTwiceIsAskedForOnce(t *testing.T) {
	held := func(seq uint64, validator string) *freshet.Snapshot[string] {
		return &freshet.Snapshot[string]{Seq: seq, Validator: validator}
	}
	for _, c := range []struct {
		a, b *freshet.Snapshot[string]
		kept bool
	}{
		{nil, nil, true}, {held(1, "x"), held(1, "x"), true}, {held(1, "x"), held(2, "x"), false},
		{held(1, "x"), held(1, "y"), false}, {held(1, "x"), nil, false}, {nil, held(1, "x"), false},
	} {
		synctest.Test(t, func(t *testing.T) {
			var got []request
			s, err := batch.New(config{Fetch: func(_ context.Context, rs []request) (map[string]response, error) {
				got = rs
				return map[string]response{"k": {}}, nil
			}})
			require.NoError(t, err)
			var wg sync.WaitGroup
			for i, last := range []*freshet.Snapshot[string]{c.a, c.b} {
				wg.Go(func() { _, _ = s.Fetch(bg, request{Key: "k", Seq: uint64(i) + 1, Last: last}) })
			}
			wg.Wait()
			require.Len(t, got, 1)
			require.Equal(t, uint64(2), got[0].Seq)
			if c.kept {
				require.Equal(t, c.a, got[0].Last)
			} else {
				require.Nil(t, got[0].Last)
			}
			require.NoError(t, s.Close(bg))
		})
	}
}

func TestFetchManyAsksForAKeyOnce(t *testing.T) {
	o := &origin{f: all}
	bubble(t, o, config{}, func(t *testing.T, s *batch.Source[string]) {
		found, err := s.FetchMany(bg, requests("a", "b", "a"))
		require.NoError(t, err)
		require.Len(t, found, 2)
		require.Equal(t, [][]string{{"a", "b"}}, o.made())
		found, err = s.FetchMany(bg, nil)
		require.NoError(t, err)
		require.Empty(t, found)
		require.Len(t, o.made(), 1)
	})
}
