package stream

import (
	"context"
	"sync"

	"github.com/reactivex/rxgo/v2"
)

// rxgoBroadcast is rxgo's own hot source. It blocks on its slowest observer.
type rxgoBroadcast struct {
	options []rxgo.Option // of Observe
	next    chan rxgo.Item
	source  rxgo.Observable
	cancel  context.CancelFunc
	readers sync.WaitGroup
}

func newRxgo() (Broadcast, error) { return openRxgo() }

func newBufferedRxgo() (Broadcast, error) { return openRxgo(rxgo.WithBufferedChannel(buffer)) }

func openRxgo(options ...rxgo.Option) (Broadcast, error) {
	ctx, cancel := context.WithCancel(context.Background())
	b := &rxgoBroadcast{options: options, next: make(chan rxgo.Item), cancel: cancel}
	b.source = rxgo.FromEventSource(b.next, rxgo.WithContext(ctx), rxgo.WithBackPressureStrategy(rxgo.Block))
	return b, nil
}

func (b *rxgoBroadcast) Send(e *Event) { b.next <- rxgo.Of(*e) }

func (b *rxgoBroadcast) Subscribe(key string, got func(Event)) error {
	items := b.source.Observe(b.options...)
	b.readers.Go(func() {
		for item := range items {
			if e, ok := item.V.(Event); ok && (key == "" || e.Key == key) {
				got(e)
			}
		}
	})
	return nil
}

func (b *rxgoBroadcast) Parked() int { return -1 }

func (b *rxgoBroadcast) Laps() int { return 0 }

func (b *rxgoBroadcast) Close() {
	close(b.next)
	b.readers.Wait()
	b.cancel()
}
