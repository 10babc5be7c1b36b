package stream

import "github.com/samber/ro"

// roBroadcast is ro's subject. It calls its observers one after another on the
// writer's goroutine: a slow one holds up the writer and all the others.
type roBroadcast struct{ subject ro.Subject[Event] }

func newRo() (Broadcast, error) {
	return &roBroadcast{subject: ro.NewPublishSubject[Event]()}, nil
}

func (b *roBroadcast) Send(e *Event) { b.subject.Next(*e) }

func (b *roBroadcast) Subscribe(key string, got func(Event)) error {
	b.subject.Subscribe(ro.OnNext(func(e Event) {
		if key == "" || e.Key == key {
			got(e)
		}
	}))
	return nil
}

func (b *roBroadcast) Parked() int { return -1 }

func (b *roBroadcast) Laps() int { return 0 }

func (b *roBroadcast) Close() { b.subject.Complete() }
