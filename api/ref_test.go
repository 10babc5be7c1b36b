package api_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/actors"
	freshet "github.com/freshet-go/freshet/api"
)

func TestRef_DemandIsAnsweredAsGet(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		u, cache := harness(t, o, config{})
		ref := cache.Ref("users/1")
		require.Zero(t, cache.Len(), "a Ref makes nothing resident")
		u.tell(request{ref, actors.Demand{}})
		u.silent()
		o.call(t, 1).value("v1")
		a := u.hears().(actors.Answer[string])
		require.NoError(t, a.Err)
		require.Equal(t, "users/1", a.Snapshot.Key)
		require.Equal(t, "v1", a.Snapshot.Value)
		require.Equal(t, freshet.Fresh, a.Snapshot.State)
		require.NotZero(t, a.Snapshot.Seq)

		require.Equal(t, a.Snapshot, u.asks(ref, &actors.Demand{}).Snapshot, "a hit, by a pointer")
		require.Equal(t, 1, o.calls())
	})
}

func TestRef_FailuresAndAbsencesAreAnswers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		u, cache := harness(t, o, config{})
		ref := cache.Ref("k")
		u.tell(request{ref, actors.Demand{}})
		o.call(t, 1).fail(errOrigin)
		a := u.hears().(actors.Answer[string])
		require.ErrorIs(t, a.Err, errOrigin)
		var failed *freshet.FetchError
		require.ErrorAs(t, a.Err, &failed)
		require.Equal(t, freshet.Failed, a.Snapshot.State)

		u.tell(request{ref, actors.Demand{}})
		o.call(t, 2).fail(freshet.ErrNotFound)
		a = u.hears().(actors.Answer[string])
		require.ErrorIs(t, a.Err, freshet.ErrNotFound)
		require.Equal(t, freshet.Missing, a.Snapshot.State)

		for _, bad := range []string{"", strings.Repeat("x", 4097), "a\x00b", "\xff"} {
			for _, m := range []any{actors.Demand{}, actors.Reload{}, actors.Invalidate{}} {
				require.ErrorIs(t, u.asks(cache.Ref(bad), m).Err, freshet.ErrBadKey, "%T of %.9q", m, bad)
			}
		}
	})
}

func TestRef_ReloadTakesOffAndInvalidateHolds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := counting()
		u, cache := harness(t, o, config{})
		ref := cache.Ref("k")
		require.Equal(t, "v1", u.asks(ref, actors.Demand{}).Snapshot.Value)
		require.Equal(t, "v2", u.asks(ref, actors.Reload{}).Snapshot.Value)
		mustGet(t, cache, "k", "v2")

		a := u.asks(ref, actors.Invalidate{})
		require.NoError(t, a.Err)
		require.Equal(t, freshet.Stale, a.Snapshot.State, "void, and still held")
		mustGet(t, cache, "k", "v3")

		require.NoError(t, u.asks(cache.Ref("never seen"), actors.Invalidate{}).Err)
		require.Equal(t, 1, cache.Len(), "Invalidate makes nothing resident")
	})
}

func TestRef_AnOldValueCarriesOnForWhoOnlyDemands(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		u, cache := harness(t, o, config{Reload: freshet.ReloadQueue, Freshness: freshet.Freshness{TTL: time.Second, StaleOnError: time.Hour}})
		strict := newUser(t, u.system)
		ref := cache.Ref("k")
		require.NoError(t, cache.Set(bg, "k", "old"))
		time.Sleep(time.Second)
		strict.tell(request{ref, actors.Reload{}})
		strict.silent()
		u.tell(request{ref, actors.Demand{}})
		u.silent()
		o.call(t, 1).fail(errOrigin)
		require.ErrorIs(t, strict.hears().(actors.Answer[string]).Err, errOrigin, "F7: a reload is strict")
		a := u.hears().(actors.Answer[string])
		require.NoError(t, a.Err, "F7")
		require.Equal(t, "old", a.Snapshot.Value)
		require.ErrorIs(t, a.Snapshot.Err, errOrigin)
	})
}

