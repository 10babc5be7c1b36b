package streams

func attach[V any](yield func(Event[V], error) bool, interrupt func()) (detach func()) {
	return func() {}
}
