package rest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"slices"
)

// ErrIdentity says that a key is of one identity and the context of another,
// or of none. Nothing was sent.
var ErrIdentity = errors.New("freshet: the key is of another identity than the request's context")

type identityKey struct{}

type contextIdentity struct {
	name   string
	header http.Header
}

// WithIdentity says on whose behalf calls with the context are made, and the
// headers that prove it. It is for FromContext, and for Create, whose record
// has no key yet.
func WithIdentity(ctx context.Context, identity string, header http.Header) context.Context {
	return context.WithValue(ctx, identityKey{}, contextIdentity{identity, header.Clone()})
}

// FromContext is a Config.Identity that takes the headers that WithIdentity put
// into the context, if they are those of the key's identity, and otherwise
// fails with ErrIdentity: a key's answer is never fetched with the
// credentials of somebody else.
//
// NOTE: a refresh in the background has the context of whoever caused it, and
// one that nobody caused (the end of an observed TTL) has none and fails. Where
// that matters give a Config.Identity that knows every identity's headers.
func FromContext(ctx context.Context, identity string) (http.Header, error) {
	held, _ := ctx.Value(identityKey{}).(contextIdentity)
	if held.name == "" || held.name != identity {
		return nil, ErrIdentity
	}
	return held.header, nil
}

// Digest is an identity made of headers: the named ones, in whatever order
// and case they are named. It does not tell what they hold, provided that it
// cannot be guessed: a language may be, a token may not.
func Digest(h http.Header, names ...string) string {
	canonical := make([]string, len(names))
	for i, name := range names {
		canonical[i] = textproto.CanonicalMIMEHeaderKey(name)
	}
	slices.Sort(canonical)
	hash := sha256.New()
	for _, name := range slices.Compact(canonical) {
		values := h[name]
		_, _ = fmt.Fprintf(hash, "%d:%s%d:", len(name), name, len(values))
		for _, v := range values {
			_, _ = fmt.Fprintf(hash, "%d:", len(v))
			_, _ = io.WriteString(hash, v)
		}
	}
	return hex.EncodeToString(hash.Sum(nil)[:16])
}

// identify sets the headers of k's identity, which no other part of the
// request may set otherwise.
func (o *Origin[V]) identify(ctx context.Context, k Key, h http.Header) error {
	if k.Identity == "" {
		return nil
	}
	if o.config.Identity == nil {
		return errors.New("freshet: the key has an identity, but rest.Config.Identity is nil")
	}
	own, err := o.config.Identity(ctx, k.Identity)
	if err != nil {
		return err
	}
	if len(own) == 0 {
		return fmt.Errorf("freshet: identity %q has no headers: the answer would be anybody's", k.Identity)
	}
	for name, values := range own {
		h[textproto.CanonicalMIMEHeaderKey(name)] = slices.Clone(values)
	}
	return nil
}
