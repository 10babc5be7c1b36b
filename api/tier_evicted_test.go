package api_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// evict has others take the place of key.
func evict(t *testing.T, c *freshet.Cache[string], key string) {
	t.Helper()
	for i := range 100 {
		if _, there := c.Peek(key); !there {
			return
		}
		_, err := c.Get(bg, "other-"+strconv.Itoa(i))
		require.NoError(t, err)
	}
	t.Fatalf("%s was not evicted", key)
}

// A resource is evicted before its record was written. What the Store has is
// older than what readers saw.
func TestD4_WhileARecordIsOwedTheOlderOneIsNotBelieved(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, o := newShelf(), counting()
		c := shelved(t, o, s, config{MaxEntries: 1, StoreTimeout: time.Hour})
		mustGet(t, c, "a", "v1")
		require.True(t, s.has("a"))
		open := make(chan struct{})
		s.set(func(_ context.Context, call string) error {
			if call == "set a" {
				<-open
			}
			return nil
		})
		v, err := c.Reload(bg, "a").Await(bg)
		require.NoError(t, err)
		require.Equal(t, "v2", v)
		evict(t, c, "a")
		v, err = c.Get(bg, "a")
		require.NoError(t, err)
		close(open)
		require.NotEqual(t, "v1", v, "back in time")
		synctest.Wait()
		evict(t, c, "a")
		flights := c.Stats().Flights
		mustGet(t, c, "a", v)
		require.Equal(t, flights, c.Stats().Flights, "when it is written the Store is asked again (D1)")
	})
}

func TestD4_WritesOfOneKeyAreOrderedAcrossAnEviction(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newShelf()
		var writing, most atomic.Int32
		s.before = func(_ context.Context, call string) error {
			if strings.HasSuffix(call, " a") && !strings.HasPrefix(call, "get") {
				most.Store(max(most.Load(), writing.Add(1)))
				time.Sleep(time.Second)
				writing.Add(-1)
			}
			return nil
		}
		c := shelved(t, counting(), s, config{MaxEntries: 1, StoreTimeout: time.Hour})
		for range 3 {
			_, err := c.Get(bg, "a")
			require.NoError(t, err)
			evict(t, c, "a")
		}
		require.NoError(t, c.Invalidate(bg, "a"))
		time.Sleep(time.Minute)
		require.EqualValues(t, 1, most.Load(), "two writers of one key")
		require.False(t, s.has("a"))
	})
}

// A record that the Store does not take (it is too large, say) leaves the older
// one there.
func TestD4_WhereARecordIsRefusedTheOlderOneIsNotBelieved(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, o := newShelf(), counting()
		c := shelved(t, o, s, config{MaxEntries: 1})
		mustGet(t, c, "a", "v1")
		require.True(t, s.has("a"))
		s.set(func(_ context.Context, call string) error {
			if call == "set a" {
				return errors.New("too large")
			}
			return nil
		})
		v, err := c.Reload(bg, "a").Await(bg)
		require.NoError(t, err)
		require.Equal(t, "v2", v)
		require.False(t, s.has("a"))
		require.EqualValues(t, 1, c.Stats().StoreErrors)
		evict(t, c, "a")
		v, err = c.Get(bg, "a")
		require.NoError(t, err)
		require.NotEqual(t, "v1", v, "back in time")
	})
}

// A record that is on its way to the Store when its prefix is invalidated does
// not come back behind the erase; one that waits for its turn is not written.
func TestD4_RecordsOnTheirWayAreErasedWithTheirPrefix(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, o := newShelf(), counting()
		open := make(chan struct{})
		s.set(func(_ context.Context, call string) error {
			if strings.HasPrefix(call, "set a") {
				<-open
			}
			return nil
		})
		c := shelved(t, o, s, config{StoreTimeout: time.Hour})
		for i := range 20 { // more than are written at once
			mustGet(t, c, "a"+strconv.Itoa(i), "v1")
		}
		synctest.Wait()
		begun := s.count("set a")
		require.Less(t, begun, 20)
		_, err := c.InvalidatePrefix(bg, "a")
		require.NoError(t, err)
		synctest.Wait()
		close(open)
		require.Equal(t, begun, s.count("set a"))
		require.Empty(t, s.records)
		v, err := c.Get(bg, "a0")
		require.NoError(t, err)
		require.NotEqual(t, "v1", v)
		require.True(t, s.has("a0"))
		require.NoError(t, c.Close(bg))
	})
}

// What was on its way to the Store is erased behind its prefix, if that takes more
// than one attempt.
func TestD4_TheEraseOfARecordOnItsWayIsOwedUntilItIsAcknowledged(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, o := newShelf(), counting()
		open := make(chan struct{})
		var refusals atomic.Int32
		refusals.Store(3)
		s.set(func(_ context.Context, call string) error {
			switch call {
			case "set a":
				<-open
			case "delete a":
				if refusals.Add(-1) >= 0 {
					return errors.New("down")
				}
			}
			return nil
		})
		c := shelved(t, o, s, config{MaxEntries: 1, StoreTimeout: time.Hour})
		mustGet(t, c, "a", "v1")
		synctest.Wait()
		_, err := c.InvalidatePrefix(bg, "a")
		require.NoError(t, err)
		synctest.Wait()
		close(open)
		require.True(t, s.has("a"))
		evict(t, c, "a")
		v, err := c.Get(bg, "a")
		require.NoError(t, err)
		require.NotEqual(t, "v1", v)
		require.NoError(t, c.Invalidate(bg, "a"))
		time.Sleep(time.Minute)
		require.Negative(t, refusals.Load())
		require.False(t, s.has("a"))
	})
}

// A record that the Store refuses after an erase is a failure of its own.
func TestD2_ARecordThatIsRefusedWhereAnEraseIsOwedIsCounted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newShelf()
		c := shelved(t, counting(), s, config{})
		open := make(chan struct{})
		s.set(func(_ context.Context, call string) error {
			if call == "set a" {
				<-open
				return errors.New("too large")
			}
			return nil
		})
		require.NoError(t, c.Set(bg, "a", "v1"))
		synctest.Wait()
		require.NoError(t, c.Invalidate(bg, "a"))
		require.NoError(t, c.Set(bg, "a", "v2"))
		close(open)
		require.False(t, s.has("a"))
		require.EqualValues(t, 2, c.Stats().StoreErrors)
	})
}

// O10: what was removed is not resident once its erase is acknowledged.
func TestO10_WhatWasRemovedGoesWhenTheStoreHasErasedIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newShelf()
		c := shelved(t, counting(), s, config{})
		mustGet(t, c, "a", "v1")
		require.True(t, s.has("a"))
		var refuse atomic.Bool
		refuse.Store(true)
		s.set(func(_ context.Context, call string) error {
			if call == "delete a" && refuse.Load() {
				return errors.New("down")
			}
			return nil
		})
		require.NoError(t, c.Remove(bg, "a"))
		require.True(t, s.has("a"))
		require.Equal(t, 1, c.Len(), "it has to see to the erase (M2)")
		refuse.Store(false)
		time.Sleep(time.Minute)
		require.False(t, s.has("a"))
		require.Zero(t, c.Len())
		mustGet(t, c, "a", "v2")
	})
}
