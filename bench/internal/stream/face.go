package stream

import (
	"github.com/reactivex/rxgo/v2"

	"github.com/freshet-go/freshet/streams"
)

// face is freshet's log seen through rxgo.
type face struct{ *logBroadcast }

func newFace() (Broadcast, error) {
	b, err := openLog()
	return face{b}, err
}

func (f face) Subscribe(key string, got func(Event)) error {
	options := []streams.Option{streams.OnOverflow(streams.DropOldest)}
	if key != "" {
		options = append(options, streams.Keys(key))
	}
	items := f.log.Observable(options...).Observe(rxgo.WithContext(f.ctx))
	f.readers.Go(func() {
		for item := range items {
			if e, ok := item.V.(Event); ok && e.Kind != streams.Gap && e.Kind != streams.Bookmark {
				got(e)
			}
		}
	})
	return nil
}
