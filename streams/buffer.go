package streams

import (
	"errors"
	"iter"
	"time"
)

// Buffer gathers events into slices of n, or fewer when d has passed since the first of them. Control events are
// gathered in their place. When the source ends, what was gathered is passed before the error. With d of 0 or less only
// the number counts. n less than 1 is an error. Every slice is the reader's to keep.
func Buffer[V any](seq iter.Seq2[Event[V], error], n int, d time.Duration) iter.Seq2[[]Event[V], error] {
	return func(yield func([]Event[V], error) bool) {
		switch {
		case n < 1:
			yield(nil, errors.New("freshet: Buffer: n is less than 1"))
		case d <= 0:
			bufferByCount(seq, n, yield)
		default:
			bufferByTime(seq, n, d, yield)
		}
	}
}

func bufferByCount[V any](seq iter.Seq2[Event[V], error], n int, yield func([]Event[V], error) bool) {
	var full []Event[V]
	left := false
	flush := func() bool {
		if len(full) > 0 && !left {
			left = !yield(full, nil)
			full = nil
		}
		return !left
	}
	inner := func(e Event[V], err error) bool {
		if err != nil {
			left = !flush() || !yield(nil, err)
			return !left
		}
		full = append(full, e)
		return len(full) < n || flush()
	}
	defer relay(yield, inner)()
	seq(inner)
	flush()
}

func bufferByTime[V any](seq iter.Seq2[Event[V], error], n int, d time.Duration, yield func([]Event[V], error) bool) {
	p := startPump(seq)
	defer p.close()
	attach(yield, p.interrupt)
	var full []Event[V]
	flush := func() bool {
		out := full
		full = nil
		return len(out) == 0 || yield(out, nil)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		due := timer.C
		if len(full) == 0 {
			due = nil
		}
		item, late, ok := p.next(due)
		switch {
		case !ok:
			return
		case late:
			ok = flush()
		case item.end:
			flush()
			return
		case item.err != nil:
			ok = flush() && yield(nil, item.err)
		default:
			if full = append(full, item.event); len(full) == 1 {
				timer.Reset(d)
			}
			ok = len(full) < n || flush()
		}
		if !ok {
			return
		}
	}
}
