package actors

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// Callers whose contexts end while the future settles: each gets the answer or
// its own end, and leaves a seat behind that wakes nobody too early (C1).
func TestStressC1_SeatsAreLeftClean(t *testing.T) {
	c := cellOf(t, testTable(t, Config[int]{}, nil), "k")
	for range 2000 {
		f := newPending[int](context.Background(), c)
		ctx, cancel := context.WithCancel(context.Background())
		start := make(chan struct{})
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				<-start
				if i%4 == 3 {
					v, err := f.Await(context.Background())
					if err != nil || v != 5 {
						t.Errorf("who waits as long as it takes got %v, %v", v, err)
					}
					return
				}
				if v, err := f.Await(ctx); !errors.Is(err, context.Canceled) && (err != nil || v != 5) {
					t.Errorf("neither the answer nor the end: %v, %v", v, err)
				}
			})
		}
		wg.Go(func() {
			<-start
			cancel() // and at once, before they can leave:
			f.settle(&lifecycle.Version[int, *Future[int]]{Known: lifecycle.Present, Value: 5, Seq: 2}, nil, 2)
		})
		close(start)
		wg.Wait()
		for range 4 {
			require.Empty(t, c.table.seats.Get().(*seat).wake)
		}
	}
}

// A version that was shown is never written again, so the room beside a future
// is given away once.
func TestFuture_RoomForOneVersion(t *testing.T) {
	f := &Future[int]{}
	v := (*cell[int])(nil).Room(f)
	require.Same(t, &f.own, v)
	*v = lifecycle.Version[int, *Future[int]]{Known: lifecycle.Present, Value: 5, Seq: 2, Future: f}
	require.NotSame(t, v, (*cell[int])(nil).Room(f))
	require.Equal(t, 5, v.Value)
}

// O3: the flights of a group after its first are flights of their own.
func TestO3_TheFlightMadeWithAFutureFliesOnce(t *testing.T) {
	c := cellOf(t, testTable(t, Config[int]{}, nil), "k")
	f := newPending[int](context.Background(), c)
	first := newFlight(context.Background(), c, f, 3, 0, nil)
	require.Same(t, first, firstOf(f))
	require.NotSame(t, first, newFlight(context.Background(), c, f, 5, 0, nil))
	require.EqualValues(t, 3, first.stamp)
}
