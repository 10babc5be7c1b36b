package rest

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	freshet "github.com/freshet-go/freshet/api"
)

// Key is a key of more than one part, for Config.Composite. Two Keys that
// differ in any part have different strings, and whatever the order in which
// a query was written, its string is the same.
type Key struct {
	Method    string     // "" is GET; it tells apart, a Source refuses what is not its own
	Namespace string     // Item's {namespace}; "": none
	ID        string     // Item's {key}; "" in the query of a list
	Query     url.Values // sent with the request; sorted by name, values of one name keep their order
	Identity  string     // whose answer it is, as Config.Identity knows it; never a secret: keys are logged
}

// String is the key of the cache: "users/42?fields=name#ada". A namespace ends
// with a slash that no other part can hold, so InvalidatePrefix("users/") means
// what it says.
func (k Key) String() string {
	var b strings.Builder
	if k.Method != "" && k.Method != http.MethodGet {
		b.WriteString(k.Method + " ")
	}
	if k.Namespace != "" {
		b.WriteString(url.PathEscape(k.Namespace) + "/")
	}
	b.WriteString(url.PathEscape(k.ID))
	if len(k.Query) > 0 {
		b.WriteString("?" + k.Query.Encode())
	}
	if k.Identity != "" {
		b.WriteString("#" + url.PathEscape(k.Identity))
	}
	return b.String()
}

// ParseKey is the reverse of Key.String. It takes no other spelling: two
// spellings of one resource would be two entries of the cache.
func ParseKey(s string) (Key, error) {
	bad := func(why string) (Key, error) {
		return Key{}, fmt.Errorf("%w: %s; make it with rest.Key.String", freshet.ErrBadKey, why)
	}
	var k Key
	rest, identity, _ := strings.Cut(s, "#")
	rest, query, _ := strings.Cut(rest, "?")
	if method, after, found := strings.Cut(rest, " "); found {
		if !isToken(method) {
			return bad("its method is none")
		}
		k.Method, rest = method, after
	}
	before, after, found := strings.Cut(rest, "/")
	if !found {
		before, after = "", rest
	}
	var err error
	for _, part := range []struct {
		to   *string
		from string
	}{{&k.Namespace, before}, {&k.ID, after}, {&k.Identity, identity}} {
		if *part.to, err = url.PathUnescape(part.from); err != nil {
			return bad("it is not escaped as it should be")
		}
	}
	if query != "" {
		if k.Query, err = url.ParseQuery(query); err != nil {
			return bad("its query is none")
		}
	}
	if k.String() != s {
		return bad("it is not in its canonical form")
	}
	return k, nil
}
