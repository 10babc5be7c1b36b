package redis_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/store/redis"
	"github.com/freshet-go/freshet/api/store/storetest"
)

func TestMain(m *testing.M) {
	if child := os.Getenv("FRESHET_REDIS_CHILD"); child != "" {
		runChild(child)
		return
	}
	// rueidis looks at a cluster that said MOVED again a second later, closed or not,
	// and closes the connections that this has replaced after five.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/redis/rueidis.(*call).DelayDo.func1"),
		goleak.IgnoreAnyFunction("github.com/redis/rueidis.(*clusterClient).redirectOrNew.func1"),
		goleak.IgnoreAnyFunction("github.com/redis/rueidis.(*clusterClient)._refresh.func2"))
}

var (
	epoch = time.Date(2026, 2, 3, 4, 5, 6, 7, time.UTC)
	quiet = slog.New(slog.NewTextHandler(io.Discard, nil))
)

func at(n int) time.Time                 { return epoch.Add(time.Duration(n) * time.Millisecond) }
func rec(n int, v string) freshet.Record { return freshet.Record{Value: []byte(v), ReadAt: at(n)} }

func open(t testing.TB, opts redis.Options) (*redis.Client, *redis.Store) {
	t.Helper()
	if opts.Logger == nil {
		opts.Logger = quiet
	}
	if opts.Timeout == 0 { // what has to work does so on a busy machine too
		opts.Timeout, opts.DialTimeout = 10*time.Second, 10*time.Second
	}
	c, err := redis.Open(opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	s, err := c.Store("users")
	require.NoError(t, err)
	return c, s
}

// owning is a Store that closes its client too.
type owning struct {
	freshet.Store
	client *redis.Client
}

func (o owning) Close() error { return o.client.Close() }

// The fast half. miniredis cannot: client tracking, maxmemory, clusters, real
// Lua 5.1, time that passes by itself, connections that break by themselves.
func TestContractOnMiniredis(t *testing.T) {
	var passed atomic.Int64
	now := func() time.Time { return epoch.Add(time.Duration(passed.Load())) }
	var fake *miniredis.Miniredis
	storetest.Run(t, func(t *testing.T) freshet.Store {
		fake = miniredis.RunT(t)
		c, s := open(t, redis.Options{Addrs: []string{fake.Addr()}, Now: now, Timeout: time.Minute})
		return owning{s, c}
	}, storetest.Clock(now, func(d time.Duration) { passed.Add(int64(d)); fake.FastForward(d) }))
}

func TestContract(t *testing.T) {
	server := startServer(t)
	contract(t, func(t *testing.T) (*redis.Client, *redis.Store) {
		server.must("FLUSHALL")
		return open(t, redis.Options{URL: "redis://" + server.addr(), Timeout: 10 * time.Second})
	})
}

// contract is the suite, for stores whose client ends with them.
func contract(t *testing.T, open func(*testing.T) (*redis.Client, *redis.Store)) {
	storetest.Run(t, func(t *testing.T) freshet.Store {
		c, s := open(t)
		return owning{s, c}
	})
}

func TestD3_TheExpiryIsPartOfTheOneWrite(t *testing.T) {
	server := startServer(t)
	_, s := open(t, redis.Options{Addrs: []string{server.addr()}})
	r := freshet.Record{Value: []byte("v"), ReadAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour)}
	require.NoError(t, s.Set(t.Context(), "mortal", r))
	var ttl int64
	_, err := fmt.Sscanf(server.must("PTTL", "freshet:{users}:r:mortal"), ":%d", &ttl)
	require.NoError(t, err)
	require.InDelta(t, time.Hour.Milliseconds(), ttl, 60_000)
	r.ExpiresAt = time.Time{}
	require.NoError(t, s.Set(t.Context(), "immortal", r))
	require.Equal(t, ":-1", server.must("PTTL", "freshet:{users}:r:immortal"))
	require.NoError(t, s.Delete(t.Context(), "gone", r.ReadAt))
	_, err = fmt.Sscanf(server.must("PTTL", "freshet:{users}:t:gone"), ":%d", &ttl)
	require.NoError(t, err)
	require.InDelta(t, (10 * time.Minute).Milliseconds(), ttl, 60_000)
}

