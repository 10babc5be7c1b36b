package api_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/streams"
)

// However deep an error comes from, it says once whose it is.
func TestErrorsSayOnceWhoseTheyAre(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, counting(), config{})
		errs := map[string]error{"put": c.Put(bg, "k", freshet.Response[string]{Unchanged: true})}
		require.ErrorIs(t, errs["put"], freshet.ErrUnchanged)
		errs["observe"] = (<-c.Observe(streams.Live()).Observe()).E
		require.ErrorIs(t, errs["observe"], streams.ErrLiveNeedsKeys)

		sub, err := c.Watch(bg)
		require.NoError(t, err)
		require.NoError(t, c.Close(bg))
		_, errs["closed"] = sub.Next(bg)
		require.ErrorIs(t, errs["closed"], freshet.ErrClosed)
		require.ErrorIs(t, errs["closed"], streams.ErrClosed)

		rt, err := freshet.NewRuntime(freshet.RuntimeConfig{})
		require.NoError(t, err)
		require.NoError(t, rt.Close(bg))
		_, errs["runtime"] = freshet.New(config{Name: "late", Source: counting(), Runtime: rt})
		require.ErrorIs(t, errs["runtime"], freshet.ErrClosed)
		for name, err := range errs {
			require.Equal(t, 1, strings.Count(err.Error(), "freshet: "), "%s: %v", name, err)
		}
	})
}
