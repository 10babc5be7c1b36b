package actors

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"
)

// M4: a Runtime that is closed leaves nothing behind in an actor system that is
// not its own, and nobody inherits its addresses.
func TestM4_RuntimesLeaveTheirActorSystem(t *testing.T) {
	ctx := context.Background()
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))
	var last *actor.PID
	for range 100 {
		rt, err := NewRuntime(RuntimeConfig{ActorSystem: system})
		require.NoError(t, err)
		table, err := NewTable(Config[int]{Name: "a.b", Runtime: rt, Source: Func(func(context.Context, string) (int, error) { return 7, nil })})
		require.NoError(t, err)
		ref := table.Ref("k")
		answer, err := system.Root.RequestFuture(ref, Demand{}, time.Minute).Result()
		require.NoError(t, err)
		require.Equal(t, 7, answer.(Answer[int]).Snapshot.Value)
		if last != nil {
			require.NotEqual(t, last.Address, ref.Address)
			_, there := system.ProcessRegistry.Get(last)
			require.False(t, there)
		}
		last = ref
		require.NoError(t, rt.Close(ctx))
	}
	require.Len(t, system.ProcessRegistry.RemoteHandlers, 1)
	require.Empty(t, directoryOf(system).runtimes)
}
