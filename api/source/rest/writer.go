package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	freshet "github.com/freshet-go/freshet/api"
)

var (
	errNoCollection = errors.New("freshet: lists and Create need rest.Config.Collection: it has no Collection, and Item does not end with a segment {key}")
	errBadMethod    = fmt.Errorf("%w: it is of another method than the source", freshet.ErrBadKey)
)

const (
	asJSON  = "application/json"
	asMerge = "application/merge-patch+json"
)

// Create writes a new record. Its key is the id that KeyOf finds in what the
// origin stored, or without KeyOf the one in the Location header.
//
// With Composite the record is of the identity of the context (WithIdentity),
// and its collection can have no {namespace}.
func (o *Origin[V]) Create(ctx context.Context, value V) (string, V, error) {
	var none V
	if o.collection == nil {
		return "", none, errNoCollection
	}
	q := request{method: o.methods.Create, to: o.collection, header: make(http.Header), identity: true}
	var identity string
	if held, ok := ctx.Value(identityKey{}).(contextIdentity); ok && o.config.Composite {
		identity = held.name
		for name, values := range held.header {
			q.header[http.CanonicalHeaderKey(name)] = values
		}
	}
	a, stored, err := o.write(ctx, q, asJSON, value)
	if err != nil {
		return "", none, err
	}
	k, err := o.created(a, stored)
	if err != nil {
		return "", none, unknown(err)
	}
	if !o.config.Composite {
		return k.ID, stored, nil
	}
	k.Identity = identity
	return k.String(), stored, nil
}

// created is the key of a record that was created.
func (o *Origin[V]) created(a *answer, stored V) (Key, error) {
	if o.config.KeyOf != nil {
		id, err := o.config.KeyOf(stored)
		if err == nil {
			err = checkPart("key", id)
		}
		if err != nil {
			return Key{}, a.bad("its record has no key", err)
		}
		return Key{ID: id}, nil
	}
	location := a.header.Get("Location")
	if location == "" {
		return Key{}, a.bad("it has no Location header and there is no KeyOf", nil)
	}
	u, err := url.Parse(location)
	if err != nil {
		return Key{}, a.bad("its Location is no URL", nil)
	}
	path, inside := strings.CutPrefix(a.location.ResolveReference(u).EscapedPath(), strings.TrimSuffix(o.base.EscapedPath(), "/"))
	k, ok := o.item.extract(path)
	if !inside || !ok {
		return Key{}, a.bad("its Location is not the path of an item", nil)
	}
	return k, nil
}

// Update writes a whole record.
func (o *Origin[V]) Update(ctx context.Context, key string, value V) (V, error) {
	form := asJSON
	if o.methods.Update == http.MethodPatch {
		form = asMerge
	}
	var none V
	k, err := o.keyOf(key)
	if err != nil {
		return none, err
	}
	_, stored, err := o.write(ctx, request{method: o.methods.Update, to: o.item, key: k}, form, value)
	return stored, err
}

// Patch sends part of a record as a merge patch (RFC 7396), for a Mutation's
// Commit: only what the caller means to change. The origin has to answer with
// the record as it now is; where its answer is empty the record is read.
func (o *Origin[V]) Patch(ctx context.Context, key string, part any) (V, error) {
	var none V
	k, err := o.keyOf(key)
	if err != nil {
		return none, err
	}
	body, err := json.Marshal(part)
	if err != nil {
		return none, fmt.Errorf("freshet: the patch cannot be written as JSON: %w", err)
	}
	a, err := o.send(ctx, request{method: http.MethodPatch, to: o.item, key: k, body: body}, asMerge)
	if err != nil {
		return none, err
	}
	if len(bytes.TrimSpace(a.body)) == 0 {
		r, err := o.Fetch(ctx, freshet.Request[V]{Key: key})
		return r.Value, unknown(err)
	}
	stored, err := o.decode(a, a.body)
	return stored, unknown(err)
}

// Delete deletes a record. One that does not exist is deleted already.
func (o *Origin[V]) Delete(ctx context.Context, key string) error {
	k, err := o.keyOf(key)
	if err != nil {
		return err
	}
	_, err = o.send(ctx, request{method: o.methods.Delete, to: o.item, key: k}, "")
	if errors.Is(err, freshet.ErrNotFound) {
		return nil
	}
	return err
}

// write sends a record and returns it as the origin stored it.
func (o *Origin[V]) write(ctx context.Context, q request, form string, value V) (*answer, V, error) {
	var none V
	encode := o.config.Encode
	if encode == nil {
		encode = func(v V) ([]byte, error) { return json.Marshal(v) }
	}
	var err error
	if q.body, err = encode(value); err != nil {
		return nil, none, fmt.Errorf("freshet: the record cannot be written as JSON: %w", err)
	}
	a, err := o.send(ctx, q, form)
	if err != nil {
		return nil, none, err
	}
	if len(bytes.TrimSpace(a.body)) == 0 {
		return a, value, nil // it says no more than that it did as it was told
	}
	stored, err := o.decode(a, a.body)
	if err != nil {
		return nil, none, unknown(err) // applied, but as what?
	}
	return a, stored, nil
}

// send sends a write. Its error wraps ErrUnknown where the origin may have
// applied it.
func (o *Origin[V]) send(ctx context.Context, q request, form string) (*answer, error) {
	if q.header == nil {
		q.header = make(http.Header)
	}
	if form != "" {
		q.header.Set("Content-Type", form)
	}
	a, reached, err := o.exchange(ctx, q)
	switch {
	case err != nil && reached:
		return nil, unknown(err)
	case err != nil:
		return nil, err
	case a.status == http.StatusAccepted:
		return nil, unknown(a.refused()) // it will be applied, or not
	case a.status >= 200 && a.status < 300:
		return a, nil
	case undecided(a.status):
		return nil, unknown(a.refused())
	}
	return nil, a.refused()
}

// undecided says whether a status leaves it open that the write was applied.
func undecided(status int) bool {
	switch status {
	case http.StatusNotImplemented, http.StatusServiceUnavailable, http.StatusHTTPVersionNotSupported:
		return false
	}
	// What is redirected may have been done: many answer a POST with a 302. What
	// came of it after a 101 is said in another protocol.
	return status >= 500 || status < 200 || status >= 300 && status < 400
}
