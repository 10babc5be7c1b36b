package batch

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"time"

	freshet "github.com/freshet-go/freshet/api"
)

// Defaults of Config's fields.
const (
	DefaultWindow = time.Millisecond
	DefaultMax    = 100
)

// Func fetches many keys in one call; no key is twice in one call. What its
// answer means the package comment says.
type Func[V any] func(ctx context.Context, rs []freshet.Request[V]) (map[string]freshet.Response[V], error)

// Config says how demands become calls. Only Fetch is required; the zero value
// of every other field is its default, which the field states.
type Config[V any] struct {
	// Fetch is called on a goroutine of its own, for several batches at once.
	Fetch Func[V]
	// Window is how long the first demand of a batch waits for others. More
	// makes fewer calls of the same demands, and every one of them later.
	// 0: 1 ms.
	Window time.Duration
	// Max is how many keys one call has at most. 0: 100.
	Max int
	// Extra bounds the calls that a batch may cost beyond its first to find its
	// bad keys. 0: twice the number of times that Max can be halved, which finds
	// one among Max; negative: none, an error is everybody's.
	Extra int
	// AbsentIsMissing says that a key which the answer leaves out does not
	// exist, as with WHERE id IN (...).
	AbsentIsMissing bool
}

// New makes a source, or says everything that is wrong with c in one error.
func New[V any](c Config[V]) (*Source[V], error) {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Fetch == nil {
		wrong("Fetch is required")
	}
	if c.Window < 0 {
		wrong("Window is negative: %v", c.Window)
	}
	if c.Max < 0 {
		wrong("Max is negative: %d", c.Max)
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("freshet: batch.Config: %w", errors.Join(errs...))
	}
	if c.Window == 0 {
		c.Window = DefaultWindow
	}
	if c.Max == 0 {
		c.Max = DefaultMax
	}
	if c.Extra == 0 {
		c.Extra = 2 * bits.Len(uint(c.Max))
	}
	s := &Source[V]{config: c}
	s.life, s.end = context.WithCancelCause(context.Background())
	return s, nil
}

// Keys makes a Func of a function that needs only the keys.
func Keys[V any](f func(ctx context.Context, keys []string) (map[string]V, error)) Func[V] {
	if f == nil {
		return nil
	}
	return func(ctx context.Context, rs []freshet.Request[V]) (map[string]freshet.Response[V], error) {
		keys := make([]string, len(rs))
		for i, r := range rs {
			keys[i] = r.Key
		}
		values, err := f(ctx, keys)
		found := make(map[string]freshet.Response[V], len(values))
		for key, v := range values {
			found[key] = freshet.Response[V]{Value: v}
		}
		return found, err
	}
}
