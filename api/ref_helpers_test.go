package api_test

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/actors"
	freshet "github.com/freshet-go/freshet/api"
)

// user is a plain protoactor actor that talks to resources: it sends what it
// is told to send, and keeps what comes back.
type user struct {
	t      *testing.T
	system *actor.ActorSystem
	pid    *actor.PID
	got    chan any
}

// What a user is told to do, and to whom.
type (
	request struct {
		to *actor.PID
		m  any
	}
	lookAt     struct{ at *actor.PID }
	lookAwayOf struct{ from *actor.PID }
)

func newUser(t *testing.T, system *actor.ActorSystem) *user {
	t.Cleanup(func() { time.Sleep(2 * time.Second) }) // protoactor throttles dead letters for one
	u := &user{t: t, system: system, got: make(chan any, 1000)}
	u.pid = system.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
		switch m := c.Message().(type) {
		case *actor.Started, *actor.Stopping, *actor.Stopped:
		case request:
			c.Request(m.to, m.m)
		case lookAt:
			c.Watch(m.at)
		case lookAwayOf:
			c.Unwatch(m.from)
		default:
			u.got <- m
		}
	}))
	t.Cleanup(func() { require.NoError(t, system.Root.StopFuture(u.pid).Wait()) })
	return u
}

func (u *user) tell(m any) { u.system.Root.Send(u.pid, m) }

// hears is the next message that comes, when all is at rest.
func (u *user) hears() any {
	u.t.Helper()
	synctest.Wait()
	select {
	case m := <-u.got:
		return m
	default:
		u.t.Fatal("nothing came")
		return nil
	}
}

// asks has the user request m of a resource, and returns the answer.
func (u *user) asks(to *actor.PID, m any) actors.Answer[string] {
	u.t.Helper()
	u.tell(request{to, m})
	a, ok := u.hears().(actors.Answer[string])
	require.True(u.t, ok, "no Answer")
	return a
}

// silent says that nothing has come.
func (u *user) silent() {
	u.t.Helper()
	synctest.Wait()
	require.Empty(u.t, u.got)
}

// harness is a system with a runtime, a cache of o on it, and a user.
func harness(t *testing.T, o *origin, c config) (*user, *freshet.Cache[string]) {
	system := actor.NewActorSystem(actor.WithLoggerFactory(quietly))
	runtime, err := freshet.NewRuntime(freshet.RuntimeConfig{ActorSystem: system})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, runtime.Close(bg)) })
	c.Runtime = runtime
	cache := serve(t, o, c)
	return newUser(t, system), cache
}

// quietly is a logger of an actor system that says nothing.
func quietly(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }
