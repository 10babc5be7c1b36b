package actors

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

var ctx = context.Background()

// M1: what a write leaves held weighs what it weighs, also where the origin's
// answer does not become what is held.
func TestM1_AWriteThatBringsNothingLeavesTheWeightOfWhatIsHeld(t *testing.T) {

	for name, test := range map[string]struct {
		answer int
		err    error
		write  func(table *Table[int])
		amid   func(table *Table[int])
		want   int64
	}{
		"a Set under an update": {
			answer: 5,
			write:  func(table *Table[int]) { _, _ = table.Update(ctx, "a", 5) },
			amid:   func(table *Table[int]) { _ = table.Put(ctx, "a", Response[int]{Value: 100}) },
			want:   100,
		},
		"a Set under a delete": {
			write: func(table *Table[int]) { _ = table.Delete(ctx, "a") },
			amid:  func(table *Table[int]) { _ = table.Put(ctx, "a", Response[int]{Value: 100}) },
			want:  100,
		},
		"an answer that is not newer": {
			answer: 5,
			write:  func(table *Table[int]) { _, _ = table.Update(ctx, "a", 5) },
			amid:   func(*Table[int]) {},
			want:   7,
		},
		"a create that is not newer": {
			answer: 5,
			write:  func(table *Table[int]) { _, _, _ = table.Create(ctx, 5) },
			amid:   func(*Table[int]) {},
			want:   7,
		},
		"a read that fails after an unknown outcome": {
			err:   ErrUnknown,
			write: func(table *Table[int]) { _, _ = table.Update(ctx, "a", 5) },
			amid: func(table *Table[int]) {
				go func() {
					_, _ = table.Mutate(ctx, "a", Mutation[int]{Apply: func(v int) (int, error) { return v + 1, nil }})
				}()
			},
			want: 7,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				land := make(chan struct{})
				commit := func() (int, error) { <-land; return test.answer, test.err }
				reads := 0
				table := testTable(t, Config[int]{
					MaxWeight: 1000, Weigh: func(_ string, v int) uint32 { return uint32(v) },
					Newer: func(a, b int) bool { return a > b },
					Writer: slowly{origin{
						create: func(context.Context, int) (string, int, error) { v, err := commit(); return "a", v, err },
						update: func(context.Context, string, int) (int, error) { return commit() },
					}, land},
				}, func(context.Context, string) (int, error) {
					if reads++; reads > 1 {
						return 0, errors.New("the origin is down")
					}
					return 7, nil
				})
				_, err := table.Get(ctx, "a")
				require.NoError(t, err)
				go test.write(table)
				synctest.Wait()
				test.amid(table)
				synctest.Wait()
				close(land)
				time.Sleep(time.Second)
				s, known := table.Peek("a")
				require.True(t, known)
				require.Equal(t, test.want, int64(s.Value))
				require.Equal(t, test.want, table.policy.weight.Load())
			})
		})
	}
}

// slowly is an origin whose Delete waits.
type slowly struct {
	origin
	land chan struct{}
}

func (o slowly) Delete(context.Context, string) error { <-o.land; return nil }

// M1: what others tell of is in the history, too.
func TestM1_WhatAnInvalidatorTellsOfMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := testTable(t, Config[int]{MaxWeight: 100, Weigh: func(string, int) uint32 { return 10 }}, nil)
		for i := range 7 {
			require.NoError(t, table.Put(ctx, strconv.Itoa(i), Response[int]{Value: i}))
		}
		synctest.Wait()
		for range 3 {
			table.heard(Invalidation{Lost: true})
			require.False(t, table.policy.over())
			table.heard(Invalidation{Keys: []string{"5", "6"}})
			require.False(t, table.policy.over())
		}
	})
}

// M1: a load of a list that waits for its turn, and for nobody, is given up where
// a write changes what it would bring. Then the list can go.
func TestM1_AListWhoseLoadAWriteEndedMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		land := make(chan struct{})
		table := testTable(t, Config[int]{MaxEntries: 1, MaxFlights: 1, Lister: lister{}}, func(context.Context, string) (int, error) {
			<-land
			return 1, nil
		})
		table.Fetch(ctx, "a")
		left, leave := context.WithCancel(ctx)
		for i := range 5 {
			go func() { _, _ = table.Lists().Get(left, ListKey(strconv.Itoa(i))) }()
		}
		synctest.Wait()
		leave()
		synctest.Wait()
		require.Equal(t, 5, table.Lists().Len())
		table.lists.left("a")
		require.Equal(t, 1, table.Lists().Len())
		close(land)
	})
}
