package rest

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	freshet "github.com/freshet-go/freshet/api"
)

// template is a path with places for the parts of a key, and maybe a query.
type template struct {
	path, query []piece
	match       *regexp.Regexp // of an escaped path; the groups are the places
}

// piece is literal text or a place.
type piece struct {
	literal string
	place   place
}

type place uint8

const (
	literal place = iota
	key           // {key}: one segment
	keyPath       // {key...}: several
	namespace
)

var places = map[string]place{"key": key, "key...": keyPath, "namespace": namespace}

func parseTemplate(s string) (*template, error) {
	if s == "" {
		return nil, errors.New("it is required")
	}
	path, query, _ := strings.Cut(s, "?")
	t := &template{}
	var err error
	if t.path, err = parsePieces(path); err != nil {
		return nil, err
	}
	if t.query, err = parsePieces(query); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(path, "/") {
		return nil, fmt.Errorf("%q: want a path that begins with a slash", s)
	}
	seen := make(map[place]bool)
	pattern := "^"
	for _, p := range t.path {
		switch p.place {
		case literal:
			u, err := url.Parse(p.literal)
			if err != nil || u.EscapedPath() != p.literal || strings.ContainsAny(p.literal, "#") || hasDotSegment(u.Path) {
				return nil, fmt.Errorf("%q: want a path, escaped where that is needed, without dot segments", s)
			}
			pattern += regexp.QuoteMeta(p.literal)
		case keyPath:
			pattern += "(.+)"
		default:
			pattern += "([^/]+)"
		}
	}
	for _, p := range t.query {
		if p.place == literal && strings.ContainsAny(p.literal, "# \r\n\x00") {
			return nil, fmt.Errorf("%q: its query is not escaped", s)
		}
	}
	for _, p := range append(t.path[:len(t.path):len(t.path)], t.query...) {
		what := p.place
		if what == keyPath {
			what = key
		}
		if what != literal && seen[what] {
			return nil, fmt.Errorf("%q: the same place twice", s)
		}
		seen[what] = true
	}
	t.match = regexp.MustCompile(pattern + "$")
	return t, nil
}

func parsePieces(s string) ([]piece, error) {
	var pieces []piece
	for s != "" {
		before, after, found := strings.Cut(s, "{")
		if strings.Contains(before, "}") {
			return nil, fmt.Errorf("%q: a } without its {", s)
		}
		if before != "" {
			pieces = append(pieces, piece{literal: before})
		}
		if !found {
			break
		}
		name, rest, closed := strings.Cut(after, "}")
		p, known := places[name]
		if !closed {
			return nil, fmt.Errorf("%q: a { without its }", s)
		}
		if !known {
			return nil, fmt.Errorf("{%s}: want {key}, {key...} or {namespace}", name)
		}
		pieces = append(pieces, piece{place: p})
		s = rest
	}
	return pieces, nil
}

// has says whether t has the place; nil has none.
func (t *template) has(want place) bool {
	if t == nil {
		return false
	}
	for _, p := range append(t.path[:len(t.path):len(t.path)], t.query...) {
		if p.place == want || want == key && p.place == keyPath {
			return true
		}
	}
	return false
}

// expand is the escaped path and query for k, or ErrBadKey where k could
// leave them.
func (t *template) expand(k Key) (path, query string, err error) {
	var b strings.Builder
	for _, p := range t.path {
		if err := p.write(&b, k, url.PathEscape); err != nil {
			return "", "", err
		}
	}
	path = b.String()
	b.Reset()
	for _, p := range t.query {
		if err := p.write(&b, k, url.QueryEscape); err != nil {
			return "", "", err
		}
	}
	return path, b.String(), nil
}

func (p piece) write(b *strings.Builder, k Key, escape func(string) string) error {
	switch p.place {
	case literal:
		b.WriteString(p.literal)
		return nil
	case namespace:
		if err := checkPart("namespace", k.Namespace); err != nil {
			return err
		}
		b.WriteString(escape(k.Namespace))
		return nil
	}
	if err := checkPart("key", k.ID); err != nil {
		return err
	}
	if p.place == key {
		b.WriteString(escape(k.ID))
		return nil
	}
	for i, segment := range strings.Split(k.ID, "/") {
		if segment == "" {
			return fmt.Errorf("%w: it has an empty segment", freshet.ErrBadKey)
		}
		if i > 0 {
			b.WriteByte('/')
		}
		b.WriteString(escape(segment))
	}
	return nil
}

// extract is the key that an escaped path was made of. The path's base is
// cut off already.
func (t *template) extract(path string) (Key, bool) {
	groups := t.match.FindStringSubmatch(path)
	if groups == nil {
		return Key{}, false
	}
	var k Key
	i := 0
	for _, p := range t.path {
		if p.place == literal {
			continue
		}
		i++
		part, err := url.PathUnescape(groups[i])
		if err != nil {
			return Key{}, false
		}
		if p.place == namespace {
			k.Namespace = part
		} else {
			k.ID = part
		}
	}
	return k, checkPart("key", k.ID) == nil
}

const maxPart = 4096

// checkPart refuses what escaping does not tame: what servers and proxies on
// the way may resolve, cut off or choke on. Errors do not repeat it where it
// may be long.
func checkPart(what, s string) error {
	switch {
	case s == "":
		return fmt.Errorf("%w: the %s is empty", freshet.ErrBadKey, what)
	case len(s) > maxPart:
		return fmt.Errorf("%w: the %s has %d bytes, more than %d", freshet.ErrBadKey, what, len(s), maxPart)
	case !utf8.ValidString(s) || strings.ContainsRune(s, 0):
		return fmt.Errorf("%w: the %s is not valid UTF-8 without NUL", freshet.ErrBadKey, what)
	case hasDotSegment(s), strings.Trim(s, `/\`) == "": // net/http routes "/users/%2F" as "/users/"
		return fmt.Errorf("%w: the %s %q would leave its path", freshet.ErrBadKey, what, s)
	}
	return nil
}

// hasDotSegment says whether a segment is "." or "..", also behind a
// backslash: some servers take that for a slash.
func hasDotSegment(s string) bool {
	for segment := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == '/' || r == '\\' }) {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}
