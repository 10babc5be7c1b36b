package rest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Defaults of Config's fields.
const (
	DefaultTimeout = 10 * time.Second
	DefaultMaxBody = 8 << 20
)

// Config says what an origin is. Only Base and Item are required; the zero
// value of every other field is its default, which the field states.
type Config[V any] struct {
	// Base is the URL that the paths below are appended to, http or https.
	Base string
	// Item is the path of one record: "/users/{key}". The key becomes one
	// segment, its slashes escaped; as {key...} it keeps them, for origins whose
	// ids are paths. With Composite there may be a {namespace}. A query may
	// follow: "/user?id={key}".
	Item string
	// Collection is the path that lists are read from and records are created
	// at. "": Item less its last segment, where that is {key}.
	Collection string
	// Envelope is where the array of a list is, as names from the outside in:
	// "items", "data.users". "": the list is the array.
	Envelope string
	// KeyOf says the id of a record: the key, or with Composite the Key.ID.
	// List needs it. nil: Create takes the id from the Location header.
	KeyOf func(V) (string, error)
	// Tags says the tags of a record that was read by itself (Response.Tags); one
	// that only a list or a Create brought has none. nil: none.
	Tags func(v V, h http.Header) []string
	// Methods are GET, POST, PUT, DELETE where they are not given.
	Methods Methods

	// Composite makes keys, and the queries of lists, those of Key.String.
	Composite bool
	// Identity turns the identity of a composite key into the headers that a
	// request for it carries. It is not called for a key that has none. nil: such
	// a key is an error. FromContext takes them from the context.
	Identity func(ctx context.Context, identity string) (http.Header, error)

	// Header is sent with every request.
	Header http.Header
	// Prepare is called for every request before it is sent, with the context
	// of whoever's demand took off: see "Identity" in the package comment. Its
	// error fails the call. nil: nothing.
	Prepare func(ctx context.Context, r *http.Request) error
	// Transport sends requests. nil: one of its own, without a proxy. Give one
	// for a client certificate, a proxy, a test.
	Transport http.RoundTripper
	// Wrap is put around the transport, for an identity (oauth2.Transport) or
	// for traces. It sees every request, also those that follow a redirect within
	// the allowed hosts. nil: nothing.
	Wrap func(http.RoundTripper) http.RoundTripper

	// Timeout bounds one call, reading the body included; a context that ends
	// earlier ends it earlier. More is patience with a slow origin, less frees
	// the goroutine sooner. 0: 10 s.
	Timeout time.Duration
	// MaxBody bounds what is read of one answer, in bytes, after decompression.
	// 0: 8 MiB.
	MaxBody int64

	// AllowedHosts are those that redirects may lead to beside Base's, as
	// "host" (with its scheme's port) or "host:port".
	AllowedHosts []string
	// AllowedAddrs are the networks that requests may go to; it is checked on
	// the address that is dialled. It needs a transport whose dialer is ours:
	// Transport is nil, or a *http.Transport with neither dialer nor proxy. Empty:
	// every address for Base's host, and all but loopback, link-local,
	// multicast and unspecified ones for AllowedHosts.
	AllowedAddrs []netip.Prefix

	// IgnoreCacheControl leaves freshness to the cache's Freshness alone.
	// Validators and Age count all the same, and so does no-store.
	IgnoreCacheControl bool

	// Encode and Decode are the form of a record. nil: encoding/json, and a
	// record that is null, or followed by anything, is an error.
	Encode func(V) ([]byte, error)
	Decode func(data []byte, v *V) error
}

// Methods are the HTTP methods of an origin's operations; "" is the default.
type Methods struct {
	Fetch  string // GET
	List   string // GET
	Create string // POST
	Update string // PUT; PATCH sends the whole record as a merge patch (RFC 7396)
	Delete string // DELETE
}

func (m Methods) withDefaults() Methods {
	fill := func(s *string, method string) {
		if *s == "" {
			*s = method
		}
	}
	fill(&m.Fetch, http.MethodGet)
	fill(&m.List, http.MethodGet)
	fill(&m.Create, http.MethodPost)
	fill(&m.Update, http.MethodPut)
	fill(&m.Delete, http.MethodDelete)
	return m
}

