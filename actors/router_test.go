package actors

import (
	"context"
	"fmt"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"
)

// M4: actors that watch a resource and end without a word are not remembered for
// as long as the cache lives; those that live are, and are told of its end.
func TestM4_WatchersThatEndedAreForgotten(t *testing.T) {
	table := testTable(t, Config[int]{}, nil)
	root := table.runtime.system.Root
	told := make(chan string, 10)
	watch := func(key string) *actor.PID {
		watches := make(chan struct{})
		pid := root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
			switch m := c.Message().(type) {
			case *actor.Started:
				c.Watch(table.Ref(key))
				close(watches)
			case *actor.Terminated:
				told <- m.Who.Id
			}
		}))
		<-watches
		return pid
	}
	end := func(pid *actor.PID) { require.NoError(t, root.StopFuture(pid).Wait()) }
	stays := watch("stays")
	defer end(stays)
	for i := range 10 * fewWatchers {
		end(watch(fmt.Sprint("k", i)))
		table.watchers.mu.Lock()
		n := len(table.watchers.set)
		table.watchers.mu.Unlock()
		require.LessOrEqual(t, n, fewWatchers)
	}
	require.NoError(t, table.Close(context.Background()))
	require.Equal(t, "stays", <-told)
}
