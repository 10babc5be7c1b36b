package actors

import "context"

// GetMany returns the values of keys. What could not be had is named in a
// *ManyError, and the rest is returned beside it. Keys may repeat. A
// BulkSource fetches what has to be fetched in one call, which waits until the
// Store was asked for those of which nothing is known.
func (t *Table[V]) GetMany(ctx context.Context, keys []string, opts ...FetchOption) (map[string]V, error) {
	var w wish[V]
	if err := w.heed(opts); err != nil {
		return nil, err
	}
	if t.closed.Load() {
		return nil, ErrClosed
	}
	if ctx == nil {
		ctx = context.Background()
	}
	var b *bulk[V]
	if t.bulkSource != nil {
		b = newBulk(ctx, t)
	}
	answers := make(map[string]answer[V], len(keys))
	failed := make(map[string]error)
	for _, key := range keys {
		if _, seen := answers[key]; seen || failed[key] != nil {
			continue
		}
		a, err := t.demand(ctx, key, &w, b)
		if err != nil {
			failed[key] = err
			continue
		}
		answers[key] = a
	}
	if b != nil {
		b.came()
	}
	values := make(map[string]V, len(answers))
	for key, a := range answers {
		v, err := t.await(ctx, a, &w.demand)
		if err != nil {
			failed[key] = err
			continue
		}
		values[key] = v.Value
	}
	if len(failed) > 0 {
		return values, &ManyError{Errs: failed}
	}
	return values, nil
}