func TestCachesAndNamespacesAreApart(t *testing.T) {
	fake := miniredis.RunT(t)
	c, users := open(t, redis.Options{Addrs: []string{fake.Addr()}})
	_, other := open(t, redis.Options{Addrs: []string{fake.Addr()}, Namespace: "other"})
	teams, err := c.Store("teams")
	require.NoError(t, err)
	for i, s := range []*redis.Store{users, other, teams} {
		require.NoError(t, s.Set(t.Context(), "1", rec(1, fmt.Sprint(i))))
	}
	require.NoError(t, teams.DeletePrefix(t.Context(), "", at(5)))
	for i, s := range []*redis.Store{users, other} {
		r, err := s.Get(t.Context(), "1")
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(i), string(r.Value))
	}
	_, err = c.Store("not/a name")
	require.ErrorContains(t, err, "freshet: redis: the name")
}

func TestD2_GarbageIsAMissAndIsReplaced(t *testing.T) {
	fake := miniredis.RunT(t)
	var told []string
	c, s := open(t, redis.Options{Addrs: []string{fake.Addr()}, OnCorrupt: func(cache, key string, err error) {
		told = append(told, fmt.Sprint(cache, "/", key, ": ", err))
	}})
	for _, raw := range []string{"", "x", "garbage that is rather longer than a header", "\xf5\x52\x09" + strings.Repeat("\xff", 60), "\xf5\x52\x01\x01" + strings.Repeat("\x01", 40)} {
		told = nil
		require.NoError(t, fake.Set("freshet:{users}:r:k", raw))
		_, err := s.Get(t.Context(), "k")
		require.ErrorIs(t, err, freshet.ErrNotFound)
		require.Len(t, told, 1)
		require.Contains(t, told[0], "users/k: the record is ")
	}
	require.EqualValues(t, 5, c.Corrupt())
	require.NoError(t, fake.Set("freshet:{users}:r:k", "garbage that is rather longer than a header"))
	require.NoError(t, s.Set(t.Context(), "k", rec(1, "good")))
	_, err := s.Get(t.Context(), "k")
	require.NoError(t, err)
}

func TestD5_ManyPrefixLengthsAreBounded(t *testing.T) {
	fake := miniredis.RunT(t)
	_, s := open(t, redis.Options{Addrs: []string{fake.Addr()}})
	for i := 1; i <= 200; i++ {
		require.NoError(t, s.DeletePrefix(t.Context(), strings.Repeat("k", i), at(i)))
	}
	lengths, err := fake.ZMembers("freshet:{users}:l")
	require.NoError(t, err)
	require.LessOrEqual(t, len(lengths), 65)
	for i := 1; i <= 200; i++ {
		require.NoError(t, s.Set(t.Context(), strings.Repeat("k", i)+"x", rec(i, "a late write")))
		_, err := s.Get(t.Context(), strings.Repeat("k", i)+"x")
		require.ErrorIs(t, err, freshet.ErrNotFound, i)
	}
}

func TestD5_APurgeReclaimsTheSpaceAndThenTheTombstoneAges(t *testing.T) {
	server := startServer(t)
	_, s := open(t, redis.Options{Addrs: []string{server.addr()}})
	for i := range 1200 {
		require.NoError(t, s.Set(t.Context(), fmt.Sprint("p*:", i), rec(1, "v")))
	}
	require.NoError(t, s.Set(t.Context(), "p*:later", rec(9, "later")))
	require.NoError(t, s.Set(t.Context(), "px:other", rec(1, "other")))
	require.NoError(t, s.DeletePrefix(t.Context(), "p*:", at(5)))
	require.Eventually(t, func() bool { return server.must("PTTL", "freshet:{users}:p:p*:") != ":-1" }, 10*time.Second, 5*time.Millisecond,
		"the tombstone has no end before the purge is over")
	require.Equal(t, ":0", server.must("EXISTS", "freshet:{users}:q"))
	require.Equal(t, ":4", server.must("DBSIZE"), "two records, the tombstone and the lengths")
	for _, key := range []string{"p*:later", "px:other"} {
		_, err := s.Get(t.Context(), key)
		require.NoError(t, err)
	}
}