func TestRef_WithoutSenderItTakesEffectOnly(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := counting()
		u, cache := harness(t, o, config{})
		ref := cache.Ref("k")
		u.system.Root.Send(ref, actors.Demand{})
		require.Equal(t, 1, o.calls())
		u.system.Root.Send(ref, &actors.Reload{})
		require.Equal(t, 2, o.calls())
		u.system.Root.Send(ref, &actors.Invalidate{})
		mustGet(t, cache, "k", "v3")
		u.silent()
	})
}

func TestRef_SurvivesEviction(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := counting()
		u, cache := harness(t, o, config{MaxEntries: 1})
		ref := cache.Ref("k")
		require.Equal(t, "v1", u.asks(ref, actors.Demand{}).Snapshot.Value)
		_, err := cache.Get(bg, "another")
		require.NoError(t, err)
		synctest.Wait()
		if _, ok := cache.Peek("k"); ok { // who goes first is the policy's business
			_, err = cache.Get(bg, "a third")
			require.NoError(t, err)
			synctest.Wait()
		}
		_, ok := cache.Peek("k")
		require.False(t, ok)
		require.Equal(t, "v2", u.asks(ref, actors.Demand{}).Snapshot.Value)
		require.NoError(t, cache.Set(bg, "k", "set"))
		require.Equal(t, "set", u.asks(ref, actors.Demand{}).Snapshot.Value, "the PID leads to the resource of today")
	})
}

func TestRef_AfterClose(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{deaf: true}
		u, cache := harness(t, o, config{})
		ref := cache.Ref("k")
		u.tell(request{ref, actors.Demand{}})
		require.Equal(t, 1, o.calls())
		ctx, cancel := context.WithCancel(bg)
		cancel()
		require.Error(t, cache.Close(ctx))
		require.ErrorIs(t, u.hears().(actors.Answer[string]).Err, freshet.ErrClosed, "C5: what was pending")
		for _, m := range []any{actors.Demand{}, actors.Reload{}, actors.Invalidate{}} {
			require.ErrorIs(t, u.asks(ref, m).Err, freshet.ErrClosed, "%T", m)
		}
		// A PID that was never used finds nobody, as that of a stopped actor.
		u.tell(request{cache.Ref("k"), actors.Demand{}})
		require.IsType(t, &actor.DeadLetterResponse{}, u.hears())
		o.free()
	})
}

func TestRef_WhatItDoesNotUnderstand(t *testing.T) {
	bubble(t, func(t *testing.T) {
		u, cache := harness(t, counting(), config{Name: "books"})
		ref := cache.Ref("k")
		a := u.asks(ref, "tell me")
		require.ErrorContains(t, a.Err, "books/k does not understand string")
		require.Equal(t, "k", a.Snapshot.Key)
		require.Zero(t, cache.Len())

		letters := make(chan any, 10)
		sub := u.system.EventStream.Subscribe(func(e any) {
			if d, ok := e.(*actor.DeadLetterEvent); ok {
				letters <- d.Message
			}
		})
		defer u.system.EventStream.Unsubscribe(sub)
		u.system.Root.Send(ref, 42)
		synctest.Wait()
		require.Equal(t, 42, <-letters)

		u.system.Root.Poison(ref) // a resource lives and dies with its cache
		u.system.Root.Stop(ref)
		require.Equal(t, "v1", u.asks(ref, actors.Demand{}).Snapshot.Value)
	})
}

func TestRef_WatchersAreToldOfTheEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		u, cache := harness(t, counting(), config{})
		away := newUser(t, u.system)
		ref := cache.Ref("k")
		u.tell(lookAt{ref})
		u.tell(lookAt{ref}) // once is enough
		away.tell(lookAt{ref})
		away.tell(lookAwayOf{ref})
		u.silent()
		require.NoError(t, cache.Close(bg))
		end, ok := u.hears().(*actor.Terminated)
		require.True(t, ok)
		require.True(t, end.Who.Equal(ref), "%v", end.Who)
		u.silent()
		away.silent()

		u.tell(lookAt{ref}) // it has ended already
		require.IsType(t, &actor.Terminated{}, u.hears())
	})
}

func TestRef_TwoCachesOnOneRuntime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		runtime, err := freshet.NewRuntime(freshet.RuntimeConfig{ActorSystem: actor.NewActorSystem(actor.WithLoggerFactory(quietly))})
		require.NoError(t, err)
		system := actor.NewActorSystem(actor.WithLoggerFactory(quietly)) // another: nobody is known there
		named := func(name string) *freshet.Cache[string] {
			return open(t, config{Name: name, Runtime: runtime, Source: freshet.Func(func(_ context.Context, key string) (string, error) {
				return name + "/" + key, nil
			})})
		}
		a, b := named("a"), named("b")
		_, err = freshet.New(config{Name: "a", Runtime: runtime, Source: counting()})
		require.ErrorContains(t, err, `a cache "a" already`)
		stranger := newUser(t, system)
		stranger.tell(request{a.Ref("k"), actors.Demand{}})
		require.IsType(t, &actor.DeadLetterResponse{}, stranger.hears())

		require.NoError(t, a.Close(bg))
		again := named("a") // the name is free again
		v, err := again.Get(bg, "k")
		require.NoError(t, err)
		require.Equal(t, "a/k", v)
		require.NoError(t, runtime.Close(bg))
		_, err = b.Get(bg, "k")
		require.ErrorIs(t, err, freshet.ErrClosed)
		_, err = freshet.New(config{Name: "c", Runtime: runtime, Source: counting()})
		require.ErrorIs(t, err, freshet.ErrClosed)
	})
}

// A PID is under its cache's own address, also where two runtimes that share a
// system have caches of one name.
func TestRef_TwoRuntimesOnOneSystem(t *testing.T) {
	bubble(t, func(t *testing.T) {
		system := actor.NewActorSystem(actor.WithLoggerFactory(quietly))
		u := newUser(t, system)
		var caches []*freshet.Cache[string]
		for _, value := range []string{"one", "two"} {
			runtime, err := freshet.NewRuntime(freshet.RuntimeConfig{ActorSystem: system})
			require.NoError(t, err)
			caches = append(caches, open(t, config{Name: "same", Runtime: runtime, Source: freshet.Func(func(context.Context, string) (string, error) {
				return value, nil
			})}))
		}
		require.Equal(t, "one", u.asks(caches[0].Ref("k"), actors.Demand{}).Snapshot.Value)
		require.Equal(t, "two", u.asks(caches[1].Ref("k"), actors.Demand{}).Snapshot.Value)
	})
}

func TestRef_AHundredActorsShareOneFlight(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{}
		u, cache := harness(t, o, config{})
		ref := cache.Ref("k")
		users := make([]*user, 100)
		for i := range users {
			users[i] = newUser(t, u.system)
			users[i].tell(request{ref, actors.Demand{}})
		}
		require.Equal(t, 1, o.calls(), "F1")
		o.call(t, 1).value("v")
		for _, u := range users {
			require.Equal(t, "v", u.hears().(actors.Answer[string]).Snapshot.Value)
		}
		for _, u := range users {
			u.tell(request{ref, actors.Reload{}})
		}
		for n := 2; n <= o.calls(); n++ {
			o.call(t, n).value("w")
		}
		for _, u := range users {
			a := u.hears().(actors.Answer[string])
			require.True(t, a.Err == nil && a.Snapshot.Value == "w", "%v", a)
		}
		require.LessOrEqual(t, o.calls(), 6, "O4: the storm cost four flights and a follow-up")
	})
}
