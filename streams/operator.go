package streams

import "iter"

// Filter passes the events for which keep answers true. Control events always pass: a loss that a filter hides would be
// a silent one (S3).
func Filter[V any](seq iter.Seq2[Event[V], error], keep func(Event[V]) bool) iter.Seq2[Event[V], error] {
	return func(yield func(Event[V], error) bool) {
		inner := func(e Event[V], err error) bool {
			if err == nil && !e.Kind.Control() && !keep(e) {
				return true
			}
			return yield(e, err)
		}
		defer relay(yield, inner)()
		seq(inner)
	}
}

// Map turns events of V into events of T: f is called for Before and After, where they are, and everything else stays.
func Map[V, T any](seq iter.Seq2[Event[V], error], f func(V) T) iter.Seq2[Event[T], error] {
	through := func(v *V) *T {
		if v == nil {
			return nil
		}
		t := f(*v)
		return &t
	}
	return func(yield func(Event[T], error) bool) {
		inner := func(e Event[V], err error) bool {
			return yield(Event[T]{
				Revision: e.Revision, Cache: e.Cache, Key: e.Key, Kind: e.Kind, Seq: e.Seq,
				Before: through(e.Before), After: through(e.After),
				Reason: e.Reason, Err: e.Err, At: e.At, From: e.From, To: e.To, life: e.life,
			}, err)
		}
		defer relay(yield, inner)()
		seq(inner)
	}
}

// Take passes n events, and the control events between them, and ends with the n-th: it does not wait for one more.
// With n less than 1 it ends at once and does not touch its source.
func Take[V any](seq iter.Seq2[Event[V], error], n int) iter.Seq2[Event[V], error] {
	return func(yield func(Event[V], error) bool) {
		if n < 1 {
			return
		}
		left := n
		inner := func(e Event[V], err error) bool {
			if err == nil && !e.Kind.Control() {
				left--
			}
			return yield(e, err) && left > 0
		}
		defer relay(yield, inner)()
		seq(inner)
	}
}

// Scan folds events into an accumulator and yields it after each. Control events are folded too: a fold that builds
// state has to see a Gap. The accumulator begins with init each time the result is ranged over.
func Scan[V, A any](seq iter.Seq2[Event[V], error], init A, f func(A, Event[V]) A) iter.Seq2[A, error] {
	return func(yield func(A, error) bool) {
		acc := init
		inner := func(e Event[V], err error) bool {
			if err == nil {
				acc = f(acc, e)
			}
			return yield(acc, err)
		}
		defer relay(yield, inner)()
		seq(inner)
	}
}
