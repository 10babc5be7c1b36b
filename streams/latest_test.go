package streams_test

import (
	"context"
	"fmt"
	"maps"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/streams"
)

func TestLatestFollowsTheCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newToy(t, streams.LogConfig[int]{})
		for i := range 10 {
			c.set(fmt.Sprint("k", i), i)
		}
		v, err := streams.Latest(subscribe(t, c, streams.WithSnapshot()))
		require.NoError(t, err)
		require.NoError(t, v.Wait(t.Context()))
		require.Equal(t, 10, v.Len())
		require.EqualValues(t, 10, v.Revision())

		c.set("k3", 33)
		c.remove("k4")
		c.change(event{Key: "k6", Kind: streams.Missing})
		c.change(event{Key: "k7", Kind: streams.Evicted})
		synctest.Wait()
		require.Equal(t, map[string]int{"k0": 0, "k1": 1, "k2": 2, "k3": 33, "k5": 5, "k8": 8, "k9": 9}, maps.Collect(v.All()))
		have, ok := v.Get("k3")
		require.True(t, ok)
		require.Equal(t, 33, have)
		_, ok = v.Get("k4")
		require.False(t, ok)
		require.NoError(t, v.Err())

		v.Close()
		v.Close()
		require.ErrorIs(t, v.Err(), streams.ErrClosed)
		require.Equal(t, 7, v.Len(), "it keeps what it had")
	})
}

// changes are all kinds that tell of a resource.
func changes() []streams.Kind {
	var all []streams.Kind
	for k := streams.Loaded; !k.Control(); k++ {
		all = append(all, k)
	}
	return all
}

// A kind says why; After says what is visible (W2, W5): under an Optimistic delete nothing, after a RolledBack one the
// value again, after a Deleted that a later mutation lies upon that mutation's.
func TestLatestFollowsAfterWhateverTheKind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newToy(t, streams.LogConfig[int]{})
		early, err := streams.Latest(subscribe(t, c, streams.WithSnapshot()))
		require.NoError(t, err)
		defer early.Close()
		want := make(map[string]int)
		for i, kind := range changes() {
			for _, key := range []string{"stays", "goes", "comes"} {
				c.set(key+kind.String(), i)
			}
			value := 100 + i
			c.change(event{Key: "stays" + kind.String(), Kind: kind, After: &value})
			c.change(event{Key: "goes" + kind.String(), Kind: kind, Before: &i})
			c.change(event{Key: "comes" + kind.String(), Kind: kind, Before: &i})
			c.change(event{Key: "comes" + kind.String(), Kind: kind, After: &value})
			want["stays"+kind.String()], want["comes"+kind.String()] = value, value
		}
		late, err := streams.Latest(subscribe(t, c, streams.WithSnapshot()))
		require.NoError(t, err)
		defer late.Close()
		synctest.Wait()
		require.Equal(t, want, maps.Collect(early.All()), "by the tail")
		require.Equal(t, want, maps.Collect(late.All()), "by the snapshot")
	})
}

func TestLatestShowsAResyncAsAWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newToy(t, streams.LogConfig[int]{History: 4})
		c.set("a", 1)
		c.set("b", 1)
		v, err := streams.Latest(subscribe(t, c, streams.WithSnapshot(), streams.OnOverflow(streams.Resync)))
		require.NoError(t, err)
		require.NoError(t, v.Wait(t.Context()))
		var scans atomic.Int32
		written := make(chan struct{})
		c.onScan = func([]string) { // in the middle of the new snapshot the old state stands
			scans.Add(1)
			_, ok := v.Get("b")
			require.True(t, ok)
			<-written // or it would be lapped again and again, and give up
		}
		c.remove("a")
		for scans.Load() == 0 { // until it is lapped
			for i := range 100 {
				c.set("c", i)
			}
		}
		close(written)
		synctest.Wait()
		require.Equal(t, map[string]int{"b": 1, "c": 99}, maps.Collect(v.All()))
		v.Close()
	})
}

func TestLatestRefusesWhatItCannotFollow(t *testing.T) {
	_, err := streams.Latest[int](nil)
	require.ErrorContains(t, err, "error of Watch", "who overlooked it is told")
	c := newToy(t, streams.LogConfig[int]{})
	for _, opts := range [][]streams.Option{
		nil, {streams.WithSnapshot(), streams.OnOverflow(streams.DropOldest)}, {streams.WithSnapshot(), streams.Kinds(streams.Updated)},
	} {
		s := subscribe(t, c, opts...)
		_, err := streams.Latest(s)
		require.ErrorContains(t, err, "Latest needs")
		require.NoError(t, s.Err())
	}
	s := subscribe(t, c, streams.WithSnapshot())
	s.Close()
	v, err := streams.Latest(s)
	require.NoError(t, err)
	require.ErrorIs(t, v.Wait(t.Context()), streams.ErrClosed)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	v, err = streams.Latest(subscribe(t, c, streams.WithSnapshot(), streams.Keys("k")))
	require.NoError(t, err)
	defer v.Close()
	if err := v.Wait(ctx); err != nil { // it may be ready by now
		require.ErrorIs(t, err, context.Canceled)
	}
}
