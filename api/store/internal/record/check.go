package record

import (
	"fmt"
	"strings"
	"unicode/utf8"

	freshet "github.com/freshet-go/freshet/api"
)

const maxKey = 4096

// CheckKey returns nil for 1 to 4096 bytes of UTF-8 without NUL, else an error
// of store (its name in errors) that wraps ErrBadKey.
func CheckKey(store, key string) error {
	if key == "" {
		return fmt.Errorf("freshet: %s: the key is empty: %w", store, bare(freshet.ErrBadKey))
	}
	return CheckPrefix(store, key)
}

// CheckPrefix is CheckKey that admits the empty string: every key.
func CheckPrefix(store, prefix string) error {
	switch {
	case len(prefix) > maxKey:
		return fmt.Errorf("freshet: %s: the key has %d bytes, and %d is the most: %w",
			store, len(prefix), maxKey, bare(freshet.ErrBadKey))
	case !utf8.ValidString(prefix), strings.ContainsRune(prefix, 0):
		return fmt.Errorf("freshet: %s: the key %q is not UTF-8 without NUL: %w",
			store, prefix, bare(freshet.ErrBadKey))
	}
	return nil
}

// CheckName returns nil for the name of a cache: 1 to 128 of a-z, 0-9, dot,
// underscore and hyphen.
func CheckName(store, name string) error {
	ok := name != "" && len(name) <= 128
	for _, c := range name {
		ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-')
	}
	if !ok {
		return fmt.Errorf("freshet: %s: the name %.140q is not 1 to 128 of a-z, 0-9, '.', '_' and '-'", store, name)
	}
	return nil
}

// Closed is the answer of a closed store.
func Closed(store string) error {
	return fmt.Errorf("freshet: %s: the store is closed: %w", store, bare(freshet.ErrClosed))
}

// bare wraps a sentinel without repeating whose it is.
func bare(err error) error { return trimmed{err} }

type trimmed struct{ error }

func (t trimmed) Error() string { return strings.TrimPrefix(t.error.Error(), "freshet: ") }
func (t trimmed) Unwrap() error { return t.error }