// New makes an origin, or says everything that is wrong with c in one error.
// Close it when it is no longer needed, after the cache.
func New[V any](c Config[V]) (*Origin[V], error) {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	o := &Origin[V]{config: c, methods: c.Methods.withDefaults(), timeout: c.Timeout, maxBody: c.MaxBody}
	base, err := parseBase(c.Base)
	if err != nil {
		wrong("Base: %w", err)
		base = &url.URL{Scheme: "https", Host: "invalid"}
	}
	o.base = base
	if o.item, err = parseTemplate(c.Item); err != nil {
		wrong("Item: %w", err)
	} else if !o.item.has(key) {
		wrong("Item has no {key}: %q", c.Item)
	}
	o.parseCollection(wrong)
	for _, part := range strings.Split(c.Envelope, ".") {
		if part == "" && c.Envelope != "" {
			wrong("Envelope %q: want names with dots between them", c.Envelope)
			break
		}
	}
	c.validateMethods(o.methods, wrong)
	if !c.Composite {
		if c.Identity != nil {
			wrong("Identity needs Composite: a plain key has no identity")
		}
		if o.item.has(namespace) || o.collection.has(namespace) {
			wrong("{namespace} needs Composite: a plain key has none")
		}
	}
	for name, values := range c.Header {
		if !isToken(name) {
			wrong("Header has a bad name: %q", name)
		}
		for _, v := range values {
			if strings.ContainsAny(v, "\r\n\x00") {
				wrong("Header %s has a line break or a NUL in its value", name)
			}
		}
	}
	switch {
	case c.Timeout < 0:
		wrong("Timeout is negative: %v", c.Timeout)
	case c.Timeout == 0:
		o.timeout = DefaultTimeout
	}
	switch {
	case c.MaxBody < 0:
		wrong("MaxBody is negative: %d", c.MaxBody)
	case c.MaxBody == 0:
		o.maxBody = DefaultMaxBody
	case c.MaxBody == math.MaxInt64:
		o.maxBody-- // one byte more is read, to see that there is one
	}
	if o.guard, err = newGuard(base, c.AllowedHosts, c.AllowedAddrs); err != nil {
		errs = append(errs, err)
	} else if err := o.open(); err != nil {
		errs = append(errs, err)
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("freshet: rest.Config: %w", errors.Join(errs...))
	}
	return o, nil
}

// parseBase takes an absolute URL; errors do not repeat it: it may hold a
// password.
func parseBase(s string) (*url.URL, error) {
	if s == "" {
		return nil, errors.New("it is required")
	}
	u, err := url.Parse(s)
	if err != nil {
		return nil, errors.New("it is no URL")
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("want an http or https URL, not scheme %q", u.Scheme)
	case u.Hostname() == "":
		return nil, errors.New("it has no host")
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return nil, errors.New("it has a query or a fragment; those belong to a path")
	case hasDotSegment(u.Path):
		return nil, errors.New("its path has a dot segment")
	}
	return u, nil
}

func (o *Origin[V]) parseCollection(wrong func(string, ...any)) {
	path := o.config.Collection
	if path == "" {
		rest, found := strings.CutSuffix(o.config.Item, "/{key}")
		if !found {
			rest, found = strings.CutSuffix(o.config.Item, "/{key...}")
		}
		if !found || rest == "" {
			return // List and Create will say that there is none
		}
		path = rest
	}
	t, err := parseTemplate(path)
	switch {
	case err != nil:
		if o.config.Collection != "" {
			wrong("Collection: %w", err)
		}
		return
	case t.has(key):
		wrong("Collection has a {key}: %q", path)
		return
	}
	o.collection = t
}

func (c Config[V]) validateMethods(m Methods, wrong func(string, ...any)) {
	for _, f := range []struct{ name, method string }{
		{"Fetch", m.Fetch}, {"List", m.List}, {"Create", m.Create}, {"Update", m.Update}, {"Delete", m.Delete},
	} {
		if !isToken(f.method) || strings.ToUpper(f.method) != f.method {
			wrong("Methods.%s is no method: %q", f.name, f.method)
		}
	}
	for _, f := range []struct{ name, method string }{{"Fetch", m.Fetch}, {"List", m.List}} {
		switch f.method {
		case http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodHead, http.MethodConnect:
			wrong("Methods.%s is %s, which reads no record", f.name, f.method)
		}
	}
}

// isToken says whether s can be a method or the name of a header (RFC 9110,
// 5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0:
		default:
			return false
		}
	}
	return s != ""
}
