package rest

import (
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"regexp"
	"strings"
	"time"

	freshet "github.com/freshet-go/freshet/api"
)

// ErrOutside says that a request would have left the allowed hosts or
// addresses. It was not sent there.
var ErrOutside = errors.New("freshet: outside the allowed hosts and addresses")

// outsideError is ErrOutside that says what was outside.
type outsideError struct{ what string }

func outside(format string, args ...any) error {
	return &outsideError{fmt.Sprintf(format, args...)}
}

func (e *outsideError) Error() string      { return "outside the allowed hosts and addresses: " + e.what }
func (*outsideError) Is(target error) bool { return target == ErrOutside }

// StatusError is an answer whose status is not the one wanted. 404 and 410 are
// also ErrNotFound.
type StatusError struct {
	Method string
	URL    string // without userinfo and without the values of its query
	Status int
	// Body is the first kilobyte. It is not part of the message: an origin's
	// error page may repeat what was sent to it.
	Body []byte
	// RetryAfter is how long the origin asked to be left alone; 0: it did not.
	RetryAfter time.Duration
}

func (e *StatusError) Error() string {
	s := fmt.Sprintf("freshet: %s %s: the origin answered %s", e.Method, e.URL, status(e.Status))
	if e.RetryAfter > 0 {
		s += fmt.Sprintf(" and asked to be left alone for %v", e.RetryAfter)
	}
	return s
}

// Unwrap is ErrNotFound for 404 and 410.
func (e *StatusError) Unwrap() error {
	if e.Status == http.StatusNotFound || e.Status == http.StatusGone {
		return freshet.ErrNotFound
	}
	return nil
}

// Retryable says whether the same request may get another answer: 408, 429 and
// 5xx but 501 and 505.
func (e *StatusError) Retryable() bool {
	switch e.Status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return true
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return false
	}
	return e.Status >= 500
}

// RetryIn is RetryAfter, for package resilient.
func (e *StatusError) RetryIn() time.Duration { return e.RetryAfter }

// BodyError is an answer whose status is right and whose body is not.
type BodyError struct {
	Method string
	URL    string // as in StatusError
	Status int
	Why    string // "its body is empty", "it is HTML where JSON was wanted"
	Body   []byte // the first kilobyte, as in StatusError
	Err    error  // what the decoder or the connection said; may be nil

	broken bool // the connection, not the origin's choice
	quotes bool // Err may repeat the body: it is not part of the message
}

func (e *BodyError) Error() string {
	s := fmt.Sprintf("freshet: %s %s: the origin answered %s, but %s", e.Method, e.URL, status(e.Status), e.Why)
	if e.Err != nil && !e.quotes {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *BodyError) Unwrap() error { return e.Err }

// Retryable says whether the body broke off on the way.
func (e *BodyError) Retryable() bool { return e.broken }

// CallError is a call that got no answer: no connection, a broken one, a
// refused redirect, a context that ended.
type CallError struct {
	Method string
	URL    string // as in StatusError
	Err    error

	final bool // to try again is of no use
}

func (e *CallError) Error() string {
	return fmt.Sprintf("freshet: %s %s: %s", e.Method, e.URL, strings.TrimPrefix(e.Err.Error(), "freshet: "))
}

func (e *CallError) Unwrap() error { return e.Err }

// Retryable says whether another try may fare better: not after a certificate
// that fails, nor a redirect that is refused.
func (e *CallError) Retryable() bool { return !e.final }

// wireError is what net/http says of an answer that is no HTTP, without what it
// quotes of it.
type wireError struct {
	text string
	err  error
}

var quotation = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

func wire(err error) error {
	text := quotation.ReplaceAllString(err.Error(), `"…"`)
	var header textproto.ProtocolError // it repeats the line without quotes, at times
	if errors.As(err, &header) {
		text = "the answer has a malformed header"
	}
	if text == err.Error() {
		return err
	}
	return &wireError{text, err}
}

func (e *wireError) Error() string { return e.text }
func (e *wireError) Unwrap() error { return e.err }

// unknownError adds to a write's error that the origin may have applied it.
type unknownError struct{ err error }

func unknown(err error) error {
	if err == nil || errors.Is(err, freshet.ErrUnknown) {
		return err
	}
	return &unknownError{err}
}

func (e *unknownError) Error() string   { return e.err.Error() }
func (e *unknownError) Unwrap() []error { return []error{e.err, freshet.ErrUnknown} }

// status writes a status for people, in our words: the origin's phrase is the
// origin's to choose.
func status(code int) string {
	if text := http.StatusText(code); text != "" {
		return fmt.Sprintf("%d %s", code, text)
	}
	return fmt.Sprint(code)
}

// shown is u without what may be a secret: no userinfo, of a query the names.
func shown(u *url.URL) string {
	s := u.Scheme + "://" + u.Host + u.EscapedPath()
	if u.RawQuery == "" {
		return s
	}
	names := make([]string, 0, 4)
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		name, _, found := strings.Cut(pair, "=")
		if !found {
			name = "" // a query without names is all value
		}
		names = append(names, name+"=…")
	}
	return s + "?" + strings.Join(names, "&")
}
