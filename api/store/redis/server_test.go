package redis_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// server is a real redis-server of this test, on a loopback port of its own.
type server struct {
	t    testing.TB
	port string
	args []string
	cmd  *exec.Cmd
}

func (s *server) addr() string { return "127.0.0.1:" + s.port }

// startServer starts the redis-server of the PATH. Without one the test is skipped,
// but where CI=true it fails: nothing that has to be proven is skipped there.
func startServer(t testing.TB, args ...string) *server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("CI needs a redis-server in the PATH (apt-get install redis-server): %v", err)
		}
		t.Skipf("it needs a redis-server in the PATH (apt-get install redis-server): %v", err)
	}
	port := freePort(t)
	s := &server{t: t, port: port, args: append([]string{
		"--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir(),
	}, args...)}
	s.start()
	t.Cleanup(s.stop)
	return s
}

// freePort is one that nobody listens on.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	return port
}

func (s *server) start() {
	s.t.Helper()
	s.cmd = exec.Command("redis-server", s.args...)
	require.NoError(s.t, s.cmd.Start())
	require.Eventually(s.t, func() bool {
		_, err := s.ask("PING")
		return err == nil || strings.Contains(err.Error(), "NOAUTH")
	}, 10*time.Second, 5*time.Millisecond)
}

func (s *server) stop() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

// ask sends one command on a connection of its own and returns the first line of
// the answer, so that tests look at Redis past the client under test.
func (s *server) ask(args ...string) (string, error) {
	conn, err := net.DialTimeout("tcp", s.addr(), time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	if _, err := conn.Write([]byte(b.String())); err != nil {
		return "", err
	}
	in := bufio.NewReader(conn)
	line, err := in.ReadString('\n')
	if strings.HasPrefix(line, "$") && !strings.HasPrefix(line, "$-1") {
		line, err = in.ReadString('\n')
	}
	line = strings.TrimRight(line, "\r\n")
	if strings.HasPrefix(line, "-") {
		return "", fmt.Errorf("%s", line)
	}
	return line, err
}

func (s *server) must(args ...string) string {
	s.t.Helper()
	line, err := s.ask(args...)
	require.NoError(s.t, err, "%q", args)
	return line
}
