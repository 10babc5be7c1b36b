package rest_test

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/api/source/rest"
)

type contextT = context.Context

func newTLS(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w, User{ID: "42"}) }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func hostOf(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "http://") }

// Bad input: redirects. Nothing is sent to where they must not lead.
func TestRedirectsStayWithinTheAllowedHosts(t *testing.T) {
	var reached atomic.Int64
	other := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		reached.Add(1)
		answer(w, User{ID: "other"})
	})
	otherURL, err := url.Parse(other.URL)
	require.NoError(t, err)
	var target atomic.Value
	first := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/moved" {
			answer(w, User{ID: "moved"})
			return
		}
		http.Redirect(w, r, target.Load().(string), http.StatusFound)
	})
	named := "http://localhost:" + otherURL.Port() // a name whose address is loopback
	mapped := "http://[::ffff:127.0.0.1]:" + otherURL.Port()
	for _, c := range []struct {
		name, target string
		hosts        []string
		addrs        []netip.Prefix
		want         string // "": ErrOutside
	}{
		{name: "same host", target: "/moved", want: "moved"},
		{name: "another host", target: other.URL},
		{name: "another host, by name", target: named},
		{name: "another port", target: "http://127.0.0.1:1/"},
		{name: "link-local", target: "http://169.254.169.254/latest/meta-data"},
		{name: "another scheme", target: "ftp://" + hostOf(other)},
		{name: "a file", target: "file:///etc/passwd"},
		{name: "allowed, but loopback", target: other.URL, hosts: []string{hostOf(other)}},
		{name: "allowed by name, but resolved to loopback", target: named, hosts: []string{"localhost:" + otherURL.Port()}},
		{name: "allowed, but loopback in IPv6's clothes", target: mapped, hosts: []string{"[::ffff:127.0.0.1]:" + otherURL.Port()}},
		{name: "allowed, but unspecified", target: "http://0.0.0.0:" + otherURL.Port(), hosts: []string{"0.0.0.0:" + otherURL.Port()}},
		{name: "allowed, but link-local", target: "http://169.254.169.254/", hosts: []string{"169.254.169.254"}},
		{name: "allowed, host and address", target: other.URL, hosts: []string{hostOf(other)},
			addrs: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, want: "other"},
		{name: "allowed, name and address", target: named, hosts: []string{"LOCALHOST:" + otherURL.Port()},
			addrs: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}, want: "other"},
	} {
		t.Run(c.name, func(t *testing.T) {
			reached.Store(0)
			target.Store(c.target)
			o := origin(t, first, config{AllowedHosts: c.hosts, AllowedAddrs: c.addrs})
			r, err := fetch(o, "42")
			if c.want != "" {
				require.NoError(t, err)
				require.Equal(t, c.want, r.Value.ID)
				return
			}
			require.ErrorIs(t, err, rest.ErrOutside)
			require.Zero(t, reached.Load())
			var call *rest.CallError
			require.ErrorAs(t, err, &call)
			require.False(t, call.Retryable())
		})
	}
}

// An allow-list holds for the base too, and for the address that its name
// resolves to.
func TestTheAllowListIsCheckedOnTheResolvedAddress(t *testing.T) {
	var reached atomic.Int64
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		reached.Add(1)
		answer(w, User{ID: "42"})
	})
	_, port, err := net.SplitHostPort(hostOf(s))
	require.NoError(t, err)
	ten := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for _, base := range []string{s.URL, "http://localhost:" + port} {
		_, err := fetch(origin(t, nil, config{Base: base, AllowedAddrs: ten}), "42")
		require.ErrorIs(t, err, rest.ErrOutside, base)
		_, err = fetch(origin(t, nil, config{Base: base, AllowedAddrs: ten, Transport: &http.Transport{}}), "42")
		require.ErrorIs(t, err, rest.ErrOutside, "a plain transport gets our dialer")
		require.Zero(t, reached.Load())
	}
	_, err = fetch(origin(t, s, config{AllowedAddrs: []netip.Prefix{netip.MustParsePrefix("::ffff:127.0.0.0/104")}}), "42")
	require.NoError(t, err)
	// What we cannot check we do not pretend to.
	for _, transport := range []http.RoundTripper{
		&http.Transport{Proxy: http.ProxyFromEnvironment},
		&http.Transport{DialContext: (&net.Dialer{}).DialContext},
		roundTripper(nil),
	} {
		_, err := rest.New(config{Base: s.URL, Item: "/{key}", AllowedAddrs: ten, Transport: transport})
		require.ErrorContains(t, err, "AllowedAddrs needs a dialer of ours")
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestARedirectLoopEnds(t *testing.T) {
	var calls atomic.Int64
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		http.Redirect(w, r, "/a", http.StatusFound)
	})
	_, err := fetch(origin(t, s, config{}), "42")
	require.ErrorContains(t, err, "redirected 10 times")
	require.Equal(t, int64(10), calls.Load())
}

// No credential follows a redirect to another origin, whatever its name is,
// not even to an allowed one; to the same origin they do.
func TestCredentialsDoNotFollowARedirectAway(t *testing.T) {
	got := make(chan http.Header, 1)
	other := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got <- r.Header
		answer(w, User{ID: "42"})
	})
	var target string
	first := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/same" {
			got <- r.Header
			answer(w, User{ID: "42"})
			return
		}
		http.Redirect(w, r, target, http.StatusTemporaryRedirect)
	})
	c := config{
		Base: strings.Replace(first.URL, "http://", "http://user:sesame@", 1), Item: "/users/{key}?token=sesame",
		Header:       http.Header{"X-Api-Key": {"sesame"}, "Cookie": {"s=sesame"}, "Accept-Language": {"de"}},
		AllowedHosts: []string{hostOf(other)}, AllowedAddrs: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
	}
	target = other.URL
	_, err := fetch(origin(t, nil, c), "42")
	require.NoError(t, err)
	header := <-got
	require.Equal(t, "de", header.Get("Accept-Language"))
	for name, values := range header {
		require.NotContains(t, strings.Join(values, " "), "sesame", name)
		require.NotEqual(t, "Authorization", name)
	}
	target = "/same"
	_, err = fetch(origin(t, nil, c), "42")
	require.NoError(t, err)
	header = <-got
	require.Equal(t, "sesame", header.Get("X-Api-Key"))
	require.NotEmpty(t, header.Get("Authorization"))
	require.Empty(t, header.Get("Referer"), "it would tell the query")
}

func TestNoRedirectFromHTTPSToHTTP(t *testing.T) {
	var reached atomic.Int64
	plain := serve(t, func(http.ResponseWriter, *http.Request) { reached.Add(1) })
	secure := httptest.NewTLSServer(http.RedirectHandler(plain.URL, http.StatusFound))
	t.Cleanup(secure.Close)
	trusting := &http.Transport{TLSClientConfig: secure.Client().Transport.(*http.Transport).TLSClientConfig}
	o := origin(t, secure, config{Transport: trusting, AllowedHosts: []string{hostOf(plain)},
		AllowedAddrs: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	_, err := fetch(o, "42")
	require.ErrorIs(t, err, rest.ErrOutside)
	require.Zero(t, reached.Load())
}
