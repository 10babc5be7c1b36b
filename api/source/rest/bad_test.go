package rest_test

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/source/rest"
)

// Bad input: a success whose body is none. Each is a *BodyError that says what
// is wrong and does not repeat the body.
func TestABodyThatIsNoRecord(t *testing.T) {
	write := func(kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if kind != "" {
				w.Header().Set("Content-Type", kind)
			}
			_, _ = io.WriteString(w, body)
		}
	}
	for name, c := range map[string]struct {
		h     http.HandlerFunc
		why   string
		again bool
		is    error
	}{
		"empty":                 {write("application/json", ""), "its body is empty", false, nil},
		"white space":           {write("application/json", " \n"), "its body is empty", false, nil},
		"null":                  {write("application/json", "null"), "its body is null", false, nil},
		"HTML":                  {write("text/html", "<!DOCTYPE html><p>sesame"), "HTML where JSON was wanted", false, nil},
		"HTML, said to be JSON": {write("application/json", "<html>sesame</html>"), "HTML where JSON was wanted", false, nil},
		"text":                  {write("text/plain", "sesame"), "not JSON", false, nil},
		"truncated":             {write("application/json", `{"id":"42","name":"sesa`), "JSON breaks off", false, io.ErrUnexpectedEOF},
		"trailing garbage":      {write("application/json", `{"id":"42"} sesame`), "not JSON", false, nil},
		"another type":          {write("application/json", `["sesame"]`), "not the record", false, nil},
		"connection broken": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"id":"sesame"`)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, "broke off", true, io.ErrUnexpectedEOF},
		"204": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, "204 No Content", false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := fetch(origin(t, serve(t, c.h), config{}), "42")
			require.Zero(t, r)
			require.ErrorContains(t, err, c.why)
			require.NotContains(t, err.Error(), "sesame")
			var again interface{ Retryable() bool }
			require.ErrorAs(t, err, &again)
			require.Equal(t, c.again, again.Retryable())
			if c.is != nil {
				require.ErrorIs(t, err, c.is)
			}
		})
	}
}

// Bad input: a body of 1 GiB, announced, endless, and packed into a megabyte.
// None of them is read beyond MaxBody.
func TestAHugeBodyIsBounded(t *testing.T) {
	const gib = 1 << 30
	var sent atomic.Int64
	spill := func(w io.Writer, n int64) {
		chunk := []byte(`"` + strings.Repeat("x", 1<<16))
		for s := int64(0); s < n; s += int64(len(chunk)) {
			if _, err := w.Write(chunk); err != nil {
				return
			}
			sent.Add(int64(len(chunk)))
		}
	}
	for name, h := range map[string]http.HandlerFunc{
		"announced": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1073741824")
			spill(w, gib)
		},
		"endless": func(w http.ResponseWriter, _ *http.Request) { spill(w, gib) },
		"packed": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			spill(z, gib/8)
			_ = z.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			sent.Store(0)
			_, err := fetch(origin(t, serve(t, h), config{MaxBody: 1 << 20}), "42")
			require.ErrorContains(t, err, "larger than MaxBody")
			var body *rest.BodyError
			require.ErrorAs(t, err, &body)
			require.LessOrEqual(t, len(body.Body), 1024)
			if name != "packed" {
				require.Less(t, sent.Load(), int64(gib/4), "the connection was given up")
			}
		})
	}
	// A body of exactly MaxBody is fine.
	body := `{"id":"42"}`
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
	_, err := fetch(origin(t, s, config{MaxBody: int64(len(body))}), "42")
	require.NoError(t, err)
	_, err = fetch(origin(t, s, config{MaxBody: int64(len(body)) - 1}), "42")
	require.ErrorContains(t, err, "larger than MaxBody")
}

