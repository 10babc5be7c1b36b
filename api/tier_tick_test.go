package api_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// These tests order a Store where the clock cannot: in a bubble all of them
// happens in one instant, as it may on a machine with a coarse clock.

// O6: a record whose resource was evicted is void once its tag was invalidated.
func TestO6_ATagVoidsWhatTheStoreHasFromTheSameInstant(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newShelf()
		c := shelved(t, counting(), s, config{MaxEntries: 1})
		for _, key := range keysOf(3) {
			mustGet(t, c, key, "v1")
		}
		require.NoError(t, c.Put(bg, "a", tagged("old", "red")))
		require.True(t, s.has("a"))
		evict(t, c, "a")
		_, err := c.InvalidateTag(bg, "red")
		require.NoError(t, err)
		mustGet(t, c, "a", "v1")
	})
}

// D5: caches on one Store order what they tell it, whichever has told it more.
func TestD5_AnEraseCoversWhatAnotherCacheReadInTheSameInstant(t *testing.T) {
	for name, erase := range map[string]func(*freshet.Cache[string]) error{
		"key":    func(c *freshet.Cache[string]) error { return c.Invalidate(bg, "a") },
		"prefix": func(c *freshet.Cache[string]) error { _, err := c.InvalidatePrefix(bg, "a"); return err },
		"tag":    func(c *freshet.Cache[string]) error { _, err := c.InvalidateTag(bg, "red"); return err },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := newShelf()
				one := shelved(t, counting(), s, config{Name: "one"})
				other := shelved(t, counting(), s, config{Name: "other"})
				for _, key := range keysOf(3) {
					mustGet(t, one, key, "v1")
				}
				require.NoError(t, one.Put(bg, "a", tagged("old", "red")))
				require.True(t, s.has("a"))
				require.NoError(t, erase(other))
				synctest.Wait()
				mustGet(t, other, "a", "v1")
			})
		})
	}
}

// D5: the first record of a process is not from its future.
func TestD5_TheFirstRecordIsReadAtTheTimeThatItIs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newShelf()
		c := shelved(t, counting(), s, config{})
		mustGet(t, c, "a", "v1")
		require.True(t, s.has("a"))
		require.NoError(t, s.Delete(bg, "a", time.Now()))
		require.False(t, s.has("a"))
	})
}
