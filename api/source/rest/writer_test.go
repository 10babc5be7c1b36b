package rest_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/source/rest"
)

// seen is what the origin was sent.
type seen struct{ method, path, kind, body string }

// scribe answers every write with h and keeps what it was sent.
func scribe(t testing.TB, got *seen, h http.HandlerFunc) *rest.Origin[User] {
	var mu sync.Mutex
	return origin(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		*got = seen{r.Method, r.RequestURI, r.Header.Get("Content-Type"), string(body)}
		h(w, r)
	}), config{})
}

func TestWritesAreTheMethodsOfREST(t *testing.T) {
	var got seen
	stored := User{ID: "7", Name: "Ada"}
	o := scribe(t, &got, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "/users/7")
		switch r.Method {
		case http.MethodPost:
			w.WriteHeader(http.StatusCreated)
		case http.MethodDelete:
			w.WriteHeader(http.StatusNoContent)
			return
		}
		answer(w, stored)
	})
	key, v, err := o.Create(bg, User{Name: "ada"})
	require.NoError(t, err)
	require.Equal(t, "7", key)
	require.Equal(t, stored, v, "as the origin has it")
	require.Equal(t, seen{"POST", "/users", "application/json", `{"id":"","name":"ada"}`}, got)

	v, err = o.Update(bg, "a/b", User{Name: "ada"})
	require.NoError(t, err)
	require.Equal(t, stored, v)
	require.Equal(t, seen{"PUT", "/users/a%2Fb", "application/json", `{"id":"","name":"ada"}`}, got)

	v, err = o.Patch(bg, "7", map[string]string{"name": "Ada"})
	require.NoError(t, err)
	require.Equal(t, stored, v)
	require.Equal(t, seen{"PATCH", "/users/7", "application/merge-patch+json", `{"name":"Ada"}`}, got)

	require.NoError(t, o.Delete(bg, "7"))
	require.Equal(t, seen{method: "DELETE", path: "/users/7"}, got)
}

// An empty answer stands for what was sent; after a Patch the record is read.
func TestAnEmptyAnswerToAWrite(t *testing.T) {
	o := origin(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			answer(w, User{ID: "7", Name: "read"})
			return
		}
		w.Header().Set("Location", "/users/7")
		w.WriteHeader(http.StatusNoContent)
	}), config{})
	key, v, err := o.Create(bg, User{Name: "sent"})
	require.NoError(t, err)
	require.Equal(t, "7", key)
	require.Equal(t, "sent", v.Name)
	v, err = o.Update(bg, "7", User{Name: "sent"})
	require.NoError(t, err)
	require.Equal(t, "sent", v.Name)
	v, err = o.Patch(bg, "7", User{Name: "sent"})
	require.NoError(t, err)
	require.Equal(t, "read", v.Name)
}

func TestCreateFindsTheKey(t *testing.T) {
	for name, c := range map[string]struct {
		location string
		keyOf    func(User) (string, error)
		want     string
	}{
		"path":             {location: "/v1/users/a%2Fb", want: "a/b"},
		"relative":         {location: "users/7", want: "7"}, // to /v1/users
		"absolute":         {location: "https://public.test/v1/users/7?x=1", want: "7"},
		"from the record":  {keyOf: idOf, want: "42"},
		"none":             {},
		"somewhere else":   {location: "/v1/teams/7"},
		"outside the base": {location: "/users/7"},
		"the collection":   {location: "/v1/users/"},
		"dots":             {location: "/v1/users/%2e%2e"},
		"no URL":           {location: "http://%zz"},
		"record without":   {keyOf: func(User) (string, error) { return "", nil }},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if c.location != "" {
					w.Header().Set("Location", c.location)
				}
				w.WriteHeader(http.StatusCreated)
				answer(w, User{ID: "42"})
			})
			o := origin(t, s, config{Base: s.URL + "/v1", KeyOf: c.keyOf})
			key, _, err := o.Create(bg, User{})
			if c.want == "" {
				require.ErrorIs(t, err, freshet.ErrUnknown, "it was created, but as what?")
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, key)
		})
	}
}

