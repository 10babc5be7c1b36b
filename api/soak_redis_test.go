package api_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/require"
)

// redisServer is a Redis that a test can trouble and that keeps what it
// acknowledged: a real one, or, where there is none, one in this process.
type redisServer interface {
	addr() string
	// trouble does something that takes about d, and leaves the server well.
	trouble(dice dice, d time.Duration) (what string, err error)
	// stop ends it before the test looks for what is left over.
	stop()
}

func startRedis(t *testing.T) redisServer {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err == nil {
		return startRealRedis(t, path)
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("CI needs a redis-server in the PATH (apt-get install redis-server): %v", err)
	}
	t.Logf("no redis-server in the PATH (apt-get install redis-server): it is miniredis that stands for it")
	return &miniRedis{miniredis.RunT(t)}
}

// realRedis keeps an append-only file that it writes before it answers, so
// that what it acknowledged survives SIGKILL.
type realRedis struct {
	t          *testing.T
	path, port string
	dir        string
	cmd        *exec.Cmd
}

func startRealRedis(t *testing.T, path string) *realRedis {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	require.NoError(t, l.Close())
	r := &realRedis{t: t, path: path, port: port, dir: t.TempDir()}
	require.NoError(t, r.start())
	t.Cleanup(r.kill)
	return r
}

func (r *realRedis) addr() string { return "127.0.0.1:" + r.port }

func (r *realRedis) start() error {
	r.cmd = exec.Command(r.path, "--port", r.port, "--bind", "127.0.0.1", "--dir", r.dir,
		"--save", "", "--appendonly", "yes", "--appendfsync", "no")
	if err := r.cmd.Start(); err != nil {
		return err
	}
	for start := time.Now(); ; time.Sleep(2 * time.Millisecond) {
		err := r.say("PING", "+PONG")
		if err == nil {
			return nil
		}
		if time.Since(start) > 20*time.Second {
			return fmt.Errorf("redis-server does not answer: %w", err)
		}
	}
}

// kill is for whoever called start, once.
func (r *realRedis) kill() {
	if r.cmd != nil {
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait()
		r.cmd = nil
	}
}

func (r *realRedis) stop() { r.kill() }

// say sends an inline command on a connection of its own. Its patience is for a
// first packet that is lost to a full queue of connections: it is sent again
// after a second at the earliest.
func (r *realRedis) say(command, want string) error {
	const patience = 15 * time.Second
	conn, err := net.DialTimeout("tcp", r.addr(), patience)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := fmt.Fprintf(conn, "%s\r\n", command); err != nil {
		return err
	}
	answer := make([]byte, 256)
	n, err := conn.Read(answer)
	if err != nil {
		return err
	}
	if got := string(answer[:n]); !strings.HasPrefix(got, want) {
		return fmt.Errorf("%s: %q", command, got)
	}
	return nil
}

func (r *realRedis) trouble(dice dice, d time.Duration) (string, error) {
	switch dice.IntN(4) {
	case 0:
		if err := r.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			return "", err
		}
		time.Sleep(d)
		return "redis stopped", r.cmd.Process.Signal(syscall.SIGCONT)
	case 1:
		err := r.say(fmt.Sprintf("CLIENT PAUSE %d ALL", d.Milliseconds()+1), "+OK")
		time.Sleep(d)
		return "redis paused", err
	case 2:
		return "redis connections killed", r.say("CLIENT KILL TYPE normal", ":")
	default:
		r.kill()
		time.Sleep(d)
		return "redis killed", r.start()
	}
}

// miniRedis keeps its data over a restart.
type miniRedis struct{ *miniredis.Miniredis }

func (m *miniRedis) addr() string { return m.Addr() }

func (m *miniRedis) stop() { m.Close() }

func (m *miniRedis) trouble(dice dice, d time.Duration) (string, error) {
	if dice.in(2) {
		m.SetError("LOADING it is not well")
		time.Sleep(d)
		m.SetError("")
		return "redis errors", nil
	}
	m.Close()
	time.Sleep(d)
	return "redis restarted", m.Restart()
}
