package actors

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// raiseTo raises one tag to barrier and returns who carries it.
func raiseTo(x *tagIndex[int], name string, barrier uint64) (cells []*cell[int]) {
	_, covered := x.raise([]string{name}, time.Now, func() uint64 { return barrier })
	return slices.Collect(maps.Keys(covered))
}

// O0, D4: a look-up above a tag's barrier takes no record from before it was
// raised. Another process may have written that record late.
func TestTags_LookUpAboveTheBarrierSeesItsTime(t *testing.T) {
	var numbers atomic.Uint64
	number := func() uint64 { return numbers.Add(1) }
	for range 2_000 {
		var x tagIndex[int]
		readAt := time.Now()
		type look struct {
			stamp uint64
			void  bool
		}
		looks := make([]look, 0, 64)
		var wg sync.WaitGroup
		begun := make(chan struct{})
		wg.Go(func() {
			close(begun)
			for range cap(looks) {
				stamp := number()
				looks = append(looks, look{stamp, x.since([]string{"red"}, readAt)})
			}
		})
		<-begun
		barrier, _ := x.raise([]string{"red"}, time.Now, number)
		wg.Wait()
		for _, l := range looks {
			require.True(t, l.void || l.stamp < barrier, "look-up %d above barrier %d took the old record", l.stamp, barrier)
		}
	}
}

func TestTags_MemoryIsBoundedAndBarriersAreNot(t *testing.T) {
	var x tagIndex[int]
	c := &cell[int]{}
	const many = 5 * idleTags
	for i := 1; i <= many; i++ {
		require.Empty(t, raiseTo(&x, fmt.Sprint("t", i), uint64(i)))
	}
	require.LessOrEqual(t, len(x.tags), idleTags)
	require.LessOrEqual(t, len(x.idle), idleTags)
	require.EqualValues(t, many, x.newest.Load())
	for i := 1; i <= many; i++ {
		name := fmt.Sprint("t", i)
		require.GreaterOrEqual(t, x.enter(c, []string{name}), uint64(i), "the barrier of %s was forgotten", name)
		x.leaveAll(c, []string{name}, nil)
	}
	require.LessOrEqual(t, len(x.tags), idleTags)
	require.LessOrEqual(t, x.enter(c, []string{"never raised"}), uint64(many))
}

func TestTags_WhatIsCarriedStays(t *testing.T) {
	var x tagIndex[int]
	a, b := &cell[int]{key: "a"}, &cell[int]{key: "b"}
	require.Zero(t, x.enter(a, []string{"red", "red", "blue"}))
	require.Zero(t, x.enter(b, []string{"red"}))
	for i := range 3 * idleTags {
		raiseTo(&x, fmt.Sprint("t", i), uint64(i+1))
	}
	require.ElementsMatch(t, []*cell[int]{a, b}, raiseTo(&x, "red", 9_000))
	require.Equal(t, []*cell[int]{a}, raiseTo(&x, "blue", 9_001))
	x.leaveAll(a, []string{"red", "blue"}, []string{"blue"})
	require.Equal(t, []*cell[int]{b}, raiseTo(&x, "red", 9_002))
	x.leaveAll(b, []string{"red"}, nil)
	require.Empty(t, raiseTo(&x, "red", 9_003), "nobody carries it")
	require.EqualValues(t, 9_003, x.enter(a, []string{"blue", "red"}), "kept for what is on its way")
	require.EqualValues(t, 9_003, x.newest.Load())
	require.Zero(t, x.enter(a, nil))
}

// A tag that comes back to life while it waits to be folded is not lost.
func TestTags_ComesBackToLife(t *testing.T) {
	var x tagIndex[int]
	c := &cell[int]{}
	raiseTo(&x, "red", 5)
	require.EqualValues(t, 5, x.enter(c, []string{"red"}))
	for i := range 3 * idleTags {
		raiseTo(&x, fmt.Sprint("t", i), uint64(10+i))
	}
	require.Equal(t, []*cell[int]{c}, raiseTo(&x, "red", 9_000), "found, though it stood among the idle")
	x.leaveAll(c, []string{"red"}, nil)
	for i := range 3 * idleTags {
		raiseTo(&x, fmt.Sprint("u", i), uint64(10_000+i))
	}
	require.GreaterOrEqual(t, x.enter(c, []string{"red"}), uint64(9_000), "and folded the next time")
}

// The tags of a resource leave the index with it.
func TestTags_LeaveWithTheirResource(t *testing.T) {
	table := testTable(t, Config[int]{MaxEntries: 4}, nil)
	ctx := context.Background()
	for i := range 3000 {
		r := Response[int]{Value: i, Tags: []string{fmt.Sprint("own", i), "all"}}
		require.NoError(t, table.Put(ctx, fmt.Sprint("k", i), r))
	}
	require.LessOrEqual(t, len(table.tags.tags), idleTags+5)
	require.Len(t, table.tags.tags["all"].cells, 4)
	n, err := table.InvalidateTag(ctx, "all", "own2999", "nobody's")
	require.NoError(t, err)
	require.Equal(t, 4, n, "each once")
}

