package redis_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/store/redis"
)

// deadAddr is where nobody listens.
func deadAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

func TestD2_DownAtStart(t *testing.T) {
	addr := deadAddr(t)
	c, s := open(t, redis.Options{Addrs: []string{addr}, RetryEvery: time.Hour})
	require.ErrorIs(t, c.Ping(t.Context()), redis.ErrUnreachable)
	_, err := s.Get(t.Context(), "k")
	require.ErrorIs(t, err, redis.ErrUnreachable)
	require.NotErrorIs(t, err, freshet.ErrNotFound)
	require.ErrorContains(t, err, `freshet: redis: users: cannot read "k": the server is not reachable`)
	l, err := net.Listen("tcp", addr) // it would take a dial
	require.NoError(t, err)
	defer l.Close()
	for range 1000 {
		require.ErrorIs(t, s.Set(t.Context(), "k", rec(1, "v")), redis.ErrUnreachable)
	}
	require.NoError(t, l.(*net.TCPListener).SetDeadline(time.Now().Add(10*time.Millisecond)))
	_, err = l.Accept()
	require.ErrorIs(t, err, os.ErrDeadlineExceeded, "no dial for each call")
}

func TestD2_ItComesLater(t *testing.T) {
	addr := deadAddr(t)
	_, s := open(t, redis.Options{Addrs: []string{addr}, RetryEvery: time.Millisecond})
	require.Error(t, s.Set(t.Context(), "k", rec(1, "v")))
	fake := miniredis.NewMiniRedis()
	require.NoError(t, fake.StartAddr(addr))
	defer fake.Close()
	require.Eventually(t, func() bool { return s.Set(t.Context(), "k", rec(1, "v")) == nil }, 10*time.Second, time.Millisecond)
}

func TestD2_ItGoesAwayAndComesBack(t *testing.T) {
	server := startServer(t)
	_, s := open(t, redis.Options{Addrs: []string{server.addr()}})
	require.NoError(t, s.Set(t.Context(), "k", rec(1, "v")))
	server.stop()
	_, err := s.Get(t.Context(), "k")
	require.Error(t, err)
	require.NotErrorIs(t, err, freshet.ErrNotFound)
	server.start()
	require.Eventually(t, func() bool { return s.Set(t.Context(), "k", rec(2, "w")) == nil }, 10*time.Second, time.Millisecond)
	_, err = s.Get(t.Context(), "k")
	require.NoError(t, err)
}

// A server that takes connections and says nothing holds nobody beyond the
// context, nor beyond the timeout.
func TestD2_ItHangs(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var conns []net.Conn
	accepting := make(chan struct{})
	go func() {
		defer close(accepting)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conns = append(conns, conn)
		}
	}()
	began := time.Now()
	patient, s := open(t, redis.Options{Addrs: []string{l.Addr().String()}, Timeout: time.Minute, DialTimeout: time.Minute})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	_, err = s.Get(ctx, "k")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	brief, s := open(t, redis.Options{Addrs: []string{l.Addr().String()}, Timeout: 100 * time.Millisecond, DialTimeout: time.Minute})
	_, err = s.Get(t.Context(), "k")
	require.Error(t, err)
	require.Less(t, time.Since(began), 30*time.Second)
	require.NoError(t, l.Close())
	<-accepting
	for _, conn := range conns {
		_ = conn.Close()
	}
	require.NoError(t, patient.Close())
	require.NoError(t, brief.Close())
}

// A connected server that stops answering.
func TestD2_ItStalls(t *testing.T) {
	server := startServer(t)
	_, s := open(t, redis.Options{Addrs: []string{server.addr()}, Timeout: 100 * time.Millisecond})
	require.Eventually(t, func() bool { return s.Set(t.Context(), "k", rec(1, "v")) == nil }, 10*time.Second, 10*time.Millisecond)
	require.NoError(t, server.cmd.Process.Signal(syscall.SIGSTOP))
	began := time.Now()
	_, err := s.Get(t.Context(), "k")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Less(t, time.Since(began), 30*time.Second)
	require.NoError(t, server.cmd.Process.Signal(syscall.SIGCONT))
	require.Eventually(t, func() bool { _, err := s.Get(t.Context(), "k"); return err == nil }, 10*time.Second, 10*time.Millisecond)
}

func TestClearErrors(t *testing.T) {
	fake := miniredis.RunT(t)
	c, s := open(t, redis.Options{Addrs: []string{fake.Addr()}})
	require.NoError(t, c.Ping(t.Context()))
	for _, answer := range []struct {
		text string
		is   error
	}{
		{"CLUSTERDOWN Hash slot not served", redis.ErrMoved},
		{"OOM command not allowed when used memory > 'maxmemory'.", redis.ErrNoMemory},
		{"WRONGTYPE Operation against a key holding the wrong kind of value", redis.ErrWrongType},
		{"NOSCRIPT No matching script. Please use EVAL.", redis.ErrNoScripts},
		{"NOPERM this user has no permissions to run the 'eval' command", redis.ErrNoScripts},
	} {
		fake.SetError(answer.text)
		_, err := s.Get(t.Context(), "k")
		require.ErrorIs(t, err, answer.is)
		require.NotErrorIs(t, err, freshet.ErrNotFound)
		require.ErrorContains(t, err, "freshet: redis: users: cannot read \"k\": ")
		require.ErrorContains(t, err, answer.text)
	}
	fake.SetError("")
	_, err := s.Get(t.Context(), "k")
	require.ErrorIs(t, err, freshet.ErrNotFound)
}

