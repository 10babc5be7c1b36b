package stream

import (
	"context"
	"sync"

	"github.com/freshet-go/freshet/streams"
)

// logBroadcast is freshet's log with subscriptions that loop over Events.
type logBroadcast struct {
	log     *streams.Log[uint64]
	ctx     context.Context //nolint:containedctx // the readers' life is the broadcast's
	cancel  context.CancelFunc
	readers sync.WaitGroup
}

func newLog() (Broadcast, error) { return openLog() }

func openLog() (*logBroadcast, error) {
	log, err := streams.NewLog(streams.LogConfig[uint64]{Cache: "bench", History: buffer})
	if err != nil {
		return nil, err
	}
	b := &logBroadcast{log: log}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	return b, nil
}

func (b *logBroadcast) Send(e *Event) { b.log.Append(e, 1, nil) }

func (b *logBroadcast) Subscribe(key string, got func(Event)) error {
	options := []streams.Option{streams.OnOverflow(streams.DropOldest)}
	if key != "" {
		options = append(options, streams.Keys(key))
	}
	s, err := b.log.Subscribe(b.ctx, options...)
	if err != nil {
		return err
	}
	b.readers.Go(func() {
		for e, err := range s.Events() {
			if err == nil && e.Kind != streams.Gap && e.Kind != streams.Bookmark {
				got(e)
			}
		}
	})
	return nil
}

func (b *logBroadcast) Parked() int { return b.log.Stats().Parked }

func (b *logBroadcast) Laps() int { return int(b.log.Stats().Laps) }

func (b *logBroadcast) Close() {
	b.cancel()
	b.readers.Wait()
	b.log.Close()
}
