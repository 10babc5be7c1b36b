package actors

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// trip is an origin call as the gate sees it.
type trip struct {
	ticket
	name    string
	log     *[]string
	givenUp bool
}

func (c *trip) wanted() bool { return !c.givenUp }
func (c *trip) start(bool)   { *c.log = append(*c.log, c.name) }
func (c *trip) spared()      { *c.log = append(*c.log, c.name+" spared") }

func trips(names ...string) (log *[]string, of map[string]*trip) {
	log, of = &[]string{}, map[string]*trip{}
	for _, name := range names {
		c := &trip{name: name, log: log}
		of[name] = c
	}
	return log, of
}

func TestGate_F11_OldestFirst(t *testing.T) {
	g := newGate(2)
	log, of := trips("a", "b", "c", "d", "e")
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		g.launch(of[name], &of[name].ticket, nil)
	}
	require.Equal(t, []string{"a", "b"}, *log)
	g.release(&of["b"].ticket)
	g.release(&of["b"].ticket) // it has no place any more
	require.Equal(t, []string{"a", "b", "c"}, *log)
	g.release(&of["a"].ticket)
	g.release(&of["c"].ticket)
	require.Equal(t, []string{"a", "b", "c", "d", "e"}, *log)
	g.release(&of["d"].ticket)
	g.release(&of["e"].ticket)
	require.Equal(t, 2, g.free)
}

func TestGate_ReplacementKeepsThePlace(t *testing.T) {
	g := newGate(1)
	log, of := trips("a", "b", "c", "newer b", "newer a")
	g.launch(of["a"], &of["a"].ticket, nil)
	g.launch(of["b"], &of["b"].ticket, nil)
	g.launch(of["c"], &of["c"].ticket, nil)
	g.launch(of["newer b"], &of["newer b"].ticket, &of["b"].ticket)
	g.launch(of["newer a"], &of["newer a"].ticket, &of["a"].ticket) // a has gone: this one waits like all
	g.release(&of["a"].ticket)
	g.release(&of["newer b"].ticket)
	g.release(&of["c"].ticket)
	require.Equal(t, []string{"a", "b spared", "newer b", "c", "newer a"}, *log)
}

func TestGate_WhatWasGivenUpIsSpared(t *testing.T) {
	g := newGate(1)
	log, of := trips("a", "b", "c", "d")
	for _, name := range []string{"a", "b", "c", "d"} {
		g.launch(of[name], &of[name].ticket, nil)
	}
	of["b"].givenUp, of["c"].givenUp = true, true
	g.release(&of["b"].ticket) // it never had a place
	require.Equal(t, []string{"a"}, *log)
	g.release(&of["a"].ticket)
	require.Equal(t, []string{"a", "b spared", "c spared", "d"}, *log)
	g.release(&of["d"].ticket)
	require.Equal(t, 1, g.free)
}

func TestGate_NoBound(t *testing.T) {
	g := newGate(0)
	log, of := trips("a", "b")
	g.launch(of["a"], &of["a"].ticket, nil)
	g.launch(of["b"], &of["b"].ticket, &of["a"].ticket)
	g.release(&of["a"].ticket)
	require.Equal(t, []string{"a", "b"}, *log)
}

func TestGate_AHungCallFreesItsPlaceAtItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		table := testTable(t, Config[int]{MaxFlights: 1, Timeout: time.Second}, func(_ context.Context, key string) (int, error) {
			if key == "hung" {
				<-hang
			}
			return 1, nil
		})
		start := time.Now()
		hung := table.Fetch(context.Background(), "hung")
		v, err := table.Get(context.Background(), "waits")
		require.NoError(t, err)
		require.Equal(t, 1, v)
		require.Equal(t, time.Second, time.Since(start))
		synctest.Wait() // who waits is answered before the flight is over
		_, err = hung.Result()
		require.ErrorIs(t, err, ErrTimeout)
		require.Equal(t, 1, table.Stats().InFlight, "it still runs")
		close(hang)
		synctest.Wait()
		require.Zero(t, table.Stats().InFlight)
		require.Equal(t, 1, table.gate.free, "its place is given back once")
	})
}

// forgetful is a BulkSource that says nothing of any key.
type forgetful struct{ one func() (int, error) }

func (s forgetful) Fetch(context.Context, Request[int]) (Response[int], error) {
	v, err := s.one()
	return Response[int]{Value: v}, err
}

func (forgetful) FetchMany(context.Context, []Request[int]) (map[string]Response[int], error) {
	return nil, errors.New("I forgot")
}

// A member of a bulk call that flies again and is given up in the queue was in
// the air; it has to come down.
func TestGate_ABulkMemberGivenUpInTheQueueLands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy := make(chan struct{})
		source := forgetful{func() (int, error) { <-busy; return 1, nil }}
		table, err := NewTable(Config[int]{Name: "test", Source: source, MaxFlights: 1, MaxEntries: 1})
		require.NoError(t, err)
		ctx, leave := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = table.GetMany(ctx, []string{"a", "b", "c"})
		}()
		synctest.Wait() // one flies by itself, two wait for their turn
		leave()
		<-done
		require.Equal(t, 3, table.Stats().InFlight)
		require.NoError(t, table.Invalidate(context.Background(), "a", "b", "c"))
		close(busy)
		synctest.Wait()
		require.Zero(t, table.Stats().InFlight)
		require.LessOrEqual(t, table.Len(), 1, "M1")
		require.NoError(t, table.Close(context.Background()))
	})
}

// A flight that is given up before its turn leaves a resource that may go.
func TestGate_GivenUpInTheQueueMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		table := testTable(t, Config[int]{MaxFlights: 1, MaxEntries: 1}, func(context.Context, string) (int, error) {
			<-hang
			return 1, nil
		})
		ctx, leave := context.WithCancel(context.Background())
		for _, key := range []string{"a", "b", "c"} {
			go func() { _, _ = table.Get(ctx, key) }()
			synctest.Wait()
		}
		require.Equal(t, 3, table.Len())
		leave()
		synctest.Wait()
		require.NoError(t, table.Invalidate(context.Background(), "b", "c"))
		require.Equal(t, 1, table.Len(), "M1: only the one in the air stays")
		close(hang)
	})
}
