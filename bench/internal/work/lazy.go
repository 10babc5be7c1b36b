package work

import (
	"runtime"
	"sync"
)

// lazily makes a value when it is first asked for.
func lazily[T any](build func() T) func() T { return sync.OnceValue(build) }

// collect empties the heap of what earlier runs left.
func collect() {
	runtime.GC()
	runtime.GC()
}
