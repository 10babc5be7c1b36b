package streams

import (
	"container/list"
	"iter"
	"time"
)

// Debounce passes an event when its key has been silent for d, and leaves out those that another of the same key
// followed sooner. The last event of a key is never lost: when the source ends, what waits is passed before the error.
//
// Events come out in the order of their revisions, so a Token taken from one is good for going on: nothing that waits
// is older. Synced and Gap push everything that waits out before them; a Bookmark is passed only when nothing waits.
// With d of 0 or less everything passes. Memory: one event for each key that was heard of within d.
func Debounce[V any](seq iter.Seq2[Event[V], error], d time.Duration) iter.Seq2[Event[V], error] {
	if d <= 0 {
		return seq
	}
	return func(yield func(Event[V], error) bool) {
		p := startPump(seq)
		defer p.close()
		attach(yield, p.interrupt)
		w := &debouncer[V]{wait: d, waiting: make(map[string]*list.Element), yield: yield}
		timer := time.NewTimer(d)
		defer timer.Stop()
		for {
			due := timer.C
			if w.order.Len() == 0 {
				due = nil
			} else {
				timer.Reset(time.Until(w.order.Front().Value.(*debounced[V]).due))
			}
			item, late, ok := p.next(due)
			switch {
			case !ok:
				return
			case late:
				ok = w.release(time.Now())
			case item.end:
				w.flush()
				return
			default:
				ok = w.take(item)
			}
			if !ok {
				return
			}
		}
	}
}

type debounced[V any] struct {
	event Event[V]
	due   time.Time
}

type debouncer[V any] struct {
	wait    time.Duration
	waiting map[string]*list.Element
	order   list.List // of *debounced, by due and by revision alike
	yield   func(Event[V], error) bool
	left    bool // the reader has
}

// take deals with what the source yielded; false: that was all, or the reader left.
func (w *debouncer[V]) take(item pumped[V]) bool {
	e := item.event
	switch {
	case item.err != nil: // the source goes on if it likes to
		return w.flush() && w.pass(e, item.err)
	case e.Kind == Bookmark:
		return w.order.Len() > 0 || w.pass(e, nil)
	case e.Kind.Control():
		return w.flush() && w.pass(e, nil)
	}
	next := &debounced[V]{event: e, due: time.Now().Add(w.wait)}
	if at := w.waiting[e.Key]; at != nil {
		at.Value = next
		w.order.MoveToBack(at)
	} else {
		w.waiting[e.Key] = w.order.PushBack(next)
	}
	return true
}

// release passes what is due.
func (w *debouncer[V]) release(now time.Time) bool {
	for front := w.order.Front(); front != nil; front = w.order.Front() {
		next := front.Value.(*debounced[V])
		if next.due.After(now) {
			return true
		}
		w.order.Remove(front)
		delete(w.waiting, next.event.Key)
		if !w.pass(next.event, nil) {
			return false
		}
	}
	return true
}

// flush passes everything that waits.
func (w *debouncer[V]) flush() bool {
	if front := w.order.Back(); front != nil {
		return w.release(front.Value.(*debounced[V]).due)
	}
	return !w.left
}

func (w *debouncer[V]) pass(e Event[V], err error) bool {
	if !w.left {
		w.left = !w.yield(e, err)
	}
	return !w.left
}
