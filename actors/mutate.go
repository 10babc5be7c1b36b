package actors

import (
	"context"
	"slices"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// Mutation is a write that is more than a plain update.
type Mutation[V any] struct {
	// Apply is what it does to the value, shown at once and run again whenever
	// what is below it changes (W1). It must be pure: WARNING: its argument
	// belongs to every reader, copy what you change (Config.CheckApply finds
	// those that do not). An error from it fails the mutation and changes
	// nothing; so does a run that takes longer than Config.Timeout, for which
	// other writes and Sets of the key have to wait. nil: nothing shows before
	// the origin has answered.
	Apply func(current V) (V, error)
	// Commit has the origin apply it and returns the record as the origin has
	// it then; optimistic is what Apply made of the confirmed value. It runs
	// once. nil: Writer.Update(key, optimistic).
	Commit func(ctx context.Context, optimistic V) (V, error)
	// Tags and Prefixes name resources that its commit makes stale: they are
	// invalidated when it lands, also where it may have, and not before.
	Tags, Prefixes []string
}

// Update writes value to the origin: it shows at once, and when the origin has
// answered that answer is returned. See Mutate.
func (t *Table[V]) Update(ctx context.Context, key string, value V) (V, error) {
	w, err := t.newWriteOf(ctx, key, t.writer == nil)
	if err != nil {
		var none V
		return none, err
	}
	w.Kind, w.Value = lifecycle.Replace, value
	w.call = func(ctx context.Context, v V) (string, V, error) {
		stored, err := t.writer.Update(ctx, key, v)
		return key, stored, err
	}
	return t.mutate(w)
}

// Delete hides the value of key at once, and has the origin delete the record
// (W5).
func (t *Table[V]) Delete(ctx context.Context, key string) error {
	w, err := t.newWriteOf(ctx, key, t.writer == nil)
	if err != nil {
		return err
	}
	w.Kind = lifecycle.Delete
	w.call = func(ctx context.Context, v V) (string, V, error) {
		var none V
		return key, none, t.writer.Delete(ctx, key)
	}
	_, err = t.mutate(w)
	return err
}

// Mutate shows what m makes of the value and has the origin apply it (W).
func (t *Table[V]) Mutate(ctx context.Context, key string, m Mutation[V]) (V, error) {
	w, err := t.newWriteOf(ctx, key, t.writer == nil && m.Commit == nil)
	if err != nil {
		var none V
		return none, err
	}
	w.Kind, w.Apply = lifecycle.Alter, t.checked(key, m.Apply)
	w.tags, w.prefixes = slices.Clone(m.Tags), slices.Clone(m.Prefixes)
	w.call = func(ctx context.Context, v V) (string, V, error) {
		if m.Commit != nil {
			stored, err := m.Commit(ctx, v)
			return key, stored, err
		}
		stored, err := t.writer.Update(ctx, key, v)
		return key, stored, err
	}
	return t.mutate(w)
}

// Create has the origin make a record of value, and keeps it under the key that
// the origin gave it (W5).
func (t *Table[V]) Create(ctx context.Context, value V) (key string, stored V, err error) {
	w, err := t.newWriteOf(ctx, "", t.writer == nil)
	if err != nil {
		return "", stored, err
	}
	w.flying = true
	w.call = func(ctx context.Context, _ V) (string, V, error) { return t.writer.Create(ctx, value) }
	t.departed.begin()
	w.stamp = t.numbers.Add(1)
	if !t.writes.enter(w) {
		t.departed.end()
		w.finish(nil, ErrClosed, false)
		return "", stored, w.err
	}
	t.gate.launch(w, &w.ticket, nil)
	stored, err = w.wait()
	select {
	case <-w.done:
		key = w.key
	default:
	}
	return key, stored, err
}

// newWriteOf begins a write of key, or says why there can be none.
func (t *Table[V]) newWriteOf(ctx context.Context, key string, readOnly bool) (*write[V], error) {
	if ctx == nil {
		ctx = context.Background()
	}
	switch {
	case t.closed.Load():
		return nil, ErrClosed
	case readOnly:
		return nil, ErrReadOnly
	case ctx.Err() != nil:
		return nil, ended(ctx)
	}
	t.writes.pending.Add(1)
	return newWrite(ctx, t, key), nil
}

// mutate adds w to the mutations of its key and waits for its end.
func (t *Table[V]) mutate(w *write[V]) (V, error) {
	m := message[V]{op: opMutate, ctx: w.ctx.values, mutation: &w.Mutation}
	if w.Kind == lifecycle.Replace && t.weigh != nil {
		var weight uint32
		if err := t.timely(func() { weight = t.weigh(w.key, w.Value) }); err != nil {
			w.finish(nil, err, false)
			return w.value, w.err
		}
		m.weight = weight
	}
	for {
		c, made, err := t.enter(w.key)
		if err != nil {
			w.finish(nil, err, false)
			return w.value, err
		}
		w.cell = c
		m.gone = false
		if c.sendReplayed(&m); m.gone {
			continue
		}
		if made {
			t.makeRoom()
		}
		return w.wait()
	}
}