// M4: tags and their maps give back what a burst of them needed.
func TestTags_ABurstLeavesNoRoomBehind(t *testing.T) {
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	const many = 100_000
	var x tagIndex[int]
	before := heap()
	for i := range many { // of many carriers
		x.enter(&cell[int]{key: strconv.Itoa(i)}, []string{"common"})
	}
	for c := range x.tags["common"].cells {
		x.leaveAll(c, []string{"common"}, nil)
	}
	require.Less(t, heap()-before, int64(many), "bytes for carriers that left")

	c := &cell[int]{}
	names := make([]string, many)
	for i := range names {
		names[i] = strconv.Itoa(i)
		x.enter(c, names[i:i+1])
	}
	x.leaveAll(c, names, nil)
	clear(names)
	require.Len(t, x.tags, idleTags)
	require.Less(t, heap()-before, int64(20*many), "bytes for tags that went, the names themselves included")
	runtime.KeepAlive(&x)
}

// tagged is the source of one key, whose values carry a tag. It answers when it is told
// with what.
type tagged chan int

func (s tagged) Fetch(ctx context.Context, _ Request[int]) (Response[int], error) {
	select {
	case v := <-s:
		return Response[int]{Value: v, Tags: []string{"tag"}}, nil
	case <-ctx.Done():
		return Response[int]{}, context.Cause(ctx)
	}
}

// answers has every call answer with v until f has settled.
func (s tagged) answers(f *Future[int], v int) {
	for {
		select {
		case s <- v:
		case <-f.Done():
			return
		}
	}
}

// taggedTable holds the value 1, of which a Put told.
func taggedTable(t *testing.T, c Config[int]) (*Table[int], tagged) {
	t.Helper()
	source := make(tagged)
	c.Name, c.Source = "test", source
	table, err := NewTable(c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, table.Close(context.Background())) })
	require.NoError(t, table.Put(t.Context(), "k", Response[int]{Value: 1, Tags: []string{"tag"}}))
	return table, source
}

// O6: between the step that gives up what is shown and its publication the value is
// still shown, and so InvalidateTag has to find it.
func TestO6_AValueIsUnderItsTagsAsLongAsItIsShown(t *testing.T) {
	table, _ := taggedTable(t, Config[int]{})
	c := cellOf(t, table, "k")
	carries := func() bool {
		table.tags.mu.Lock()
		defer table.tags.mu.Unlock()
		_, ok := table.tags.tags["tag"].cells[c]
		return ok
	}
	turn := &turn[int]{Rules: &table.rules, Driver: c, Now: table.clock.Now()}
	m := &message[int]{op: opSet}
	table.know(&m.knowledge, nil, "k", &Response[int]{Value: 2, Tags: []string{"tag"}, TTL: -1}, nil, c.shown.Load())
	c.step(turn, m)
	require.True(t, carries(), "it is shown")
	c.perform(turn, m)
	require.False(t, carries())
	require.EqualValues(t, lifecycle.Nothing, c.shown.Load().Known)
}

// O8: a response below the barrier of a tag that is being invalidated answers those
// who asked before; what was held is older, and nobody sees it after that.
func TestO8_NoOlderValueWhileItsTagIsInvalidated(t *testing.T) {
	for _, reload := range []lifecycle.ReloadMode{lifecycle.ReloadSupersede, lifecycle.ReloadQueue} {
		table, source := taggedTable(t, Config[int]{Reload: reload, MaxSupersede: 1})
		c := cellOf(t, table, "k")
		asked := table.Fetch(t.Context(), "k", ForceReload())
		// InvalidateTag, that far: it has yet to come to the cell.
		barrier, covered := table.tags.raise([]string{"tag"}, time.Now, func() uint64 { return table.numbers.Add(1) })
		require.Contains(t, covered, c)
		source.answers(asked, 2)
		v, err := asked.Result()
		require.NoError(t, err)
		require.Equal(t, 2, v)
		_, err = table.Get(t.Context(), "k", CachedOnly())
		if err == nil {
			require.Greater(t, c.shown.Load().Seq, barrier, "%v: it went back in time", reload)
		} else {
			require.ErrorIs(t, err, ErrNotCached)
		}
		require.True(t, table.raise(c, opInvalidate, barrier))
	}
}

// O0: what takes off in place of a response below its tag's barrier is above that,
// also where the tag was invalidated when the turn had begun already: else its own
// answer would be thrown away.
func TestO0_WhatAnEarlyInvalidationLetsFlyIsAboveIt(t *testing.T) {
	table, source := taggedTable(t, Config[int]{})
	c := cellOf(t, table, "k")
	asked := table.Fetch(t.Context(), "k", ForceReload())
	turn := &turn[int]{Rules: &table.rules, Driver: c, Now: table.clock.Now(), Values: t.Context()}
	barrier, covered := table.tags.raise([]string{"tag"}, time.Now, func() uint64 { return table.numbers.Add(1) })
	require.Contains(t, covered, c)
	m := &message[int]{op: opArrived, stamp: c.life.Flying()}
	table.know(&m.knowledge, nil, "k", &Response[int]{Value: 2, Tags: []string{"tag"}}, nil, c.shown.Load())
	group, queued := c.step(turn, m)
	c.perform(turn, m)
	c.unseal(group, queued)
	require.Greater(t, c.life.Flying(), barrier)
	require.True(t, table.raise(c, opInvalidate, barrier)) // which is nothing new to the cell
	source.answers(asked, 2)
	_, err := asked.Result()
	require.NoError(t, err)
	require.Greater(t, asked.Seq(), barrier)
	_, err = table.Get(t.Context(), "k", CachedOnly())
	require.NoError(t, err)
}
