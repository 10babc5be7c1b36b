package rest_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/source/rest"
)

// mux is an origin as they are written: what it sees as the id is what it was
// asked for, and everything outside /users/ is forbidden ground.
func mux(t testing.TB, trespass *atomic.Int64) http.HandlerFunc {
	m := http.NewServeMux()
	m.HandleFunc("/users/{id}", func(w http.ResponseWriter, r *http.Request) {
		answer(w, User{ID: r.PathValue("id"), Name: r.URL.RawQuery})
	})
	m.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		trespass.Add(1)
		t.Logf("trespass: %q", r.RequestURI)
		w.WriteHeader(http.StatusForbidden)
	})
	return m.ServeHTTP
}

// Bad input: keys that mean something in a URL. Each reaches the origin as it
// is, or is ErrBadKey and reaches nobody.
func TestNoKeyLeavesItsPath(t *testing.T) {
	var trespass atomic.Int64
	s := serve(t, mux(t, &trespass))
	o := origin(t, s, config{})
	for _, key := range []string{"42", "a?b", "a?b=c&d", "a#b", "a/b", "/a", "a/", "a//b", "%2e%2e", "%2e%2e%2fadmin", "%", "%zz", "%00", "a b", "a+b",
		"a;b", "a:b", "a@b", "@", "ü", "日本", "...", "a..b", "..a", "http://x/", "a\\b", "\n", "a\r\nHost: x", "\t", "{key}", "~", "a&b=c"} {
		r, err := fetch(o, key)
		require.NoError(t, err, "%q", key)
		require.Equal(t, key, r.Value.ID)
		require.Empty(t, r.Value.Name, "no query came of %q", key)
	}
	for _, key := range []string{"", ".", "..", "/", "//", `\`, "../admin", "a/../b", "a/..", "/..", "./a", `..\admin`, `a\..\b`, "\x00", "a\x00b", "\xff", "..//",
		strings.Repeat("x", 1<<20)} {
		_, err := fetch(o, key)
		require.ErrorIs(t, err, freshet.ErrBadKey, "%.20q", key)
		require.Less(t, len(err.Error()), 200)
		_, err = o.Update(bg, key, User{})
		require.ErrorIs(t, err, freshet.ErrBadKey)
		require.ErrorIs(t, o.Delete(bg, key), freshet.ErrBadKey)
	}
	require.Zero(t, trespass.Load())
}

func TestAnyKeyArrivesAsItIsOrNotAtAll(t *testing.T) {
	var trespass atomic.Int64
	s := serve(t, mux(t, &trespass))
	o := origin(t, s, config{})
	rapid.Check(t, func(t *rapid.T) {
		key := strings.Join(rapid.SliceOfN(rapid.OneOf(
			rapid.SampledFrom([]string{".", "..", "/", `\`, "%", "%2e", "%2F", "?", "#", "&", "=", ";", "\x00", " ", "+", "a"}),
			rapid.StringN(0, 3, 12)), 1, 6).Draw(t, "parts"), "")
		r, err := fetch(o, key)
		if err != nil {
			require.ErrorIs(t, err, freshet.ErrBadKey)
			return
		}
		require.Equal(t, key, r.Value.ID)
	})
	require.Zero(t, trespass.Load())
}

func TestAKeyThatIsAPathKeepsItsSlashes(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { answer(w, User{ID: r.RequestURI}) })
	o := origin(t, s, config{Base: s.URL + "/v1/", Item: "/files/{key...}/meta?rev=1"})
	r, err := fetch(o, "a b/ü/c?d")
	require.NoError(t, err)
	require.Equal(t, "/v1/files/a%20b/%C3%BC/c%3Fd/meta?rev=1", r.Value.ID)
	for _, key := range []string{"a//b", "/a", "a/", "a/../b"} {
		_, err := fetch(o, key)
		require.ErrorIs(t, err, freshet.ErrBadKey, key)
	}
	o = origin(t, s, config{Item: "/user?id={key}&full=1"})
	r, err = fetch(o, "a&b=c#d e")
	require.NoError(t, err)
	require.Equal(t, "/user?id=a%26b%3Dc%23d+e&full=1", r.Value.ID)
}

// Behaviour 9: keys tell apart method, namespace, query and identity headers,
// and do not tell apart the order of a query.
func TestKeysTellApartWhatTheyAreToldTo(t *testing.T) {
	base := func() rest.Key {
		return rest.Key{Namespace: "users", ID: "42", Query: url.Values{"a": {"1"}, "b": {"2", "3"}}, Identity: "ada"}
	}
	require.Equal(t, "users/42?a=1&b=2&b=3#ada", base().String())
	other := []rest.Key{base(), base(), base(), base(), base(), base(), base(), base()}
	other[0].Method = "QUERY"
	other[1].Namespace = "teams"
	other[2].Namespace, other[2].ID = "", "users/42"
	other[3].Query = url.Values{"a": {"1"}, "b": {"3", "2"}} // the order within a name is the name's value
	other[4].Query = url.Values{"a": {"1&b=2"}, "b": {"3"}}
	other[5].Identity = "bob"
	other[6].ID, other[6].Identity = "42#ada", ""
	other[7].ID, other[7].Query = "42?a=1&b=2&b=3", nil
	seen := map[string]bool{base().String(): true}
	for _, k := range other {
		require.False(t, seen[k.String()], k.String())
		seen[k.String()] = true
		back, err := rest.ParseKey(k.String())
		require.NoError(t, err)
		require.Equal(t, k, back)
	}
	get := base()
	get.Method = http.MethodGet
	require.Equal(t, base().String(), get.String())
	for _, spelling := range []string{"users/42?b=2&a=1", "users/4%32", "users/42?", "users/42#", "users/a b", "users/%zz", "GET 42", "a/b/c", "x?%zz"} {
		_, err := rest.ParseKey(spelling)
		require.ErrorIs(t, err, freshet.ErrBadKey, spelling)
	}
	// Headers become an identity by a digest, in whatever order they are named.
	h := http.Header{"Authorization": {"Bearer sesame"}, "Accept-Language": {"de"}}
	id := rest.Digest(h, "Authorization", "Accept-Language")
	require.Equal(t, id, rest.Digest(h, "accept-language", "AUTHORIZATION"))
	require.NotContains(t, id, "sesame")
	require.NotEqual(t, id, rest.Digest(h, "Authorization"))
	h.Set("Accept-Language", "en")
	require.NotEqual(t, id, rest.Digest(h, "Authorization", "Accept-Language"))
	require.NotEqual(t, rest.Digest(http.Header{"A": {"b"}}, "A", "B"), rest.Digest(http.Header{"B": {"b"}}, "A", "B"))
	require.NotEqual(t, rest.Digest(http.Header{"A": {"b", "c"}}, "A"), rest.Digest(http.Header{"A": {"bc"}}, "A"))
}

func TestKeysAreInjective(t *testing.T) {
	part := rapid.StringOf(rapid.SampledFrom([]rune("a/?#&=% +.\x00ü")))
	draw := rapid.Custom(func(t *rapid.T) rest.Key {
		k := rest.Key{Method: rapid.SampledFrom([]string{"", "QUERY"}).Draw(t, "method"), Namespace: part.Draw(t, "ns"),
			ID: part.Draw(t, "id"), Identity: part.Draw(t, "identity")}
		if q := rapid.MapOfN(part, rapid.SliceOfN(part, 1, 2), 0, 2).Draw(t, "query"); len(q) > 0 {
			k.Query = q
		}
		return k
	})
	rapid.Check(t, func(t *rapid.T) {
		k := draw.Draw(t, "key")
		back, err := rest.ParseKey(k.String())
		require.NoError(t, err, "%q", k.String())
		require.Equal(t, k, back)
	})
}

// Identity: a key's answer is fetched with that key's headers and no others,
// whoever asks, so that no one is ever answered with another's record.
func TestAnIdentityNeverLeaksBetweenKeys(t *testing.T) {
	var calls atomic.Int64
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		w.Header().Set("Cache-Control", "private, max-age=60")
		w.Header().Set("Vary", "Authorization")
		answer(w, User{ID: "me", Name: r.Header.Get("Authorization") + r.URL.RawQuery})
	})
	o := origin(t, s, config{Composite: true, Item: "/{namespace}/{key}", Identity: rest.FromContext,
		// A hook that does what the package comment forbids does not win over the key's identity.
		Prepare: func(ctx context.Context, r *http.Request) error {
			if token, ok := ctx.Value(tokenKey{}).(string); ok {
				r.Header.Set("Authorization", token)
			}
			return nil
		}})
	c := cacheOf(t, o, freshet.Config[User]{})
	as := func(name string) context.Context {
		return rest.WithIdentity(bg, name, http.Header{"authorization": {"token of " + name}})
	}
	key := func(name string) string { return rest.Key{Namespace: "users", ID: "me", Identity: name}.String() }
	for range 2 {
		for _, name := range []string{"ada", "bob"} {
			u, err := c.Get(as(name), key(name))
			require.NoError(t, err)
			require.Equal(t, "token of "+name, u.Name)
		}
	}
	require.Equal(t, int64(2), calls.Load())
	// A context that is not the key's, or none, sends nothing.
	for _, ctx := range []context.Context{as("bob"), bg} {
		_, err := c.Get(ctx, key("eve"))
		require.ErrorIs(t, err, rest.ErrIdentity)
	}
	require.Equal(t, int64(2), calls.Load())
	u, err := c.Get(context.WithValue(as("cyd"), tokenKey{}, "token of eve"), key("cyd"))
	require.NoError(t, err)
	require.Equal(t, "token of cyd", u.Name)
	// A key without identity carries nobody's headers.
	u, err = c.Get(as("ada"), rest.Key{Namespace: "users", ID: "me", Query: url.Values{"b": {"2"}, "a": {"1"}}}.String())
	require.NoError(t, err)
	require.Equal(t, "a=1&b=2", u.Name)
	for _, bad := range []string{"users/me?b=1&a=1", "QUERY users/me", "me"} {
		_, err = c.Get(bg, bad)
		require.ErrorIs(t, err, freshet.ErrBadKey, bad)
	}
}

type tokenKey struct{}

func TestAnIdentityNeedsHeaders(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, User{}) })
	k := rest.Key{ID: "me", Identity: "ada"}.String()
	_, err := fetch(origin(t, s, config{Composite: true}), k)
	require.ErrorContains(t, err, "Identity is nil")
	_, err = fetch(origin(t, s, config{Composite: true, Identity: func(context.Context, string) (http.Header, error) { return nil, nil }}), k)
	require.ErrorContains(t, err, "would be anybody's")
}
