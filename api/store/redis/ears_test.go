package redis_test

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/api/store/redis"
)

// listening is a Store whose invalidations come on a channel, from when it
// hears.
func listening(t *testing.T, server *server) (*redis.Store, chan redis.Invalidation, func()) {
	t.Helper()
	_, s := open(t, redis.Options{Addrs: []string{server.addr()}})
	told := make(chan redis.Invalidation, 1000)
	stop := s.OnInvalidate(func(i redis.Invalidation) { told <- i })
	require.True(t, next(t, told).Lost, "before the connection anything may have happened")
	return s, told, stop
}

func next(t *testing.T, told chan redis.Invalidation) redis.Invalidation {
	t.Helper()
	select {
	case i := <-told:
		return i
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was heard in 10s")
		panic("unreachable")
	}
}

func TestInvalidationsOfOtherProcesses(t *testing.T) {
	server := startServer(t)
	here, told, _ := listening(t, server)
	_, there := open(t, redis.Options{Addrs: []string{server.addr()}})

	require.NoError(t, there.Set(t.Context(), "k", rec(1, "v")))   // new to all: no news
	require.NoError(t, there.Set(t.Context(), "k", rec(2, "v")))   // read again, the same: no news
	require.NoError(t, here.Set(t.Context(), "k", rec(3, "mine"))) // its own: no news to itself
	require.NoError(t, here.Delete(t.Context(), "mine", at(1)))
	require.NoError(t, here.DeletePrefix(t.Context(), "mine", at(1)))
	require.NoError(t, there.Set(t.Context(), "k", rec(4, "changed")))
	// One change may be told twice, where the next came before it was looked at.
	require.Equal(t, redis.Invalidation{Keys: []string{"k"}}, next(t, told))
	require.NoError(t, there.Delete(t.Context(), "a:b", at(5)))
	i := next(t, told)
	for ; !slices.Contains(i.Keys, "a:b"); i = next(t, told) {
		require.Equal(t, redis.Invalidation{Keys: []string{"k"}}, i)
	}
	require.Subset(t, []string{"k", "a:b"}, i.Keys)
	require.NoError(t, there.DeletePrefix(t.Context(), "p:", at(5)))
	require.Equal(t, redis.Invalidation{Prefixes: []string{"p:"}}, next(t, told))

	server.must("PEXPIRE", "freshet:{users}:t:a:b", "1") // the end of a tombstone is no news
	require.NoError(t, there.Delete(t.Context(), "last", at(5)))
	for i = next(t, told); ; i = next(t, told) {
		require.NotContains(t, i.Keys, "a:b")
		if len(i.Keys) > 0 {
			require.Equal(t, []string{"last"}, i.Keys)
			break
		}
	}
}

// Two processes that tell each other of what they loaded must come to rest.
func TestTwoThatListenComeToRest(t *testing.T) {
	server := startServer(t)
	a, toldA, _ := listening(t, server)
	b, toldB, _ := listening(t, server)
	require.NoError(t, a.Set(t.Context(), "k", rec(1, "old")))
	require.NoError(t, a.Set(t.Context(), "k", rec(2, "new")))
	require.Equal(t, []string{"k"}, next(t, toldB).Keys)
	require.NoError(t, b.Set(t.Context(), "k", rec(3, "new"))) // what it reads then
	require.NoError(t, b.Delete(t.Context(), "end", at(1)))
	require.Equal(t, []string{"end"}, next(t, toldA).Keys)
}

func TestInvalidationsAfterALostConnection(t *testing.T) {
	server := startServer(t)
	_, told, _ := listening(t, server)
	_, there := open(t, redis.Options{Addrs: []string{server.addr()}})
	server.stop()
	require.True(t, next(t, told).Lost)
	server.start()
	n := 0
	require.Eventually(t, func() bool {
		n++
		_ = there.Delete(t.Context(), "k", at(n)) // fails until it is there again
		select {
		case i := <-told:
			return len(i.Keys) == 1 && i.Keys[0] == "k"
		default:
			return false
		}
	}, 15*time.Second, 20*time.Millisecond)
}

func TestAFlushedDatabaseIsLost(t *testing.T) {
	server := startServer(t)
	_, told, _ := listening(t, server)
	server.must("FLUSHALL")
	require.True(t, next(t, told).Lost)
}

func TestAListenerThatPanicsAndOneThatStops(t *testing.T) {
	server := startServer(t)
	here, told, stop := listening(t, server)
	_, there := open(t, redis.Options{Addrs: []string{server.addr()}})
	defer here.OnInvalidate(func(redis.Invalidation) { panic("a bug") })()
	for n := range 3 {
		require.NoError(t, there.Delete(t.Context(), "k", at(n)))
		require.Equal(t, []string{"k"}, next(t, told).Keys)
	}
	stop()
	again := make(chan redis.Invalidation, 10)
	here.OnInvalidate(func(i redis.Invalidation) { again <- i })
	require.NoError(t, there.Delete(t.Context(), "k", at(3)))
	require.Equal(t, []string{"k"}, next(t, again).Keys)
	require.Empty(t, told)
}

// One that ends its goroutine, or panics, missed what it was told: it hears that it
// is Lost, and the others go on.
func TestC4_AListenerThatEndsItsGoroutine(t *testing.T) {
	server := startServer(t)
	here, told, _ := listening(t, server)
	_, there := open(t, redis.Options{Addrs: []string{server.addr()}})
	for n, end := range []func(){runtime.Goexit, func() { panic("a bug") }} {
		bad := make(chan redis.Invalidation, 10)
		stop := here.OnInvalidate(func(i redis.Invalidation) {
			bad <- i
			end()
		})
		for m, lost := range []bool{false, true, true} {
			require.NoError(t, there.Delete(t.Context(), "k", at(10*n+m)))
			require.Equal(t, redis.Invalidation{Keys: []string{"k"}}, next(t, told))
			require.Equal(t, redis.Invalidation{Keys: []string{"k"}, Lost: lost}, next(t, bad))
		}
		stop()
	}
}

// What is written here too late is told, once for each that overtook it: where
// another clock is ahead all that is read here is too late for a while.
func TestARecordThatIsOvertakenIsToldOnce(t *testing.T) {
	server := startServer(t)
	here, told, _ := listening(t, server)
	_, there := open(t, redis.Options{Addrs: []string{server.addr()}})
	require.NoError(t, there.Set(t.Context(), "same", rec(100, "v")))
	require.NoError(t, here.Set(t.Context(), "same", rec(1, "v"))) // overtaken by what is the same: no news
	require.NoError(t, there.Set(t.Context(), "k", rec(100, "of a clock that is ahead")))
	require.NoError(t, here.Set(t.Context(), "k", rec(1, "v")))
	require.Equal(t, []string{"k"}, next(t, told).Keys)
	require.NoError(t, here.Set(t.Context(), "k", rec(2, "v")))
	require.NoError(t, there.Delete(t.Context(), "k", at(200)))
	require.Equal(t, []string{"k"}, next(t, told).Keys)
	require.NoError(t, here.Set(t.Context(), "k", rec(3, "v")))
	require.Equal(t, []string{"k"}, next(t, told).Keys)
	require.NoError(t, here.Set(t.Context(), "k", rec(4, "v")))
	require.NoError(t, there.Delete(t.Context(), "end", at(1)))
	require.Equal(t, []string{"end"}, next(t, told).Keys)
}
