package rest

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	freshet "github.com/freshet-go/freshet/api"
)

// request is a call of the origin, before it is HTTP.
type request struct {
	method   string
	to       *template
	key      Key
	header   http.Header // beside those that every request has
	body     []byte
	identity bool // key.Identity's headers are set by the caller
}

// answer is what came back, its body read.
type answer struct {
	method   string
	url      string // of the last redirect, as it is shown
	location *url.URL
	status   int
	header   http.Header
	body     []byte
	took     time.Duration // from before the request to after the body
}

// trip watches whether a request can have reached the origin.
type trip struct {
	traced    atomic.Bool // the transport tells
	connected atomic.Bool
}

type tripKey struct{}

// unsent says that the request certainly was not sent.
func (t *trip) unsent() bool { return t.traced.Load() && !t.connected.Load() }

// exchange sends q and reads the whole answer. reached says whether the
// origin may have seen the request.
func (o *Origin[V]) exchange(ctx context.Context, q request) (a *answer, reached bool, err error) {
	target, err := o.target(q)
	if err != nil {
		return nil, false, err
	}
	failed := func(err error, final bool) error {
		return &CallError{Method: q.method, URL: shown(target), Err: err, final: final}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, timeoutError{o.timeout})
	defer cancel()
	t := &trip{}
	traced := httptrace.WithClientTrace(context.WithValue(ctx, tripKey{}, t), &httptrace.ClientTrace{
		GetConn: func(string) { t.traced.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { t.connected.Store(true) },
	})
	var body io.Reader = http.NoBody
	if q.body != nil {
		body = bytes.NewReader(q.body)
	}
	r, err := http.NewRequestWithContext(traced, q.method, "", body)
	if err != nil {
		return nil, false, failed(errors.New("the request cannot be made"), true)
	}
	r.URL, r.Host = target, target.Host
	if err := o.dress(ctx, r, q); err != nil {
		return nil, false, failed(err, true)
	}
	if ctx.Err() != nil { // or it would look as if it had been sent
		return nil, false, failed(context.Cause(ctx), false)
	}
	begun := time.Now()
	response, err := o.client.Do(r)
	if err != nil {
		err, final := why(ctx, err)
		return nil, !t.unsent(), failed(err, final)
	}
	defer func() { _ = response.Body.Close() }() // it was read, or is given up
	a = &answer{method: q.method, url: shown(target), location: target, status: response.StatusCode, header: response.Header}
	if response.Request != nil && response.Request.URL != nil {
		a.location, a.url = response.Request.URL, shown(response.Request.URL)
	}
	if err := o.read(a, response); err != nil {
		if ctx.Err() != nil {
			err = failed(context.Cause(ctx), false)
		}
		return nil, true, err
	}
	a.took = time.Since(begun)
	return a, true, nil
}

// target is the URL of q.
func (o *Origin[V]) target(q request) (*url.URL, error) {
	path, query, err := q.to.expand(q.key)
	if err != nil {
		return nil, err
	}
	if more := q.key.Query.Encode(); more != "" {
		if query != "" {
			query += "&"
		}
		query += more
	}
	u := *o.base
	u.RawPath = strings.TrimSuffix(o.base.EscapedPath(), "/") + path
	if u.Path, err = url.PathUnescape(u.RawPath); err != nil {
		return nil, fmt.Errorf("%w: it cannot be escaped", freshet.ErrBadKey)
	}
	u.RawQuery = query
	return &u, nil
}

// dress gives r its headers: everybody's, the hook's, the identity's, q's own.
// A later one replaces an earlier one.
func (o *Origin[V]) dress(ctx context.Context, r *http.Request, q request) error {
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "freshet")
	for name, values := range o.config.Header {
		r.Header[http.CanonicalHeaderKey(name)] = append([]string(nil), values...)
	}
	if o.config.Prepare != nil {
		if err := o.config.Prepare(ctx, r); err != nil {
			return err
		}
	}
	if !q.identity {
		if err := o.identify(ctx, q.key, r.Header); err != nil {
			return err
		}
	}
	for name, values := range q.header {
		r.Header[name] = values
	}
	if r.URL == nil {
		return errors.New("freshet: the hook took the request's URL away")
	}
	return o.guard.admit(r.URL)
}

// why is what is behind an error of net/http, without the URL that it
// repeats, and whether it stays that way.
func why(ctx context.Context, err error) (error, bool) {
	if ctx.Err() != nil {
		return context.Cause(ctx), false
	}
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	if strings.HasPrefix(err.Error(), "failed to parse Location header") {
		return errors.New("freshet: the origin redirected to what is no URL"), true
	}
	var (
		certificate *tls.CertificateVerificationError
		authority   x509.UnknownAuthorityError
		name        x509.HostnameError
		invalid     x509.CertificateInvalidError
		record      tls.RecordHeaderError
	)
	switch {
	case errors.Is(err, ErrOutside), errors.Is(err, errLoop):
		return err, true
	case errors.As(err, &certificate), errors.As(err, &authority), errors.As(err, &name), errors.As(err, &invalid):
		return fmt.Errorf("the origin's certificate fails: %w", err), true
	case errors.As(err, &record):
		return fmt.Errorf("the origin does not speak TLS: %w", err), true
	}
	return wire(err), false
}

const (
	excerpt  = 1 << 10
	believed = 1 << 20 // of a Content-Length, before the bytes are there
)

// read reads the body, no more of it than MaxBody. Of an answer that is no
// success the status is what counts, whatever becomes of the page that explains it: an
// excerpt of that is read as far as it comes.
func (o *Origin[V]) read(a *answer, response *http.Response) error {
	if a.status == http.StatusSwitchingProtocols {
		return nil // its body is the bare connection, which no deadline ends
	}
	if a.status >= 300 {
		// More than the excerpt, so that most connections can be used again.
		a.body, _ = io.ReadAll(io.LimitReader(response.Body, 64<<10))
		return nil
	}
	if response.ContentLength > o.maxBody {
		return a.bad(fmt.Sprintf("its body of %d bytes is larger than MaxBody, %d", response.ContentLength, o.maxBody), nil)
	}
	var b bytes.Buffer
	if response.ContentLength > 0 {
		b.Grow(int(min(response.ContentLength, believed)) + bytes.MinRead)
	}
	n, err := b.ReadFrom(io.LimitReader(response.Body, o.maxBody+1))
	a.body = b.Bytes()
	if err != nil {
		broken := a.bad("its body broke off", wire(err))
		broken.broken = true
		return broken
	}
	if n > o.maxBody {
		return a.bad(fmt.Sprintf("its body is larger than MaxBody, %d bytes", o.maxBody), nil)
	}
	return nil
}

func (a *answer) bad(why string, err error) *BodyError {
	return &BodyError{Method: a.method, URL: a.url, Status: a.status, Why: why, Body: a.excerpt(), Err: err}
}

// refused is a's status as an error.
func (a *answer) refused() *StatusError {
	return &StatusError{Method: a.method, URL: a.url, Status: a.status, Body: a.excerpt(),
		RetryAfter: retryAfter(a.header, time.Now())}
}

func (a *answer) excerpt() []byte { return bytes.Clone(a.body[:min(len(a.body), excerpt)]) }

// timeoutError is ErrTimeout, in our own time.
type timeoutError struct{ after time.Duration }

func (e timeoutError) Error() string { return fmt.Sprintf("the origin did not answer in %v", e.after) }
func (timeoutError) Unwrap() error   { return freshet.ErrTimeout }
func (timeoutError) Timeout() bool   { return true }
