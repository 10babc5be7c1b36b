package api_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/streams"
)

// S5: a closed cache shows nothing. A snapshot that its Close comes upon ends
// with the cause, and is not told to be complete: the reader would believe that
// the keys are gone.
func TestS5_ASnapshotThatACloseComesUponIsNotComplete(t *testing.T) {
	for what, opts := range map[string][]streams.Option{
		"all": {}, "a prefix": {streams.Prefix("a")}, "keys": {streams.Keys("a", "b")},
	} {
		t.Run(what, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := serve(t, counting(), config{})
				mustSet(t, c, "a", "1")
				mustSet(t, c, "b", "1")
				opts := append(opts, streams.WithSnapshot(), streams.OnOverflow(streams.Resync))
				before, err := c.Watch(bg, opts...)
				require.NoError(t, err)
				land := make(chan struct{})
				writing := ask(func() (string, error) {
					return c.Mutate(bg, "c", freshet.Mutation[string]{
						Apply:  func(v string) (string, error) { return v + "+", nil },
						Commit: func(_ context.Context, v string) (string, error) { <-land; return v, nil },
					})
				})
				require.True(t, writing.waiting())
				closing := ask(func() (string, error) { return "", c.Close(bg) })
				require.True(t, closing.waiting(), "it awaits the write")
				during, err := c.Watch(bg, opts...)
				require.NoError(t, err)
				first, err := streams.Latest(during)
				require.NoError(t, err)
				require.ErrorIs(t, first.Wait(bg), freshet.ErrClosed, "a view of nothing")
				close(land)
				synctest.Wait()
				require.False(t, closing.waiting())
				_, err = before.Next(bg)
				require.ErrorIs(t, err, freshet.ErrClosed)
				require.ErrorIs(t, before.Err(), streams.ErrClosed)
				require.Empty(t, before.Token())
			})
		})
	}
}
