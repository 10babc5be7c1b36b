package actors

import (
	"context"
	"errors"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// MembersHit returns the items of keys, and which of them were no hit: their
// items are zero.
func (t *Table[V]) MembersHit(keys []string) (items []Item[V], missing []string) {
	t.clock.wake() // else none is
	items = make([]Item[V], len(keys))
	for i, key := range keys {
		if v := t.hit(key); v != nil {
			items[i] = Item[V]{Key: key, Value: v.Value}
		} else {
			missing = append(missing, key)
		}
	}
	return items, missing
}

// Members returns the items of keys, in their order, which is that of the list
// under listKey. Those that are not admissible are fetched, in one call where the
// source can; a record that does not exist is left out. What could not be had is
// named in a *ManyError, and the rest is returned beside it.
func (t *Table[V]) Members(ctx context.Context, listKey string, keys []string, opts ...FetchOption) ([]Item[V], error) {
	items, missing := t.MembersHit(keys)
	if len(missing) > 0 {
		if c := t.lists.table.cells.find(listKey); c != nil && c.flight.Load() != nil {
			// The list is being refreshed, which refreshes them: what can still
			// be served needs no flight of its own (F6).
			missing = t.stillServed(keys, items)
		}
	}
	if len(missing) == 0 {
		return items, nil
	}
	fetched, err := t.GetMany(ctx, missing, opts...)
	var many *ManyError
	if err != nil && !errors.As(err, &many) {
		return nil, err
	}
	left := items[:0]
	for i, key := range keys {
		item := items[i]
		if item.Key == "" {
			v, ok := fetched[key]
			if !ok {
				continue
			}
			item = Item[V]{Key: key, Value: v}
		}
		left = append(left, item)
	}
	failed := make(map[string]error)
	if many != nil {
		for key, err := range many.Errs {
			if !errors.Is(err, ErrNotFound) {
				failed[key] = err
			}
		}
	}
	if len(failed) > 0 {
		return left, &ManyError{Errs: failed}
	}
	return left, nil
}

// stillServed fills in the items that are admissible, fresh or not, and returns
// the keys of those that are not.
func (t *Table[V]) stillServed(keys []string, items []Item[V]) (missing []string) {
	for i, key := range keys {
		if items[i].Key != "" {
			continue
		}
		a, err := t.cached(key, &lifecycle.Demand[*Future[V]]{}, ErrNotCached)
		if err != nil || a.shown.Known != lifecycle.Present {
			missing = append(missing, key)
			continue
		}
		items[i] = Item[V]{Key: key, Value: a.shown.Value}
	}
	return missing
}