func TestAStatusIsTyped(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, strings.Repeat("x", 5000))
	})
	_, err := fetch(origin(t, s, config{}), "42")
	var status *rest.StatusError
	require.ErrorAs(t, err, &status)
	require.Equal(t, "GET", status.Method)
	require.Equal(t, s.URL+"/users/42", status.URL)
	require.Equal(t, http.StatusTeapot, status.Status)
	require.Len(t, status.Body, 1024)
	require.False(t, status.Retryable())
	require.EqualError(t, err, "freshet: GET "+s.URL+"/users/42: the origin answered 418 I'm a teapot")
}

func TestWhatIsTriedAgain(t *testing.T) {
	for status, want := range map[int]bool{400: false, 401: false, 403: false, 404: false, 408: true, 409: false, 410: false,
		425: false, 429: true, 500: true, 501: false, 502: true, 503: true, 504: true, 505: false} {
		require.Equal(t, want, (&rest.StatusError{Status: status}).Retryable(), status)
	}
}

// Bad input: secrets, wherever a request can hold one, reach no error and no
// log; nor do those that the origin repeats.
func TestNoErrorTellsASecret(t *testing.T) {
	const secret = "sesame"
	down := serve(t, nil)
	down.Close()
	hostile := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/status":
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, r.Header.Get("Authorization")+secret)
		case "/html":
			_, _ = io.WriteString(w, "<html>"+r.Header.Get("Authorization")+secret)
		case "/elsewhere":
			w.Header().Set("Location", "http://"+secret+":"+secret+"@elsewhere.test/?token="+secret)
			w.WriteHeader(http.StatusFound)
		case "/nowhere":
			w.Header().Set("Location", "http://%zz"+secret)
			w.WriteHeader(http.StatusFound)
		case "/loop":
			w.Header().Set("Location", r.URL.String())
			w.WriteHeader(http.StatusFound)
		case "/broken":
			panic(http.ErrAbortHandler)
		case "/slow":
			_, _ = io.Copy(io.Discard, r.Body) // a server notices that a client left once it has read the body
			<-r.Context().Done()
		}
	})
	for _, path := range []string{"/status", "/html", "/elsewhere", "/nowhere", "/loop", "/broken", "/slow", "/down"} {
		base := hostile.URL
		if path == "/down" {
			base = down.URL
		}
		c := config{
			Base:    strings.Replace(base, "http://", "http://user:"+secret+"@", 1),
			Item:    path + "?id={key}&token=" + secret,
			Header:  http.Header{"Authorization": {"Bearer " + secret}, "X-Api-Key": {secret}},
			Timeout: 50 * time.Millisecond,
		}
		o := origin(t, nil, c)
		_, err := fetch(o, "42")
		require.Error(t, err, path)
		require.NotContains(t, err.Error(), secret, path)
		require.Contains(t, err.Error(), "token=…", path)
		require.Contains(t, err.Error(), path)
		_, err = o.Update(bg, "42", User{Name: secret})
		require.Error(t, err, path)
		require.NotContains(t, err.Error(), secret, path)
	}
	_, err := rest.New(config{Base: "http://user:" + secret + "@%zz", Item: "/{key}"})
	require.Error(t, err)
	require.NotContains(t, err.Error(), secret)
	_, err = rest.New(config{Base: "http://x", Item: "/{key}", Header: http.Header{"A": {secret + "\n"}}})
	require.Error(t, err)
	require.NotContains(t, err.Error(), secret)
}

// Bad input: a certificate that fails.
func TestABadCertificateIsRefused(t *testing.T) {
	s := serve(t, nil)
	s.Close()
	tls := newTLS(t)
	o := origin(t, nil, config{Base: tls.URL})
	_, err := fetch(o, "42")
	require.ErrorContains(t, err, "certificate fails")
	var call *rest.CallError
	require.ErrorAs(t, err, &call)
	require.False(t, call.Retryable())
	_, err = o.Update(bg, "42", User{})
	require.ErrorContains(t, err, "certificate fails")
	require.NotErrorIs(t, err, freshet.ErrUnknown, "nothing was sent")
}

