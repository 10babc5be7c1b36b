package actors

type lists[V any] struct{}

func (s *lists[V]) joined(key string, v V) {}
func (s *lists[V]) left(key string)        {}
