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

func TestD4_UntilAnEraseIsAcknowledgedTheStoreIsNotAsked(t *testing.T) {
	for name, invalidate := range map[string]func(*freshet.Cache[string]) error{
		"key":    func(c *freshet.Cache[string]) error { return c.Invalidate(bg, "a") },
		"remove": func(c *freshet.Cache[string]) error { return c.Remove(bg, "a") },
		"prefix": func(c *freshet.Cache[string]) error { _, err := c.InvalidatePrefix(bg, "a"); return err },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s, o := newShelf(), counting()
				first := shelved(t, o, s, config{})
				mustGet(t, first, "a", "v1")
				synctest.Wait()
				require.NoError(t, first.Close(bg))

				// A key that is not resident, whose record a store keeps that is
				// slow to forget.
				gets := s.count("get")
				s.set(func(_ context.Context, call string) error {
					if strings.HasPrefix(call, "delete") || strings.HasPrefix(call, "prefix") {
						return errors.New("not now")
					}
					return nil
				})
				second := shelved(t, o, s, config{})
				require.NoError(t, invalidate(second))
				mustGet(t, second, "a", "v2")
				require.Equal(t, gets, s.count("get"), "the store still has the old record")
				s.set(nil)
				time.Sleep(time.Minute)
				require.NoError(t, second.Close(bg))
				third := shelved(t, o, s, config{})
				v, err := third.Get(bg, "a")
				require.NoError(t, err)
				require.NotEqual(t, "v1", v, "erased at last, or replaced by a later record")
			})
		})
	}
}

func TestD4_WritesAreCoalescedToTheNewest(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, o := newShelf(), counting()
		release := make(chan struct{})
		s.before = func(_ context.Context, call string) error {
			if strings.HasPrefix(call, "set") {
				<-release
			}
			return nil
		}
		c := shelved(t, o, s, config{StoreTimeout: time.Hour})
		for _, v := range []string{"1", "2", "3", "4", "5"} {
			time.Sleep(time.Millisecond)
			require.NoError(t, c.Set(bg, "a", v))
			synctest.Wait()
		}
		close(release)
		require.Equal(t, 2, s.count("set a"), "the first, and the newest")
		require.NoError(t, c.Close(bg))
		again := shelved(t, o, s, config{})
		mustGet(t, again, "a", "5")
	})
}

func TestD4_CloseFlushes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, o := newShelf(), counting()
		s.before = func(_ context.Context, call string) error { time.Sleep(10 * time.Millisecond); return nil }
		c := shelved(t, o, s, config{})
		for _, key := range keysOf(100) {
			require.NoError(t, c.Set(bg, key, key))
		}
		require.NoError(t, c.Close(bg))
		require.Equal(t, 100, len(s.records)) // not Len: it would print them
	})
}

func TestD4_ATagThatWasInvalidatedKeepsItsStoredRecordsOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newShelf()
		o := counting()
		tagged := &origin{auto: func(n int, r freshet.Request[string]) (freshet.Response[string], error) {
			resp, err := o.auto(n, r)
			resp.Tags = []string{"team"}
			return resp, err
		}}
		c := shelved(t, tagged, s, config{MaxEntries: 1})
		mustGet(t, c, "a", "v1")
		mustGet(t, c, "b", "v1") // a is evicted; its record stays
		require.True(t, s.has("a"))
		time.Sleep(time.Second)
		_, err := c.InvalidateTag(bg, "team")
		require.NoError(t, err)
		mustGet(t, c, "a", "v2")
	})
}

func TestM2_AnEraseThatIsNotAcknowledgedKeepsItsResource(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, o := newShelf(), counting()
		s.before = func(_ context.Context, call string) error {
			if strings.HasPrefix(call, "delete") {
				return errors.New("not now")
			}
			return nil
		}
		c := shelved(t, o, s, config{MaxEntries: 1})
		require.NoError(t, c.Invalidate(bg, "a", "b", "c"))
		mustGet(t, c, "d", "v1")
		mustGet(t, c, "e", "v1")
		synctest.Wait()
		require.Equal(t, 3, c.Len(), "d and e had to make room for what cannot go")
		for _, key := range []string{"a", "b", "c"} {
			require.Equal(t, 1, s.count("delete "+key))
		}
		s.set(nil)
		time.Sleep(time.Minute)
		require.Equal(t, 2, s.count("delete a"), "it was tried again")
		require.Zero(t, c.Len(), "they were there for the erase alone")
	})
}

func TestW7_OnlyWhatTheOriginConfirmedReachesTheStore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newShelf()
		o := &origin{}
		c := shelved(t, o, s, config{})
		reply := get(c, "a")
		o.call(t, 1)
		require.NoError(t, c.Invalidate(bg, "a")) // the flight is superseded
		o.call(t, 2).respond(freshet.Response[string]{Value: "not kept", TTL: -1})
		v, err := reply.get()
		require.NoError(t, err)
		require.Equal(t, "not kept", v)
		require.False(t, s.has("a"), "a response that is not to be kept is not persisted")
	})
}

func TestW7_WhatTheOriginSaysIsGoneIsErasedFromTheStore(t *testing.T) {
	for name, answer := range map[string]func(*call){
		"absent":      func(c *call) { c.fail(freshet.ErrNotFound) },
		"not to keep": func(c *call) { c.respond(freshet.Response[string]{Value: "v", TTL: -1}) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s, o := newShelf(), &origin{}
				c := shelved(t, o, s, config{})
				require.NoError(t, c.Set(bg, "a", "v"))
				require.True(t, s.has("a"))
				reload := c.Reload(bg, "a")
				answer(o.call(t, 1))
				<-reload.Done()
				require.False(t, s.has("a"))
			})
		})
	}
}