// W3: what a failed write says of its outcome.
func TestW3_TheOutcomeOfAFailedWrite(t *testing.T) {
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/elsewhere" {
				answer(w, User{ID: "42"}) // a write that came here as a GET would look as if it had succeeded
				return
			}
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(code)
		}
	}
	for name, c := range map[string]struct {
		h       http.HandlerFunc
		unknown bool
	}{
		"400": {status(400), false}, "401": {status(401), false}, "403": {status(403), false}, "404": {status(404), false},
		"408": {status(408), false}, "409": {status(409), false}, "412": {status(412), false}, "422": {status(422), false},
		"429": {status(429), false}, "501": {status(501), false}, "503": {status(503), false},
		"500": {status(500), true}, "502": {status(502), true}, "504": {status(504), true}, "520": {status(520), true},
		"202": {status(202), true}, "301": {status(301), true}, "302": {status(302), true}, "303": {status(303), true},
		"422, its page breaks off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(http.StatusUnprocessableEntity)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, false},
		"422, its page is too large": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1073741824")
			w.WriteHeader(http.StatusUnprocessableEntity)
		}, false},
		"connection broken": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, true},
		"garbage":           {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, true},
		"answer broken off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "{")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, true},
		"too large": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "1073741824") }, true},
	} {
		t.Run(name, func(t *testing.T) {
			var got seen
			o := scribe(t, &got, c.h)
			_, _, createErr := o.Create(bg, User{})
			_, updateErr := o.Update(bg, "7", User{})
			_, patchErr := o.Patch(bg, "7", User{})
			for i, err := range []error{createErr, updateErr, patchErr} {
				require.Error(t, err)
				require.Equal(t, c.unknown, errors.Is(err, freshet.ErrUnknown), "%d: %v", i, err)
			}
			if name == "garbage" {
				return // a Delete reads no answer
			}
			err := o.Delete(bg, "7")
			if name == "404" {
				require.NoError(t, err, "what does not exist is deleted")
				return
			}
			require.Error(t, err)
			require.Equal(t, c.unknown, errors.Is(err, freshet.ErrUnknown), "%v", err)
		})
	}
}

// W3: without a connection nothing was written; with one, time that runs out
// leaves it open.
func TestW3_NoConnectionNoDoubt(t *testing.T) {
	s := serve(t, nil)
	s.Close()
	_, err := origin(t, s, config{}).Update(bg, "7", User{})
	require.Error(t, err)
	require.NotErrorIs(t, err, freshet.ErrUnknown)

	within(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}, config{}, func(t *testing.T, o *rest.Origin[User]) {
		begun := time.Now()
		_, err := o.Update(bg, "7", User{})
		require.Equal(t, 10*time.Second, time.Since(begun))
		require.ErrorIs(t, err, freshet.ErrUnknown)
		require.ErrorIs(t, err, freshet.ErrTimeout)
	})
	// A transport that does not tell leaves it open.
	o := origin(t, s, config{Transport: roundTripper(func(*http.Request) (*http.Response, error) { return nil, io.ErrClosedPipe })})
	_, err = o.Update(bg, "7", User{})
	require.ErrorIs(t, err, freshet.ErrUnknown)
	require.ErrorIs(t, err, io.ErrClosedPipe)
}

// 307 and 308 keep the method and the body.
func TestAWriteFollowsARedirectThatKeepsIt(t *testing.T) {
	var got seen
	o := scribe(t, &got, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/users/7" {
			http.Redirect(w, r, "/v2/7", http.StatusPermanentRedirect)
			return
		}
		answer(w, User{ID: "7"})
	})
	_, err := o.Update(bg, "7", User{Name: "Ada"})
	require.NoError(t, err)
	require.Equal(t, seen{"PUT", "/v2/7", "application/json", `{"id":"","name":"Ada"}`}, got)
}

func TestARecordThatIsNoJSONIsNotSent(t *testing.T) {
	o, err := rest.New(rest.Config[func()]{Base: "http://127.0.0.1:1", Item: "/x/{key}"})
	require.NoError(t, err)
	_, err = o.Update(bg, "7", func() {})
	var unsupported *json.UnsupportedTypeError
	require.ErrorAs(t, err, &unsupported)
	require.NotErrorIs(t, err, freshet.ErrUnknown)
}

// A record is created on behalf of the context's identity, which is in its key.
func TestCreateIsOfTheContextsIdentity(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		answer(w, User{ID: "7", Name: r.Header.Get("Authorization")})
	})
	o := origin(t, s, config{Composite: true, KeyOf: idOf, Identity: rest.FromContext})
	ctx := rest.WithIdentity(bg, "ada", http.Header{"Authorization": {"token of ada"}})
	key, v, err := o.Create(ctx, User{})
	require.NoError(t, err)
	require.Equal(t, "token of ada", v.Name)
	require.Equal(t, rest.Key{ID: "7", Identity: "ada"}.String(), key)
	_, err = o.Update(bg, key, User{})
	require.ErrorIs(t, err, rest.ErrIdentity)
	_, err = o.Update(ctx, key, User{})
	require.NoError(t, err)
}