// C2: the timeout is the source's, or the caller's context where that ends
// earlier; the error says which.
func TestC2_TheTimeoutIsTheSourcesOrTheCallers(t *testing.T) {
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	within(t, hang, config{}, func(t *testing.T, o *rest.Origin[User]) {
		begun := time.Now()
		_, err := fetch(o, "42")
		require.Equal(t, 10*time.Second, time.Since(begun))
		require.ErrorIs(t, err, freshet.ErrTimeout)
		require.ErrorContains(t, err, "GET http://origin.test/users/42: the origin did not answer in 10s")
	})
	within(t, hang, config{Timeout: time.Hour}, func(t *testing.T, o *rest.Origin[User]) {
		c := cacheOf(t, o, freshet.Config[User]{Timeout: time.Hour})
		begun := time.Now()
		_, err := c.Get(bg, "42", freshet.WithTimeout(time.Second))
		require.Equal(t, time.Second, time.Since(begun))
		require.ErrorIs(t, err, freshet.ErrTimeout)
	})
	// A body that trickles for ever is bounded too.
	within(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = io.WriteString(w, " ")
			_ = http.NewResponseController(w).Flush()
			select {
			case <-time.After(time.Second):
			case <-r.Context().Done():
			}
		}
	}, config{}, func(t *testing.T, o *rest.Origin[User]) {
		begun := time.Now()
		_, err := fetch(o, "42")
		require.Equal(t, 10*time.Second, time.Since(begun))
		require.ErrorIs(t, err, freshet.ErrTimeout)
	})
}

func TestAHookCanRefuse(t *testing.T) {
	var calls atomic.Int64
	s := serve(t, func(http.ResponseWriter, *http.Request) { calls.Add(1) })
	refused := errors.New("no token")
	_, err := fetch(origin(t, s, config{Prepare: func(_ contextT, _ *http.Request) error { return refused }}), "42")
	require.ErrorIs(t, err, refused)
	_, err = fetch(origin(t, s, config{Prepare: func(_ contextT, r *http.Request) error {
		r.URL.Host = "elsewhere.test"
		return nil
	}}), "42")
	require.ErrorIs(t, err, rest.ErrOutside)
	_, err = fetch(origin(t, s, config{Prepare: func(_ contextT, r *http.Request) error {
		r.URL = nil
		return nil
	}}), "42")
	require.Error(t, err)
	require.Zero(t, calls.Load())
}

// Every wrong field is named in one error.
func TestNewNamesEveryWrongField(t *testing.T) {
	_, err := rest.New(config{Base: "ftp://x", Item: "users/{id}", Collection: "/users/{key}", Envelope: "a..b",
		Methods: rest.Methods{Fetch: "DELETE", Create: "po st"}, Timeout: -1, MaxBody: -1,
		Header: http.Header{"a b": {"c"}}, AllowedHosts: []string{"http://x/"},
		Identity: rest.FromContext})
	require.Error(t, err)
	for _, field := range []string{"Base", "Item", "Collection", "Envelope", "Methods.Fetch", "Methods.Create", "Timeout", "MaxBody",
		"Header", "AllowedHosts", "Identity"} {
		require.ErrorContains(t, err, field)
	}
	for _, item := range []string{"", "/users", "/{key", "/key}", "/{key}/{key}", "/../{key}", "/a b/{key}", "/{key}#x", "/{namespace}/{key}",
		"/%2e%2e/{key}"} {
		_, err := rest.New(config{Base: "http://x", Item: item})
		require.ErrorContains(t, err, "rest.Config", item)
	}
	_, err = rest.New(config{Base: "http://x", Item: "/users/{id}"})
	require.ErrorContains(t, err, "{id}: want {key}", "it says what is wrong, and what is right")
	for _, base := range []string{"", "/x", "http://", "http://x?a=b", "http://x#a", "http://x/../y", "://"} {
		_, err := rest.New(config{Base: base, Item: "/{key}"})
		require.ErrorContains(t, err, "Base", base)
	}
}
