package storetest_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/store/memory"
	"github.com/freshet-go/freshet/api/store/storetest"
)

var epoch = time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)

func rec(n int, value string) freshet.Record {
	return freshet.Record{Value: []byte(value), ReadAt: epoch.Add(time.Duration(n))}
}

func TestFaultyWithoutAPlanIsTheStoreItself(t *testing.T) {
	storetest.Run(t, func(*testing.T) freshet.Store { return storetest.Faulty(memory.New(memory.Options{}), nil) })
}

func TestFailNth(t *testing.T) {
	s := storetest.Faulty(memory.New(memory.Options{}), storetest.FailNth(2))
	require.NoError(t, s.Set(t.Context(), "a", rec(1, "1")))
	require.ErrorIs(t, s.Set(t.Context(), "a", rec(2, "2")), storetest.ErrInjected)
	r, err := s.Get(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, "1", string(r.Value), "the failed call was not made")
	require.Equal(t, 3, s.Calls())
}

func TestLostAnswerOfACallThatWasMade(t *testing.T) {
	own := errors.New("connection reset")
	s := storetest.Faulty(memory.New(memory.Options{}), storetest.On("Set", storetest.Fault{Lost: true, Err: own}))
	require.ErrorIs(t, s.Set(t.Context(), "a", rec(1, "1")), own)
	_, err := s.Get(t.Context(), "a")
	require.NoError(t, err)
}

func TestHangAndDelayEndWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, f := range []storetest.Fault{{Hang: true}, {Delay: time.Hour}} {
			s := storetest.Faulty(memory.New(memory.Options{}), storetest.On("Get", f))
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			began := time.Now()
			_, err := s.Get(ctx, "a")
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Equal(t, time.Second, time.Since(began))
			cancel()
		}
		s := storetest.Faulty(memory.New(memory.Options{}), storetest.On("", storetest.Fault{Delay: time.Minute}))
		began := time.Now()
		require.NoError(t, s.Delete(t.Context(), "a", epoch))
		require.Equal(t, time.Minute, time.Since(began))
	})
}

func TestDeafEndsWithClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.Faulty(memory.New(memory.Options{}), storetest.On("DeletePrefix", storetest.Fault{Deaf: true}))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		ended := make(chan error)
		go func() { ended <- s.DeletePrefix(ctx, "a", epoch) }()
		synctest.Wait()
		select {
		case err := <-ended:
			t.Fatalf("it listened to its context: %v", err)
		default:
		}
		require.NoError(t, s.Close())
		require.Error(t, <-ended)
		require.NoError(t, s.Close())
	})
}

func TestGarbage(t *testing.T) {
	s := storetest.Faulty(memory.New(memory.Options{}), storetest.On("Get", storetest.Fault{Garbage: true}))
	require.NoError(t, s.Set(t.Context(), "a", rec(1, `"1"`)))
	for _, key := range []string{"a", "absent"} {
		r, err := s.Get(t.Context(), key)
		require.NoError(t, err)
		require.False(t, json.Valid(r.Value))
		again, err := s.Get(t.Context(), key)
		require.NoError(t, err)
		require.Equal(t, r.Value, again.Value)
	}
}

func TestPlansCompose(t *testing.T) {
	s := storetest.Faulty(memory.New(memory.Options{}),
		storetest.First(storetest.FailNth(1), storetest.On("Delete", storetest.Fault{Panic: true})))
	_, err := s.Get(t.Context(), "a")
	require.ErrorIs(t, err, storetest.ErrInjected)
	require.PanicsWithError(t, storetest.ErrInjected.Error(), func() { _ = s.Delete(t.Context(), "a", epoch) })
	s.Plan(storetest.Sometimes(1, 0.25, storetest.Fault{Err: context.Canceled}))
	failed := 0
	for range 1000 {
		if s.Delete(t.Context(), "a", epoch) != nil {
			failed++
		}
	}
	require.InDelta(t, 250, failed, 60)
}
