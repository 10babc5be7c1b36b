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

// List reads the records that query selects, in the origin's order. query is
// a URL's query, "team=7&sort=name", sent sorted by its names; with Composite
// it is a Key.String without ID.
//
// The origin does not know which records a query selects. Who does embeds it and
// adds Belongs (freshet.Membership): then what is written joins its lists without
// their being read again.
func (o *Origin[V]) List(ctx context.Context, query string) ([]freshet.Item[V], error) {
	switch {
	case o.collection == nil:
		return nil, errNoCollection
	case o.config.KeyOf == nil:
		return nil, errors.New("freshet: a list needs rest.Config.KeyOf")
	}
	k, err := o.queryOf(query)
	if err != nil {
		return nil, err
	}
	a, _, err := o.exchange(ctx, request{method: o.methods.List, to: o.collection, key: k})
	switch {
	case err != nil:
		return nil, err
	case a.status != http.StatusOK && a.status != http.StatusNonAuthoritativeInfo:
		return nil, a.refused()
	}
	records, err := o.array(a)
	if err != nil {
		return nil, err
	}
	items := make([]freshet.Item[V], 0, len(records))
	seen := make(map[string]bool, len(records))
	for i, record := range records {
		v, err := o.decode(a, record)
		if err != nil {
			return nil, fmt.Errorf("record %d of the list: %w", i, err)
		}
		id, err := o.config.KeyOf(v)
		if err == nil {
			err = checkPart("key", id)
		}
		if err != nil {
			return nil, a.bad(fmt.Sprintf("record %d of its list has no key", i), err)
		}
		if o.config.Composite {
			id = Key{Namespace: k.Namespace, ID: id, Identity: k.Identity}.String()
		}
		if seen[id] {
			return nil, a.bad(fmt.Sprintf("record %d of its list has the key of another", i), nil)
		}
		seen[id] = true
		items = append(items, freshet.Item[V]{Key: id, Value: v})
	}
	return items, nil
}

// queryOf is what a collection's query means.
func (o *Origin[V]) queryOf(query string) (Key, error) {
	if !o.config.Composite {
		values, err := url.ParseQuery(strings.TrimPrefix(query, "?"))
		if err != nil {
			return Key{}, fmt.Errorf("%w: the list's query is none", freshet.ErrBadKey)
		}
		return Key{Query: values}, nil
	}
	k, err := ParseKey(query)
	switch {
	case err != nil:
		return Key{}, err
	case k.ID != "":
		return Key{}, fmt.Errorf("%w: the query of a list has no ID", freshet.ErrBadKey)
	}
	return k, sameMethod(k, o.methods.List)
}

// array finds the list in its envelope.
func (o *Origin[V]) array(a *answer) ([]json.RawMessage, error) {
	data := bytes.TrimSpace(a.body)
	if why := notJSON(a, data); why != "" {
		return nil, a.bad(why, nil)
	}
	if !json.Valid(data) { // all of it, before parts are taken for the whole
		var v any
		return nil, o.undecodable(a, data, json.Unmarshal(data, &v))
	}
	if o.config.Envelope != "" {
		for name := range strings.SplitSeq(o.config.Envelope, ".") {
			var object map[string]json.RawMessage
			if json.Unmarshal(data, &object) != nil || object[name] == nil {
				return nil, a.bad(fmt.Sprintf("its list is not at %q", o.config.Envelope), nil)
			}
			data = object[name]
		}
	}
	var records []json.RawMessage
	if err := json.Unmarshal(data, &records); err != nil || records == nil {
		return nil, a.bad("its list is no array", nil)
	}
	return records, nil
}
