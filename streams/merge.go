package streams

import (
	"fmt"
	"iter"
)

// Merge is the events of all seqs as they come; each keeps its Cache name, and each seq its order. It ends with the
// first error of any of them, which says whose it is, or when all have ended without one.
//
// It runs a goroutine for each seq while it is ranged over, and waits for them when the reader leaves. A seq that is
// not a subscription of this package, or operators of this package over one, can't be interrupted: its goroutine ends
// when it yields next.
func Merge[V any](seqs ...iter.Seq2[Event[V], error]) iter.Seq2[Event[V], error] {
	return func(yield func(Event[V], error) bool) {
		p := startPump(seqs...)
		defer p.close()
		attach(yield, p.interrupt)
		names := make([]string, len(seqs))
		for open := len(seqs); open > 0; {
			item, _, ok := p.next(nil)
			switch {
			case !ok:
				return
			case item.end:
				open--
			case item.err != nil:
				yield(item.event, mergeError(names[item.from], item.from, item.err))
				return
			default:
				names[item.from] = item.event.Cache
				if !yield(item.event, nil) {
					return
				}
			}
		}
	}
}

func mergeError(cache string, i int, err error) error {
	if cache == "" {
		return fmt.Errorf("freshet: merge: stream %d: %w", i, err)
	}
	return fmt.Errorf("freshet: merge: stream %d (%s): %w", i, cache, err)
}
