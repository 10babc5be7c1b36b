package actors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// Runtime is what caches share: an actor system, a clock, a logger. Caches
// that talk to each other's resources, or to the same actors, share one. It is
// safe for concurrent use.
type Runtime struct {
	system *actor.ActorSystem
	logger *slog.Logger
	clock  *Clock

	directory *directory
	prefix    string // of its caches' addresses

	mu     sync.Mutex
	caches map[string]routed // by name
	closed bool
}

// RuntimeConfig says what a Runtime is made of. The zero value is fine.
type RuntimeConfig struct {
	// ActorSystem is the system whose actors can reach resources by Ref. nil:
	// one of its own. Its first Runtime registers an address resolver there,
	// which protoactor does without a lock: make that before the system is used
	// by others, and before a remote is started on it, for a remote claims every
	// address that is not its own.
	ActorSystem *actor.ActorSystem
	// Logger gets what no caller can be told. nil: slog.Default().
	Logger *slog.Logger
}

// routed is a cache as its Runtime knows it.
type routed interface {
	actor.Process
	Close(context.Context) error
}

// NewRuntime makes a Runtime.
func NewRuntime(c RuntimeConfig) (*Runtime, error) {
	rt := &Runtime{logger: c.Logger, clock: NewClock(), caches: make(map[string]routed)}
	if rt.logger == nil {
		rt.logger = slog.Default()
	}
	if rt.system = c.ActorSystem; rt.system == nil {
		// The default factory would write to stderr.
		rt.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
			return slog.New(quiet{rt.logger.Handler()})
		}))
	}
	rt.directory = directoryOf(rt.system)
	rt.prefix = rt.directory.enter(rt)
	return rt, nil
}

// quiet is a handler that keeps what is not at least a warning to itself: that
// an actor system started is not news for the users of a cache.
type quiet struct{ slog.Handler }

func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && q.Handler.Enabled(ctx, level)
}

func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(attrs)} }
func (q quiet) WithGroup(name string) slog.Handler       { return quiet{q.Handler.WithGroup(name)} }

// lives says whether there is an actor of that address: of one on another node
// nobody here knows that it has ended.
func (rt *Runtime) lives(address, id string) bool {
	_, ok := rt.system.ProcessRegistry.Get(actor.NewPID(address, id))
	return ok
}

// enter makes a cache known under its name.
func (rt *Runtime) enter(name string, cache routed) error {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	if rt.closed {
		return fmt.Errorf("freshet: cache %q: the runtime is closed: %w", name, bare(ErrClosed))
	}
	if rt.caches[name] != nil {
		return fmt.Errorf("freshet: the runtime has a cache %q already", name)
	}
	rt.caches[name] = cache
	return nil
}

// leave takes cache, and no other of its name, out.
func (rt *Runtime) leave(name string, cache routed) {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	if rt.caches[name] == cache {
		delete(rt.caches, name)
	}
}

// Close closes the caches of the runtime, as Cache.Close does, side by side,
// and returns their errors. The actor system goes on: it may be the caller's,
// and one of its own holds no goroutine. Closing twice is fine.
func (rt *Runtime) Close(ctx context.Context) error {
	rt.mu.Lock()
	rt.closed = true
	caches := make([]routed, 0, len(rt.caches))
	for _, c := range rt.caches {
		caches = append(caches, c)
	}
	rt.mu.Unlock()
	errs := make([]error, len(caches))
	var wg sync.WaitGroup
	for i, c := range caches {
		wg.Go(func() { errs[i] = c.Close(ctx) })
	}
	wg.Wait()
	rt.directory.leave(rt)
	rt.clock.Close()
	return errors.Join(errs...)
}
