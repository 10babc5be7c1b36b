package streams

import "strings"

// filter says which events a subscription wants. A nil filter wants all. It is read-only once the subscription runs.
type filter struct {
	prefix string
	kinds  kindSet
	keys   []string       // in the order given; nil: every key
	set    map[string]int // index in keys
}

func (f *filter) passes(key string, kind Kind) bool {
	if f == nil {
		return true
	}
	return f.kinds.has(kind) && f.wants(key)
}

// wants looks at the key alone.
func (f *filter) wants(key string) bool {
	switch {
	case len(f.keys) == 1:
		return f.keys[0] == key
	case f.keys != nil:
		_, ok := f.set[key]
		return ok
	default:
		return strings.HasPrefix(key, f.prefix)
	}
}
