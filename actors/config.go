package actors

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"time"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

type (
	// Freshness says how long what was learned may be served.
	Freshness = lifecycle.Freshness
	// ReloadMode says what a reload does while a flight is in the air.
	ReloadMode = lifecycle.ReloadMode
)

const (
	// ReloadSupersede takes off at once and cancels the older flight (O3).
	ReloadSupersede = lifecycle.ReloadSupersede
	// ReloadQueue waits for the flight in the air to land (O5).
	ReloadQueue = lifecycle.ReloadQueue

	// Forever is the duration that does not end.
	Forever = lifecycle.Forever
)

// Defaults of Config's fields.
const (
	defaultTimeout      = 10 * time.Second
	defaultMaxSupersede = 3
	defaultHistory      = 1024
	maxHistory          = 1 << 28
	defaultStoreTimeout = 250 * time.Millisecond
)

// Config says what a cache is. Only Name and Source are required; the zero
// value of every other field is its default, which the field states.
type Config[V any] struct {
	// Name is the namespace of the cache's keys in PIDs, events, errors and logs:
	// [a-z0-9._-]+, unique among the caches of a Runtime.
	Name   string
	Source Source[V] // the origin
	Writer Writer[V] // nil: read-only
	Lister Lister[V] // nil: no collections
	// Runtime is what caches share. nil: a private one, closed with the cache.
	Runtime *Runtime

	// Freshness says how long what was learned may be served. The zero value
	// keeps values until they are invalidated and serves nothing stale.
	Freshness Freshness
	// Timeout bounds one origin call. Those who wait for it never wait longer,
	// whatever the source does (C2), but for what a timer needs: up to a
	// millisecond, and a microsecond for each call in the air. 0: 10 s.
	Timeout time.Duration
	// Reload says what a reload does while a flight is in the air. Supersede
	// gets the newest answer soonest; Queue spares the origin.
	Reload ReloadMode
	// MaxSupersede bounds how often in a row a flight is taken over before the
	// next reload queues (O4). More is fresher under a storm of reloads and
	// costs the origin as many calls. 0: 3.
	MaxSupersede int
	// MaxFlights bounds the origin calls in the air; the rest wait their turn,
	// oldest first (F11). 0: no bound.
	MaxFlights int
	// AbortAbandoned cancels a flight when the last who waited for it has left
	// (C3). It spares an origin whose calls are dear, and wastes the call of a
	// caller that comes back.
	AbortAbandoned bool

	// MaxEntries bounds the resources in memory (M1), and by itself the lists.
	// Set it where keys come from outside: what is missing or failed is a
	// resource too. 0: no bound.
	MaxEntries int
	// MaxWeight bounds the sum of what Weigh says, of resident values and of
	// those that the history holds (M1). 0: no bound; at most math.MaxInt64. It
	// needs Weigh.
	MaxWeight uint64
	// Weigh says what a value weighs, in units of the caller's choice. Without
	// MaxWeight it bounds nothing.
	Weigh func(key string, v V) uint32

	// Equal tells a response that changes nothing (F9). nil: == where V cannot
	// panic on it (no interface inside), else reflect.DeepEqual. Note that ==
	// tells pointers apart, not what they point to.
	Equal func(a, b V) bool
	// Newer says whether a is newer than b, by a version inside the record: a
	// value that is not newer than the one held never replaces it (O9), unless it
	// is what the origin has after a write and not older. That holds after an
	// Invalidate too: where the origin was set back to an older state, Remove
	// forgets what is held. nil: arrival decides.
	Newer func(a, b V) bool

	// History is how many events are kept for subscribers to resume from; with
	// MaxWeight fewer, where their values would take more than a quarter of it.
	// 0: 1024; at most 1<<28.
	History int

	// Store is the second tier. nil: none. It gets the keys as they are, so that
	// each cache needs one of its own: those of packages bolt, redis and kv are
	// made by name. What other processes do to the records of one that is an
	// Invalidator expires here. Lists are not kept in it: after a restart the
	// Lister is asked.
	Store Store
	// Codec turns values into the Store's bytes. nil: JSON.
	Codec Codec[V]
	// StoreTimeout bounds one call of the Store (D2). 0: 250 ms.
	StoreTimeout time.Duration

	// CheckApply marshals the value before and after each Mutation.Apply, by
	// Codec, and fails with ErrImpure those that modified their argument. It is
	// for tests: it costs what marshalling costs.
	CheckApply bool
}

