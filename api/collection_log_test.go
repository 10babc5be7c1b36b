package api_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// C4: a Belongs that panics costs its lists a new read, and somebody has to be
// told why; once a write, however many lists there are.
func TestC4_ABelongsThatDoesNotReturnIsLogged(t *testing.T) {
	for how, leave := range wildly() {
		t.Run(how, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var log bytes.Buffer
				rt, err := freshet.NewRuntime(freshet.RuntimeConfig{Logger: slog.New(slog.NewTextHandler(&log, nil))})
				require.NoError(t, err)
				s := newCatalog("a")
				c := lists(t, s, config{Runtime: rt, Lister: membered{s, func(string, freshet.Item[string]) bool {
					leave()
					return true
				}}})
				for _, query := range []string{"", "a", "ab"} {
					_, err := c.Collection(query).Get(bg)
					require.NoError(t, err)
				}
				_, _, err = c.Create(bg, "abc")
				require.NoError(t, err)
				hasItems(t, c.Collection("a"), "a abc")
				require.NoError(t, rt.Close(bg))
				synctest.Wait()
				require.Equal(t, 1, strings.Count(log.String(), "Belongs did not return"), log.String())
				require.Contains(t, log.String(), map[string]string{"panics": "user code panicked: wild", "exits": "runtime.Goexit"}[how])
				require.Contains(t, log.String(), "key=k2")
			})
		})
	}
}