// MOVED is followed; where that leads nowhere the error says so.
func TestMoved(t *testing.T) {
	from, to := miniredis.RunT(t), miniredis.RunT(t)
	c, s := open(t, redis.Options{Addrs: []string{from.Addr()}})
	require.NoError(t, c.Ping(t.Context()))
	from.SetError("MOVED 3999 " + to.Addr())
	require.NoError(t, s.Set(t.Context(), "k", rec(1, "v")))
	require.True(t, to.Exists("freshet:{users}:r:k"))
	dead := deadAddr(t)
	from.SetError("")
	c, s = open(t, redis.Options{Addrs: []string{from.Addr()}})
	require.NoError(t, c.Ping(t.Context()))
	from.SetError("MOVED 3999 " + dead)
	_, err := s.Get(t.Context(), "k")
	require.ErrorIs(t, err, redis.ErrUnreachable)
	require.ErrorContains(t, err, dead)
	from.SetError("")
	c, s = open(t, redis.Options{Addrs: []string{from.Addr()}, Timeout: 300 * time.Millisecond})
	require.Eventually(t, func() bool { return c.Ping(t.Context()) == nil }, 10*time.Second, time.Millisecond)
	from.SetError("MOVED 3999 " + from.Addr()) // round and round, until its time is over
	_, err = s.Get(t.Context(), "k")
	require.Error(t, err)
	require.NotErrorIs(t, err, freshet.ErrNotFound)
}

func TestWrongTypeOfRealKeys(t *testing.T) {
	server := startServer(t)
	_, s := open(t, redis.Options{Addrs: []string{server.addr()}})
	server.must("LPUSH", "freshet:{users}:r:k", "not ours")
	_, err := s.Get(t.Context(), "k")
	require.ErrorIs(t, err, redis.ErrWrongType)
	require.ErrorIs(t, s.Set(t.Context(), "k", rec(1, "v")), redis.ErrWrongType)
	require.NoError(t, s.Set(t.Context(), "other", rec(1, "v")))
	require.NoError(t, s.DeletePrefix(t.Context(), "", at(5)))
	_, err = s.Get(t.Context(), "other")
	require.ErrorIs(t, err, freshet.ErrNotFound)
}

// Full, Redis still reads, and still erases: an erase that fails would leave what
// is wrong.
func TestOutOfMemory(t *testing.T) {
	server := startServer(t, "--maxmemory-policy", "noeviction")
	_, s := open(t, redis.Options{Addrs: []string{server.addr()}})
	require.NoError(t, s.Set(t.Context(), "k", rec(1, "v")))
	require.NoError(t, s.Delete(t.Context(), "warm", at(1)))
	server.must("CONFIG", "SET", "maxmemory", "1")
	require.ErrorIs(t, s.Set(t.Context(), "k", rec(2, "w")), redis.ErrNoMemory)
	r, err := s.Get(t.Context(), "k")
	require.NoError(t, err)
	require.Equal(t, "v", string(r.Value), "nothing is lost")
	require.NoError(t, s.Delete(t.Context(), "k", at(5)), "an erase gets through")
	require.NoError(t, s.Delete(t.Context(), "absent", at(5)))
	require.NoError(t, s.DeletePrefix(t.Context(), "p:", at(5)))
	server.must("CONFIG", "SET", "maxmemory", "0")
	for _, key := range []string{"k", "absent", "p:1"} {
		require.NoError(t, s.Set(t.Context(), key, rec(4, "a late write")))
		_, err = s.Get(t.Context(), key)
		require.ErrorIs(t, err, freshet.ErrNotFound)
	}
}

func TestScriptsThatTheServerForgotAreSentAgain(t *testing.T) {
	server := startServer(t)
	_, s := open(t, redis.Options{Addrs: []string{server.addr()}})
	for i := range 3 {
		require.NoError(t, s.Set(t.Context(), "k", rec(i, "v")))
		server.must("SCRIPT", "FLUSH")
	}
}

func TestNoSecretInErrorsAndLogs(t *testing.T) {
	const secret = "s3cr3t-hunter2"
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	dead := deadAddr(t)
	server := startServer(t, "--requirepass", "another one")
	said := ""
	for _, opts := range []redis.Options{
		{URL: "redis://user:" + secret + "@" + dead + "/0"},
		{URL: "redis://user:" + secret + "@" + server.addr() + "/0"},
		{Addrs: []string{server.addr()}, Password: secret},
		{URL: "redis://user:" + secret + "@" + server.addr() + "/not-a-number"},
		{URL: "redis://user:" + secret + "@host:port:port\x7f"},
		{URL: "gopher://user:" + secret + "@" + dead},
		{URL: "redis://user:" + secret + "@" + dead, Addrs: []string{dead}},
	} {
		opts.Logger = logger
		c, err := redis.Open(opts)
		if err == nil {
			s, err2 := c.Store("users")
			require.NoError(t, err2)
			_, err = s.Get(t.Context(), "k")
			s.OnInvalidate(func(redis.Invalidation) {})()
			require.NoError(t, c.Close())
		}
		require.Error(t, err)
		require.ErrorContains(t, err, "freshet: redis: ")
		said += fmt.Sprintf("%v %+v %#v\n", err, err, err)
	}
	require.NotContains(t, said, secret)
	require.NotContains(t, log.String(), secret)
	require.Contains(t, said, "WRONGPASS")
}

func TestARecordBeyondTheBoundIsRefused(t *testing.T) {
	fake := miniredis.RunT(t)
	_, s := open(t, redis.Options{Addrs: []string{fake.Addr()}, MaxRecord: 1000})
	err := s.Set(t.Context(), "k", freshet.Record{Value: make([]byte, 1000), ReadAt: at(2)})
	require.ErrorIs(t, err, redis.ErrTooLarge)
	require.Empty(t, fake.Keys())
}
