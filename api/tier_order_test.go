package api_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// Two caches share a store as two processes do: the read of one began before
// the erase of the other, and lands after it.
func TestD5_AReadThatBeganBeforeAnothersEraseDoesNotComeBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, slow := newShelf(), &origin{}
		one := shelved(t, slow, s, config{})
		other := shelved(t, counting(), s, config{Name: "other"})
		late := get(one, "a")
		call := slow.call(t, 1)
		time.Sleep(time.Second)
		require.NoError(t, other.Invalidate(bg, "a"))
		synctest.Wait()
		time.Sleep(time.Second)
		call.value("from before")
		gives(t, late, "from before")
		require.Equal(t, 1, s.count("set a"), "it was written, and comes too late")
		mustGet(t, other, "a", "v1")
	})
}

// The age that an origin admits orders nothing in a cache (O0), nor in a store.
func TestD5_AValueThatWasSetReplacesTheRecordWhateverItsAge(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newShelf()
		c := shelved(t, counting(), s, config{Freshness: freshet.Freshness{TTL: time.Hour}})
		mustGet(t, c, "a", "v1")
		time.Sleep(time.Second)
		require.NoError(t, c.Put(bg, "a", freshet.Response[string]{Value: "set", Age: time.Minute}))
		synctest.Wait()
		require.NoError(t, c.Close(bg))
		again := shelved(t, &origin{}, s, config{Freshness: freshet.Freshness{TTL: time.Hour}})
		snap, err := again.Lookup(bg, "a")
		require.NoError(t, err)
		require.Equal(t, "set", snap.Value)
		require.Equal(t, time.Minute, time.Since(snap.At), "and it keeps its age (D1)")
	})
}

func TestD1_TheAgeOfAStoredValueCountsFromWhenItWasApplied(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, slow := newShelf(), &origin{}
		first := shelved(t, slow, s, config{Freshness: freshet.Freshness{TTL: 10 * time.Second}})
		reply := get(first, "a")
		call := slow.call(t, 1)
		time.Sleep(3 * time.Second)
		call.respond(freshet.Response[string]{Value: "v", Age: time.Second})
		gives(t, reply, "v")
		want, _ := first.Peek("a")
		require.NoError(t, first.Close(bg))
		time.Sleep(9*time.Second - 1)
		second := shelved(t, counting(), s, config{Freshness: freshet.Freshness{TTL: 10 * time.Second}})
		snap, err := second.Lookup(bg, "a")
		require.NoError(t, err)
		require.Equal(t, want.At.UnixNano(), snap.At.UnixNano())
		require.Equal(t, "v", snap.Value)
		time.Sleep(1)
		mustGet(t, second, "a", "v1")
	})
}

// A Set voids what the store has as an erase does.
func TestD4_UntilAValueThatWasSetIsStoredTheStoreIsNotAsked(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newShelf()
		first := shelved(t, counting(), s, config{})
		mustGet(t, first, "a", "v1")
		synctest.Wait()
		require.NoError(t, first.Close(bg))

		s.set(func(ctx context.Context, call string) error {
			if strings.HasPrefix(call, "get") {
				return nil
			}
			return errors.New("not now")
		})
		second := shelved(t, counting(), s, config{MaxEntries: 1, Name: "second"})
		require.NoError(t, second.Set(bg, "a", "set"))
		mustGet(t, second, "b", "v1") // which would have a evicted
		synctest.Wait()
		v, err := second.Get(bg, "a")
		require.NoError(t, err)
		require.Equal(t, "set", v)
		s.set(nil)
		time.Sleep(time.Minute)
		require.False(t, s.has("a") && string(s.records["a"].Value[17:]) == `"v1"`, "erased at last")
	})
}

// erasing is the two ways in which an erase of "a" comes to be owed.
func erasing() map[string]func(*freshet.Cache[string]) error {
	return map[string]func(*freshet.Cache[string]) error{
		"key":    func(c *freshet.Cache[string]) error { return c.Invalidate(bg, "a") },
		"prefix": func(c *freshet.Cache[string]) error { _, err := c.InvalidatePrefix(bg, "a"); return err },
	}
}

// owingAnErase is a cache that could not have its Store, which goes on failing, erase
// what invalidate made void.
func owingAnErase(t *testing.T, invalidate func(*freshet.Cache[string]) error) (*freshet.Cache[string], *shelf) {
	s := newShelf()
	c := shelved(t, counting(), s, config{})
	mustGet(t, c, "a", "v1")
	synctest.Wait()
	s.set(func(context.Context, string) error { return errors.New("not now") })
	require.NoError(t, invalidate(c))
	synctest.Wait()
	return c, s
}

// Close does not wait until an erase that failed is due again.
func TestD4_CloseTriesAnEraseThatFailedOnceMore(t *testing.T) {
	for name, invalidate := range erasing() {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c, s := owingAnErase(t, invalidate)
				require.True(t, s.has("a"))
				s.set(nil)
				start := time.Now()
				require.NoError(t, c.Close(bg))
				require.False(t, s.has("a"))
				require.Zero(t, time.Since(start))
			})
		})
	}
}

// Once, not until it succeeds: a Store that is down does not hold Close.
func TestD4_CloseTriesAnEraseThatGoesOnFailingNoMore(t *testing.T) {
	for name, invalidate := range erasing() {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c, s := owingAnErase(t, invalidate)
				tries := s.count("delete a") + s.count("prefix a")
				require.NoError(t, c.Close(bg))
				require.Equal(t, tries+1, s.count("delete a")+s.count("prefix a"))
			})
		})
	}
}

func TestD4_CloseTriesAnEraseThatFailsMeanwhileOnceMore(t *testing.T) {
	for name, invalidate := range erasing() {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := newShelf()
				c := shelved(t, counting(), s, config{StoreTimeout: time.Minute})
				mustGet(t, c, "a", "v1")
				synctest.Wait()
				s.set(func(context.Context, string) error {
					time.Sleep(time.Second)
					s.set(nil)
					return errors.New("not now")
				})
				require.NoError(t, invalidate(c))
				synctest.Wait()
				require.NoError(t, c.Close(bg))
				require.False(t, s.has("a"))
			})
		})
	}
}

// M4: what is owed to a Store that is down does not grow with what was asked.
func TestM4_ErasesOfOnePrefixAreOneDebt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newShelf()
		c := shelved(t, counting(), s, config{})
		mustGet(t, c, "a", "v1")
		synctest.Wait()
		s.set(func(context.Context, string) error { return errors.New("not now") })
		for range 100 {
			_, err := c.InvalidatePrefix(bg, "a")
			require.NoError(t, err)
		}
		time.Sleep(time.Minute)
		require.Less(t, s.count("prefix a"), 20)
		s.set(nil)
		mustGet(t, c, "ab", "v1")
		_, err := c.InvalidatePrefix(bg, "a")
		require.NoError(t, err)
		time.Sleep(time.Minute)
		require.False(t, s.has("a"))
		require.False(t, s.has("ab"))
		require.Equal(t, 0, s.count("get ab"), "asked before the erase was acknowledged")
	})
}
