package stream

import "sync"

// channels is what one writes by hand: a buffered channel a reader. It blocks
// on the slowest.
type channels struct {
	all     []chan Event
	readers sync.WaitGroup
}

func newChannels() (Broadcast, error) { return &channels{}, nil }

func (b *channels) Send(e *Event) {
	for _, c := range b.all {
		c <- *e
	}
}

func (b *channels) Subscribe(key string, got func(Event)) error {
	c := make(chan Event, buffer)
	b.all = append(b.all, c)
	b.readers.Go(func() {
		for e := range c {
			if key == "" || e.Key == key {
				got(e)
			}
		}
	})
	return nil
}

func (b *channels) Parked() int { return -1 }

func (b *channels) Laps() int { return 0 }

func (b *channels) Close() {
	for _, c := range b.all {
		close(c)
	}
	b.readers.Wait()
}
