package streams_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/streams"
)

func TestEachTurnsAHandlersPanicIntoItsSubscriptionsEnd(t *testing.T) {
	c := newToy(t, streams.LogConfig[int]{})
	other := subscribe(t, c)
	boom := errors.New("boom")
	for name, handler := range map[string]func(e event) error{
		"panic":   func(event) error { panic(boom) },
		"answer":  func(event) error { return boom },
		"context": func(event) error { return nil },
	} {
		s := subscribe(t, c)
		revision := c.set("k", 1)
		ctx, cancel := context.WithCancelCause(t.Context())
		if name == "context" {
			time.AfterFunc(0, func() { cancel(boom) })
		}
		err := streams.Each(ctx, s, handler)
		require.ErrorIs(t, err, boom, name)
		require.Equal(t, err, s.Err(), name)
		var p *streams.PanicError
		require.Equal(t, name == "panic", errors.As(err, &p), name)
		if p != nil {
			require.Contains(t, string(p.Stack), "TestEachTurns")
			require.ErrorContains(t, err, "the handler panicked: boom")
		}
		require.Equal(t, revision, next(t, other).Revision)
		cancel(nil)
	}

	s := subscribe(t, c)
	c.set("k", 1)
	require.NoError(t, streams.Each(t.Context(), s, func(event) error {
		c.set("calls back", 1) // into the cache
		subscribe(t, c).Close()
		s.Close()
		return nil
	}), "its own Close is no error")

	s = subscribe(t, c)
	c.set("k", 1)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_ = streams.Each(t.Context(), s, func(event) error { runtime.Goexit(); return nil })
	}()
	<-gone
	require.ErrorIs(t, s.Err(), streams.ErrGoexit)
}

func TestEachThatNeverReturnsHoldsNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newToy(t, streams.LogConfig[int]{History: 8})
		stuck, free := subscribe(t, c), subscribe(t, c)
		release := make(chan struct{})
		done := make(chan error)
		go func() { done <- streams.Each(t.Context(), stuck, func(event) error { <-release; return nil }) }()
		for i := range 100 {
			c.set("k", i)
			require.EqualValues(t, i+1, next(t, free).Revision)
		}
		close(release)
		require.ErrorIs(t, <-done, streams.ErrLagged)
	})
}
