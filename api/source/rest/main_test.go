package rest_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/source/rest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var bg = context.Background()

type User struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type config = rest.Config[User]

func idOf(u User) (string, error) { return u.ID, nil }

// serve starts an HTTP server on the loopback interface for the test.
func serve(t testing.TB, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// origin makes an Origin of s, with "/users/{key}" where c names no item.
func origin(t testing.TB, s *httptest.Server, c config) *rest.Origin[User] {
	t.Helper()
	if s != nil && c.Base == "" {
		c.Base = s.URL
	}
	if c.Item == "" {
		c.Item = "/users/{key}"
	}
	o, err := rest.New(c)
	require.NoError(t, err)
	t.Cleanup(o.Close)
	return o
}

func fetch(o *rest.Origin[User], key string) (freshet.Response[User], error) {
	return o.Fetch(bg, freshet.Request[User]{Key: key})
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// pipe is a network without sockets, for a server inside a bubble.
type pipe struct {
	conns chan net.Conn
	quit  chan struct{}
	once  sync.Once
}

func (p *pipe) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.quit:
		return nil, net.ErrClosed
	}
}
func (p *pipe) Close() error   { p.once.Do(func() { close(p.quit) }); return nil }
func (p *pipe) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

func (p *pipe) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.quit:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// within runs a test on virtual time with an origin whose server is h.
func within(t *testing.T, h http.HandlerFunc, c config, test func(t *testing.T, o *rest.Origin[User])) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &pipe{conns: make(chan net.Conn), quit: make(chan struct{})}
		server := &http.Server{Handler: h}
		go func() { _ = server.Serve(p) }()
		transport := &http.Transport{DialContext: p.dial}
		c.Transport = transport
		c.Base = "http://origin.test"
		o := origin(t, nil, c)
		defer func() {
			transport.CloseIdleConnections()
			_ = server.Close()
			synctest.Wait()
		}()
		test(t, o)
	})
}

// cacheOf makes a cache of o that is closed at the test's end.
func cacheOf(t testing.TB, o *rest.Origin[User], c freshet.Config[User]) *freshet.Cache[User] {
	t.Helper()
	c.Name, c.Source = "users", o
	cache, err := freshet.New(c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cache.Close(bg)) })
	return cache
}
