package redis_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/store/redis"
	"github.com/freshet-go/freshet/streams"
)

// origin is what two processes have copies of.
type origin struct {
	version       atomic.Int64
	began, answer chan struct{} // nil: it answers at once
}

func (o *origin) Fetch(_ context.Context, r freshet.Request[string]) (freshet.Response[string], error) {
	if o.began != nil {
		o.began <- struct{}{}
		<-o.answer
	}
	return freshet.Response[string]{Value: fmt.Sprint(r.Key, " at ", o.version.Load())}, nil
}

// process is a cache with a connection of its own, a process as far as Redis
// knows, once that hears what others do. Nobody wires anything.
func process(t *testing.T, server *server, o *origin) *freshet.Cache[string] {
	t.Helper()
	store, _, stop := listening(t, server)
	stop()
	rt, err := freshet.NewRuntime(freshet.RuntimeConfig{Logger: quiet})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, rt.Close(context.Background())) })
	c, err := freshet.New(freshet.Config[string]{Name: "users", Source: o, Store: store, Runtime: rt, StoreTimeout: 10 * time.Second})
	require.NoError(t, err)
	return c
}

func mustGet(t *testing.T, c *freshet.Cache[string], key, want string) {
	t.Helper()
	v, err := c.Get(t.Context(), key)
	require.NoError(t, err)
	require.Equal(t, want, v)
}

// expiring is how the test sees what expires in c.
func expiring(t *testing.T, c *freshet.Cache[string]) *streams.Subscription[string] {
	t.Helper()
	events, err := c.Watch(t.Context(), streams.Kinds(streams.Expired))
	require.NoError(t, err)
	t.Cleanup(events.Close)
	return events
}

// expires waits until keys have.
func expires(t *testing.T, events *streams.Subscription[string], keys ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	missing := map[string]bool{}
	for _, key := range keys {
		missing[key] = true
	}
	for len(missing) > 0 {
		ev, err := events.Next(ctx)
		require.NoError(t, err, "%v did not expire", missing)
		if ev.Kind == streams.Expired {
			delete(missing, ev.Key) // one change may be told twice
		}
	}
}

// Server-assisted invalidation is the Expire of the local resource.
func TestO6_TheWriteOfOneCacheExpiresTheResourceOfAnother(t *testing.T) {
	server, o := startServer(t), &origin{}
	here, there := process(t, server, o), process(t, server, o)
	events := expiring(t, here)
	load := func(version int) {
		for _, key := range []string{"a/1", "a/2", "b"} {
			mustGet(t, here, key, fmt.Sprint(key, " at ", version))
		}
	}
	load(0)
	mustGet(t, there, "b", "b at 0")

	o.version.Store(1)
	require.NoError(t, there.Invalidate(t.Context(), "b"))
	expires(t, events, "b")
	mustGet(t, here, "b", "b at 1")
	mustGet(t, here, "a/1", "a/1 at 0")

	_, err := there.InvalidatePrefix(t.Context(), "a/")
	require.NoError(t, err)
	expires(t, events, "a/1", "a/2")
	load(1)

	o.version.Store(2) // a value that was written through, or pushed
	require.NoError(t, there.Set(t.Context(), "b", "b at 2"))
	expires(t, events, "b")
	mustGet(t, here, "b", "b at 2")

	require.NoError(t, there.Remove(t.Context(), "b"))
	expires(t, events, "b")
	mustGet(t, here, "b", "b at 2")
}

// Two caches that read the same state tell each other nothing, though what they
// note of its freshness differs.
func TestO6_TwoCachesThatReadTheSameComeToRest(t *testing.T) {
	server, o := startServer(t), &origin{}
	here, there := process(t, server, o), process(t, server, o)
	events := expiring(t, here)
	mustGet(t, here, "k", "k at 0")
	mustGet(t, here, "end", "end at 0")
	_, store := open(t, redis.Options{Addrs: []string{server.addr()}})
	for range 3 {
		began := time.Now()
		_, err := there.Reload(t.Context(), "k").Await(t.Context())
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			r, err := store.Get(t.Context(), "k")
			return err == nil && r.ReadAt.After(began)
		}, 10*time.Second, time.Millisecond, "what was read is written behind")
	}
	require.NoError(t, there.Invalidate(t.Context(), "end"))
	expires(t, events, "end")
	snap, _ := here.Peek("k")
	require.Equal(t, freshet.Fresh, snap.State)
}

// What others said of a key while it was being read is said again when it is there.
func TestO6_AnEraseDuringAFlightExpiresWhatItBrings(t *testing.T) {
	server, o := startServer(t), &origin{}
	slow := &origin{began: make(chan struct{}), answer: make(chan struct{})}
	here, there := process(t, server, slow), process(t, server, o)
	events := expiring(t, here)
	for name, write := range map[string]func(key string) error{
		"erased": func(key string) error { return there.Invalidate(t.Context(), key) },
		"prefix": func(key string) error { _, err := there.InvalidatePrefix(t.Context(), key); return err },
		"set":    func(key string) error { return there.Set(t.Context(), key, "newer") },
	} {
		f := here.Reload(t.Context(), name)
		<-slow.began
		require.NoError(t, write(name))
		require.Eventually(t, func() bool {
			for _, kind := range []string{"t:", "p:", "r:"} {
				if server.must("EXISTS", "freshet:{users}:"+kind+name) == ":1" {
					return true
				}
			}
			return false
		}, 10*time.Second, time.Millisecond, "the other process's write is behind")
		slow.answer <- struct{}{}
		_, err := f.Await(t.Context())
		require.NoError(t, err)
		expires(t, events, name)
	}
}

func TestO6_TheWriteOfAnotherProcessExpiresTheResource(t *testing.T) {
	server, o := startServer(t), &origin{}
	here := process(t, server, o)
	events := expiring(t, here)
	mustGet(t, here, "k", "k at 0")
	child := startChild(t, server.addr(), "k")
	for n, words := range [][]string{{"erase"}, {"read", "write"}, {"erase"}} {
		o.version.Store(int64(n) + 1)
		for _, word := range words {
			child.tell(t, word)
		}
		expires(t, events, "k")
		mustGet(t, here, "k", fmt.Sprint("k at ", n+1))
	}
	child.end(t)
}

// What was said while nobody could listen is not known: all of it expires.
func TestO6_ALostConnectionExpiresAll(t *testing.T) {
	server, o := startServer(t), &origin{}
	here := process(t, server, o)
	events := expiring(t, here)
	mustGet(t, here, "a", "a at 0")
	mustGet(t, here, "b", "b at 0")
	server.stop()
	expires(t, events, "a", "b")
	mustGet(t, here, "a", "a at 0")
}

func TestACacheWithoutTrackingHasOneConnectionLess(t *testing.T) {
	server := startServer(t)
	_, s := open(t, redis.Options{Addrs: []string{server.addr()}, NoTracking: true})
	s.OnInvalidate(func(redis.Invalidation) { t.Error("it hears") })()
	other, told, _ := listening(t, server)
	require.NoError(t, s.Delete(t.Context(), "k", at(1)))
	require.Equal(t, []string{"k"}, next(t, told).Keys)
	require.NoError(t, other.Delete(t.Context(), "k", at(2)))
}