// A process that dies with its purge undone leaves a tombstone without an end, and
// another one takes over.
func TestD5_APurgeIsTakenOver(t *testing.T) {
	fake := miniredis.RunT(t)
	c, s := open(t, redis.Options{Addrs: []string{fake.Addr()}})
	require.NoError(t, s.Set(t.Context(), "p:1", rec(1, "v")))
	require.NoError(t, s.Prepare(t.Context(), "p:", at(5)))
	require.NoError(t, c.Close())
	require.True(t, fake.Exists("freshet:{users}:r:p:1"))
	require.Zero(t, fake.TTL("freshet:{users}:p:p:"))

	_, s = open(t, redis.Options{Addrs: []string{fake.Addr()}})
	fake.FastForward(time.Hour)
	_, err := s.Get(t.Context(), "p:1")
	require.ErrorIs(t, err, freshet.ErrNotFound, "it would come back if the tombstone had ended")
	require.NoError(t, s.Claim(t.Context()))
	require.False(t, fake.Exists("freshet:{users}:r:p:1"))
	require.NotZero(t, fake.TTL("freshet:{users}:p:p:"))
	require.False(t, fake.Exists("freshet:{users}:q"))
}

// D5 between processes: what began before another's erase stays out.
func TestD5_TwoProcesses(t *testing.T) {
	server := startServer(t)
	_, s := open(t, redis.Options{Addrs: []string{server.addr()}})
	for _, erase := range []func(key string) error{
		func(key string) error { return s.Delete(t.Context(), key, time.Now()) },
		func(key string) error { return s.DeletePrefix(t.Context(), key[:3], time.Now()) },
	} {
		for _, key := range []string{"was there", "was not"} {
			child := startChild(t, server.addr(), key)
			if key == "was there" {
				require.NoError(t, s.Set(t.Context(), key, freshet.Record{Value: []byte("old"), ReadAt: time.Now()}))
			}
			child.tell(t, "read") // the other process reads the origin
			require.NoError(t, erase(key))
			child.tell(t, "write") // and writes only now
			_, err := s.Get(t.Context(), key)
			require.ErrorIs(t, err, freshet.ErrNotFound, "a late write brought back what was erased")
			child.tell(t, "read")
			child.tell(t, "write")
			r, err := s.Get(t.Context(), key)
			require.NoError(t, err, "a read that began after the erase is welcome")
			require.Equal(t, "of the child", string(r.Value))
			child.end(t)
			server.must("FLUSHALL")
		}
	}
}

// runChild is the other process: "addr|key". It does on stdin's word.
func runChild(arg string) {
	addr, key, _ := strings.Cut(arg, "|")
	c, err := redis.Open(redis.Options{Addrs: []string{addr}})
	if err != nil {
		panic(err)
	}
	s, err := c.Store("users")
	if err != nil {
		panic(err)
	}
	r := freshet.Record{Value: []byte("of the child")}
	for {
		var word string
		if _, err := fmt.Scanln(&word); err != nil {
			break
		}
		var err error
		switch word {
		case "read":
			r.ReadAt = time.Now()
		case "write":
			err = s.Set(context.Background(), key, r)
		case "erase":
			err = s.Delete(context.Background(), key, time.Now())
		}
		fmt.Println(word, err)
	}
	if err := errors.Join(s.Close(), c.Close()); err != nil {
		panic(err)
	}
}
