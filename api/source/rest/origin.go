package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	freshet "github.com/freshet-go/freshet/api"
)

// Origin is the Source, the Writer and the Lister of one kind of record. It is
// safe for concurrent use.
type Origin[V any] struct {
	config     Config[V]
	base       *url.URL
	item       *template
	collection *template // nil: none
	methods    Methods
	guard      *guard
	client     *http.Client
	own        *http.Transport // nil: the user's
	timeout    time.Duration
	maxBody    int64
}

var (
	_ freshet.Source[any] = (*Origin[any])(nil)
	_ freshet.Writer[any] = (*Origin[any])(nil)
	_ freshet.Lister[any] = (*Origin[any])(nil)
)

// open makes the client.
func (o *Origin[V]) open() error {
	transport, own, err := o.guard.transport(o.config.Transport, o.timeout)
	if err != nil {
		return err
	}
	if o.config.Wrap != nil {
		if transport = o.config.Wrap(transport); transport == nil {
			return errors.New("it has a Wrap that returned nil")
		}
	}
	o.own = own
	o.client = &http.Client{Transport: transport, CheckRedirect: o.guard.redirect}
	return nil
}

// Close gives idle connections back. Calls in the air go on; the Origin can be
// used afterwards. A Transport that was given is left alone.
func (o *Origin[V]) Close() {
	if o.own != nil {
		o.own.CloseIdleConnections()
	}
}

// keyOf is what a cache's key means.
func (o *Origin[V]) keyOf(s string) (Key, error) {
	if !o.config.Composite {
		return Key{ID: s}, nil
	}
	return ParseKey(s)
}

// Fetch reads one record, conditionally where Request.Last has a validator.
// Its errors are a *StatusError (404 and 410 wrap ErrNotFound), a *BodyError, a
// *CallError, or wrap ErrBadKey.
func (o *Origin[V]) Fetch(ctx context.Context, r freshet.Request[V]) (freshet.Response[V], error) {
	var none freshet.Response[V]
	k, err := o.keyOf(r.Key)
	if err != nil {
		return none, err
	}
	if err := sameMethod(k, o.methods.Fetch); err != nil {
		return none, err
	}
	q := request{method: o.methods.Fetch, to: o.item, key: k, header: make(http.Header)}
	conditional := false
	if last := r.Last; last != nil && (last.State == freshet.Fresh || last.State == freshet.Stale) {
		if name, value := condition(last.Validator); name != "" {
			q.header.Set(name, value)
			conditional = true
		}
	}
	a, _, err := o.exchange(ctx, q)
	if err != nil {
		return none, err
	}
	response := freshet.Response[V]{Validator: validator(a.header)}
	response.TTL, response.Age = freshness(a.header, time.Now(), a.took, o.config.IgnoreCacheControl)
	switch {
	case a.status == http.StatusNotModified && conditional:
		response.Unchanged = true
		// An ETag stays with the value that it came with: another one, of an origin that
		// is mistaken, would bind the old value to a record that it is not.
		if response.Validator == "" || isETag(r.Last.Validator) {
			response.Validator = r.Last.Validator
		}
		return response, nil
	case a.status != http.StatusOK && a.status != http.StatusNonAuthoritativeInfo:
		return none, a.refused()
	}
	if response.Value, err = o.decode(a, a.body); err != nil {
		return none, err
	}
	if o.config.Tags != nil {
		response.Tags = o.config.Tags(response.Value, a.header)
	}
	return response, nil
}

// sameMethod refuses a key of another method: a key chooses what is read, not
// what is done.
func sameMethod(k Key, method string) error {
	own := k.Method
	if own == "" {
		own = http.MethodGet
	}
	if own != method {
		return errBadMethod
	}
	return nil
}

// decode is the record that data holds.
func (o *Origin[V]) decode(a *answer, data []byte) (V, error) {
	var v V
	data = bytes.TrimSpace(data)
	decode := o.config.Decode
	if decode == nil {
		if why := notJSON(a, data); why != "" {
			return v, a.bad(why, nil)
		}
		decode = func(data []byte, v *V) error { return json.Unmarshal(data, v) }
	}
	if err := decode(data, &v); err != nil {
		var none V
		return none, o.undecodable(a, data, err)
	}
	return v, nil
}

func (o *Origin[V]) undecodable(a *answer, data []byte, err error) error {
	if isHTML(a, data) {
		return a.bad("it is HTML where JSON was wanted", nil)
	}
	why := "its body is not the record that was wanted"
	var (
		syntax *json.SyntaxError
		kind   *json.UnmarshalTypeError
	)
	switch {
	case errors.As(err, &kind):
		if why += ": it"; kind.Field != "" {
			why += fmt.Sprintf("s %q", kind.Field)
		}
		why += fmt.Sprintf(" cannot be of type %v", kind.Type)
	case errors.As(err, &syntax):
		why = "its body is not JSON"
		if syntax.Offset >= int64(len(data)) && strings.Contains(err.Error(), "unexpected end") {
			why, err = "its JSON breaks off", io.ErrUnexpectedEOF
		}
	}
	e := a.bad(why, err)
	e.quotes = syntax == nil && !errors.Is(err, io.ErrUnexpectedEOF)
	return e
}

// notJSON says what is wrong with data at first sight, "" where nothing is.
func notJSON(a *answer, data []byte) string {
	switch {
	case len(data) == 0:
		return "its body is empty"
	case string(data) == "null":
		return "its body is null, which is no record"
	case data[0] == '<' && isHTML(a, data):
		return "it is HTML where JSON was wanted"
	}
	return ""
}

func isHTML(a *answer, data []byte) bool {
	kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	if kind == "text/html" || kind == "application/xhtml+xml" {
		return true
	}
	sniffed := http.DetectContentType(data)
	return strings.HasPrefix(sniffed, "text/html")
}
