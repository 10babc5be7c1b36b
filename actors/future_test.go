package actors

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

func TestFuture_BeforeAndAfter(t *testing.T) {
	f := newPending[int](context.Background(), cellOf(t, testTable(t, Config[int]{}, nil), "k"))
	_, err := f.Result()
	require.ErrorIs(t, err, ErrPending)
	require.Zero(t, f.Seq())
	require.Nil(t, f.wait.Load().done, "no channel before somebody asks for it")
	done := f.Done()
	require.Equal(t, done, f.Done(), "one channel for all")
	select {
	case <-done:
		t.Fatal("done while pending")
	default:
	}

	f.settle(&lifecycle.Version[int, *Future[int]]{Known: lifecycle.Present, Value: 5, Seq: 9}, nil, 9)
	<-done
	<-f.Done()
	v, err := f.Result()
	require.NoError(t, err)
	require.Equal(t, 5, v)
	require.EqualValues(t, 9, f.Seq())
	require.Nil(t, f.wait.Load(), "what only a pending future needs is dropped")
	v, err = f.Await(nil) //nolint:staticcheck // a nil context does not end
	require.NoError(t, err)
	require.Equal(t, 5, v)
}

func TestFuture_Failure(t *testing.T) {
	boom := errors.New("boom")
	old := &lifecycle.Version[int, *Future[int]]{Known: lifecycle.Present, Value: 1, Seq: 3}
	f := newPending[int](context.Background(), nil)
	f.settle(old, boom, 7)
	_, err := f.Result()
	require.ErrorIs(t, err, boom)
	require.EqualValues(t, 7, f.Seq())
	require.Same(t, old, f.failure.fallback, "F7: for who only demands")

	f = failedFuture[int](boom)
	<-f.Done()
	_, err = f.Await(context.Background())
	require.ErrorIs(t, err, boom)
	require.Zero(t, f.Seq())
}

func TestFuture_TheAnswerIsWorthMoreThanTheEnd(t *testing.T) {
	c := cellOf(t, testTable(t, Config[int]{}, nil), "k")
	ctx, cancel := context.WithCancelCause(context.Background())
	why := errors.New("why")
	cancel(why)
	f := newPending[int](context.Background(), c)
	_, err := f.Await(ctx)
	require.ErrorIs(t, err, why)
	require.Zero(t, f.wait.Load().count.Load(), "it has left")
	f.settle(&lifecycle.Version[int, *Future[int]]{Known: lifecycle.Present, Value: 5}, nil, 1)
	v, err := f.Await(ctx)
	require.NoError(t, err)
	require.Equal(t, 5, v)
}

func TestFuture_SealAndJoin(t *testing.T) {
	f := newPending[int](context.Background(), cellOf(t, testTable(t, Config[int]{AbortAbandoned: true}, nil), "k"))
	w := f.wait.Load()
	require.True(t, w.join(oneOwed))
	require.False(t, f.trySeal(), "somebody will wait for it")
	w.await() // uses up what is owed
	require.Equal(t, oneWaiter, w.count.Load())
	require.True(t, w.join(oneWaiter))
	require.False(t, w.leave())
	require.True(t, w.leave(), "the last one")
	require.True(t, f.trySeal())
	require.False(t, w.join(oneWaiter), "it is being discarded")
	f.unseal()
	require.True(t, w.join(oneWaiter))

	f.settle(&lifecycle.Version[int, *Future[int]]{}, nil, 1)
	require.True(t, f.trySeal(), "nobody waits for what has settled")
	f.unseal()
}

func TestFuture_OwedStaysWhereNothingIsAbandoned(t *testing.T) {
	f := newPending[int](context.Background(), cellOf(t, testTable(t, Config[int]{}, nil), "k"))
	w := f.wait.Load()
	require.True(t, w.join(oneOwed))
	w.await()
	require.False(t, w.leave(), "it was handed out: it may be awaited again")
	require.False(t, f.trySeal())
}

// Many ask for the channel while the future settles: all of them see it closed.
func TestStressFuture_DoneWhileItSettles(t *testing.T) {
	c := cellOf(t, testTable(t, Config[int]{}, nil), "k")
	for range 2000 {
		f := newPending[int](context.Background(), c)
		start := make(chan struct{})
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				<-start
				<-f.Done()
				if v, err := f.Result(); err != nil || v != 5 || f.Seq() != 2 {
					t.Errorf("done, and the result is %v, %v", v, err)
				}
			})
		}
		wg.Go(func() {
			<-start
			f.settle(&lifecycle.Version[int, *Future[int]]{Known: lifecycle.Present, Value: 5, Seq: 2}, nil, 2)
		})
		close(start)
		wg.Wait()
	}
}