// withDefaults returns c with every zero field that has a default filled in,
// or one error that names every wrong field.
func (c Config[V]) withDefaults() (Config[V], error) {
	if err := c.check(); err != nil {
		return c, fmt.Errorf("freshet: config: %w", err)
	}
	c.Timeout = orDefault(c.Timeout, defaultTimeout)
	c.MaxSupersede = orDefault(c.MaxSupersede, defaultMaxSupersede)
	c.History = orDefault(c.History, defaultHistory)
	c.StoreTimeout = orDefault(c.StoreTimeout, defaultStoreTimeout)
	if c.Codec == nil {
		c.Codec = jsonCodec[V]{}
	}
	if c.Equal == nil {
		c.Equal = defaultEqual[V]()
	}
	return c, nil
}

// check names every wrong field.
func (c *Config[V]) check() error {
	var errs []error
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf(format, args...))
	}
	if c.Name == "" {
		wrong("Name is required")
	} else if !validName(c.Name) {
		wrong("Name %q: want [a-z0-9._-]+", c.Name)
	}
	if isNil(c.Source) {
		wrong("Source is required")
	}
	for _, d := range []struct {
		name string
		d    time.Duration
	}{
		{"Freshness.TTL", c.Freshness.TTL}, {"Freshness.Stale", c.Freshness.Stale},
		{"Freshness.StaleOnError", c.Freshness.StaleOnError}, {"Freshness.Missing", c.Freshness.Missing},
		{"Freshness.Failure", c.Freshness.Failure}, {"Timeout", c.Timeout}, {"StoreTimeout", c.StoreTimeout},
	} {
		if d.d < 0 {
			wrong("%s is negative: %v", d.name, d.d)
		}
	}
	for _, f := range []struct {
		name string
		f    float64
	}{{"Freshness.Ahead", c.Freshness.Ahead}, {"Freshness.Jitter", c.Freshness.Jitter}} {
		if math.IsNaN(f.f) || f.f < 0 || f.f > 1 {
			wrong("%s is a fraction of the TTL, 0 to 1: %v", f.name, f.f)
		}
	}
	for _, n := range []struct {
		name string
		n    int
	}{
		{"MaxSupersede", c.MaxSupersede}, {"MaxFlights", c.MaxFlights},
		{"MaxEntries", c.MaxEntries}, {"History", c.History},
	} {
		if n.n < 0 {
			wrong("%s is negative: %d", n.name, n.n)
		}
	}
	if c.History > maxHistory {
		wrong("History is over %d: %d", maxHistory, c.History)
	}
	if c.Reload > ReloadQueue {
		wrong("Reload is neither ReloadSupersede nor ReloadQueue: %d", c.Reload)
	}
	if c.Runtime != nil && c.Runtime.system == nil {
		wrong("Runtime is not one that NewRuntime made")
	}
	if c.Store != nil && isNil(c.Store) {
		wrong("Store is a nil %T", c.Store)
	}
	if c.MaxWeight > 0 && c.Weigh == nil {
		wrong("MaxWeight needs Weigh")
	}
	for _, f := range []struct {
		name string
		v    any
	}{{"Writer", c.Writer}, {"Lister", c.Lister}, {"Codec", c.Codec}} {
		if f.v != nil && isNil(f.v) {
			wrong("%s is a nil %T", f.name, f.v)
		}
	}
	if c.MaxWeight > math.MaxInt64 {
		wrong("MaxWeight is over %d: %d", int64(math.MaxInt64), c.MaxWeight)
	}
	return errors.Join(errs...)
}

func orDefault[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

func validName(name string) bool {
	for _, r := range []byte(name) {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '.' && r != '_' && r != '-' {
			return false
		}
	}
	return true
}

// isNil says whether an interface holds nothing, or a nil of a kind whose
// methods cannot work.
func isNil(x any) bool {
	if x == nil {
		return true
	}
	switch v := reflect.ValueOf(x); v.Kind() {
	case reflect.Func, reflect.Pointer, reflect.Map, reflect.Chan, reflect.Interface, reflect.Slice:
		return v.IsNil()
	default:
		return false
	}
}

// defaultEqual is == where that cannot panic, else reflect.DeepEqual.
func defaultEqual[V any]() func(a, b V) bool {
	if t := reflect.TypeFor[V](); t.Comparable() && !holdsInterface(t) {
		return func(a, b V) bool { return any(a) == any(b) }
	}
	return func(a, b V) bool { return reflect.DeepEqual(a, b) }
}

func holdsInterface(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Array:
		return holdsInterface(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if holdsInterface(t.Field(i).Type) {
				return true
			}
		}
	}
	return false
}
