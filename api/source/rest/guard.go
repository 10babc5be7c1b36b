package rest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// guard keeps requests within the allowed hosts and addresses.
type guard struct {
	base  string          // host:port of Base
	hosts map[string]bool // host:port, and host for either scheme's own port
	addrs []netip.Prefix
}

func newGuard(base *url.URL, hosts []string, addrs []netip.Prefix) (*guard, error) {
	g := &guard{base: hostport(base), hosts: make(map[string]bool)}
	var errs []error
	for _, host := range hosts {
		if u, err := url.Parse("//" + host); err != nil || u.Host != host || u.Hostname() == "" || strings.Contains(host, "*") {
			errs = append(errs, fmt.Errorf("AllowedHosts: %q is neither a host nor a host:port", host))
			continue
		}
		g.hosts[strings.ToLower(strings.TrimSuffix(host, "."))] = true
	}
	for _, p := range addrs {
		if !p.IsValid() {
			errs = append(errs, errors.New("AllowedAddrs has a prefix that is none"))
			continue
		}
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		g.addrs = append(g.addrs, p.Masked())
	}
	return g, errors.Join(errs...)
}

// hostport is the authority that u's request would dial, in one spelling.
func hostport(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")), port)
}

// admit says whether a request may go to u, as far as its name tells.
func (g *guard) admit(u *url.URL) error {
	if u.Scheme != "http" && u.Scheme != "https" {
		return outside("scheme %q", u.Scheme)
	}
	at := hostport(u)
	if at == g.base {
		return nil
	}
	host := strings.ToLower(strings.TrimSuffix(u.Host, "."))
	if !g.hosts[at] && !g.hosts[host] {
		return outside("host %s", at)
	}
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil {
		return g.admitAddr(addr, false)
	}
	return nil
}

// admitAddr says whether a connection may go to addr, which a name was
// resolved to; trusted says that it is Base's name.
func (g *guard) admitAddr(addr netip.Addr, trusted bool) error {
	addr = addr.Unmap().WithZone("")
	if len(g.addrs) > 0 {
		for _, p := range g.addrs {
			if p.Contains(addr) {
				return nil
			}
		}
		return outside("address %v", addr)
	}
	if trusted {
		return nil
	}
	if addr.IsLoopback() || addr.IsLinkLocalUnicast() || addr.IsMulticast() || addr.IsUnspecified() {
		return outside("address %v", addr)
	}
	return nil
}

// dial is a DialContext that asks admitAddr about the very address that is
// about to be dialled.
func (g *guard) dial(timeout time.Duration) func(ctx context.Context, network, addr string) (net.Conn, error) {
	dialer := func(trusted bool) *net.Dialer {
		return &net.Dialer{Timeout: timeout, KeepAlive: 30 * time.Second,
			ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
				at, err := netip.ParseAddrPort(address)
				if err != nil {
					return outside("address %q", address)
				}
				return g.admitAddr(at.Addr(), trusted)
			}}
	}
	base, other := dialer(true), dialer(false)
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(addr)
		if err == nil && net.JoinHostPort(strings.ToLower(strings.TrimSuffix(host, ".")), port) == g.base {
			return base.DialContext(ctx, network, addr)
		}
		return other.DialContext(ctx, network, addr)
	}
}

// transport is Config.Transport with its dialer under guard, where that can
// be, and whether it is ours to close.
func (g *guard) transport(given http.RoundTripper, timeout time.Duration) (http.RoundTripper, *http.Transport, error) {
	if given == nil {
		own := http.DefaultTransport.(*http.Transport).Clone() // as every program has it, unless it was replaced
		own.Proxy = nil
		own.DialContext = g.dial(timeout)
		own.MaxIdleConns, own.MaxIdleConnsPerHost = 64, 64
		own.MaxResponseHeaderBytes = 1 << 20
		return own, own, nil
	}
	t, ok := given.(*http.Transport)
	if ok && t != nil && t.DialContext == nil && t.DialTLSContext == nil && t.Dial == nil && t.DialTLS == nil && t.Proxy == nil { //nolint:staticcheck // deprecated dialers dial too
		own := t.Clone()
		own.DialContext = g.dial(timeout)
		return own, own, nil
	}
	if len(g.addrs) > 0 {
		return nil, nil, errors.New("AllowedAddrs needs a dialer of ours: Transport has to be nil, or a *http.Transport with neither dialer nor proxy")
	}
	return given, nil, nil
}

const maxRedirects = 10

var errLoop = fmt.Errorf("freshet: the origin redirected %d times", maxRedirects)

// harmless are the headers that follow a redirect to another origin: no
// credential is among them, whatever it is called.
var harmless = []string{"Accept", "Accept-Language", "Accept-Encoding", "Cache-Control", "Content-Type",
	"If-None-Match", "If-Modified-Since", "User-Agent"}

// redirect is the client's CheckRedirect.
func (g *guard) redirect(r *http.Request, via []*http.Request) error {
	first, last := via[0], via[len(via)-1]
	// net/http tells the next host the last URL, query and all.
	r.Header.Del("Referer")
	switch {
	case len(via) >= maxRedirects:
		return errLoop
	case first.Method != r.Method && first.Method != http.MethodGet:
		return http.ErrUseLastResponse // a write that became a GET would look as if it had succeeded
	case last.URL.Scheme == "https" && r.URL.Scheme != "https":
		return outside("redirected from https to %s", r.URL.Scheme)
	}
	if err := g.admit(r.URL); err != nil {
		return fmt.Errorf("the origin redirected: %w", err)
	}
	if r.URL.Scheme != first.URL.Scheme || hostport(r.URL) != hostport(first.URL) {
		kept := make(http.Header)
		for _, name := range harmless {
			if values, ok := r.Header[name]; ok {
				kept[name] = values
			}
		}
		r.Header = kept
		r.URL.User = nil
	}
	if sent, ok := r.Context().Value(tripKey{}).(*trip); ok {
		sent.connected.Store(false) // an answer came: what counts is the request that follows
	}
	return nil
}
