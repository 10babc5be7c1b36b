package actors

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// origin is a Writer of functions.
type origin struct {
	create func(ctx context.Context, v int) (string, int, error)
	update func(ctx context.Context, key string, v int) (int, error)
}

func (o origin) Create(ctx context.Context, v int) (string, int, error) { return o.create(ctx, v) }
func (o origin) Update(ctx context.Context, key string, v int) (int, error) {
	return o.update(ctx, key, v)
}
func (o origin) Delete(context.Context, string) error { return nil }

func TestC5_TheCommitOfAKnownValueLandsInAClosedCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan struct{})
		table := testTable(t, Config[int]{Writer: origin{update: func(_ context.Context, _ string, v int) (int, error) {
			<-answer
			return v + 1, nil
		}}}, nil)
		ctx := context.Background()
		_, err := table.Get(ctx, "a")
		require.NoError(t, err)
		var stored int
		done := make(chan error)
		go func() {
			v, err := table.Update(ctx, "a", 5)
			stored = v
			done <- err
		}()
		synctest.Wait()
		go func() {
			time.Sleep(time.Second)
			close(answer)
		}()
		require.NoError(t, table.Close(ctx))
		require.NoError(t, <-done)
		require.Equal(t, 6, stored)
		_, known := table.Peek("a")
		require.False(t, known)
		require.Zero(t, table.Stats().Pending)
	})
}

type traced struct{}

func TestC2_TheReadThatAMutationNeedsCarriesItsValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var value any
		table := testTable(t, Config[int]{Writer: origin{update: func(_ context.Context, _ string, v int) (int, error) {
			return v, nil
		}}}, func(ctx context.Context, _ string) (int, error) {
			value = ctx.Value(traced{})
			return 1, nil
		})
		ctx := context.WithValue(context.Background(), traced{}, "trace")
		v, err := table.Mutate(ctx, "a", Mutation[int]{Apply: func(v int) (int, error) { return v + 1, nil }})
		require.NoError(t, err)
		require.Equal(t, 2, v)
		require.Equal(t, "trace", value)
	})
}

// lister has no records.
type lister struct{}

func (lister) List(context.Context, string) ([]Item[int], error) { return nil, nil }

func TestTheEndOfListsTakesNoCacheOfTheirNameFromTheRuntime(t *testing.T) {
	table := testTable(t, Config[int]{Lister: lister{}}, nil)
	require.NoError(t, table.Lists().Close(context.Background()))
	_, err := NewTable(Config[int]{Name: "test", Source: table.source, Runtime: table.runtime})
	require.Error(t, err, "the name is taken")
}

func TestW5_ACreateWhoseAnswerCannotBeTakenInVoidsWhatIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := false
		table := testTable(t, Config[int]{
			Freshness: Freshness{Missing: time.Hour},
			Weigh:     func(_ string, v int) uint32 { return uint32(10 / v) },
			Writer: origin{create: func(_ context.Context, v int) (string, int, error) {
				made = true
				return "a", v, nil
			}},
		}, func(context.Context, string) (int, error) {
			if !made {
				return 0, ErrNotFound
			}
			return 1, nil
		})
		ctx := context.Background()
		_, err := table.Get(ctx, "a")
		require.ErrorIs(t, err, ErrNotFound)
		_, stored, err := table.Create(ctx, 0) // Weigh panics
		var failed *WriteError
		require.ErrorAs(t, err, &failed)
		require.True(t, failed.Unknown)
		require.Zero(t, stored)
		v, err := table.Get(ctx, "a")
		require.NoError(t, err, "the absence is from before the create")
		require.Equal(t, 1, v)
	})
}

// catalog has what was put in, and knows what belongs where.
type catalog struct{ items []Item[int] }

func (c *catalog) List(context.Context, string) ([]Item[int], error) { return c.items, nil }
func (c *catalog) Belongs(string, Item[int]) bool                    { return true }

func TestW8_ARecordWhoseKeyIsNoneOfOursJoinsNoList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := testTable(t, Config[int]{
			Lister: &catalog{[]Item[int]{{"a", 1}}},
			Writer: origin{create: func(_ context.Context, v int) (string, int, error) { return "\x00", v, nil }},
		}, nil)
		ctx := context.Background()
		keys, err := table.Lists().Get(ctx, ListKey(""))
		require.NoError(t, err)
		require.Equal(t, []string{"a"}, keys)
		_, _, err = table.Create(ctx, 2)
		require.ErrorIs(t, err, ErrBadKey)
		keys, err = table.Lists().Get(ctx, ListKey(""))
		require.NoError(t, err)
		require.Equal(t, []string{"a"}, keys)
	})
}

// listing lists with a function.
type listing func() []Item[int]

func (f listing) List(context.Context, string) ([]Item[int], error) { return f(), nil }

func TestW8_ASeedThatWouldBeRefusedMakesNoResource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var table *Table[int]
		ctx := context.Background()
		table = testTable(t, Config[int]{Lister: listing(func() []Item[int] {
			_, _ = table.InvalidatePrefix(ctx, "x") // raises the floor
			return []Item[int]{{"a", 1}, {"b", 2}}
		})}, nil)
		keys, err := table.Lists().Get(ctx, ListKey(""))
		require.NoError(t, err)
		require.Equal(t, []string{"a", "b"}, keys)
		require.Zero(t, table.Len())
	})
}

func TestM1_AListLargerThanTheCacheKeepsTheBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var table *Table[int]
		most := 0
		table = testTable(t, Config[int]{
			MaxEntries: 10,
			Weigh:      func(string, int) uint32 { most = max(most, table.Len()); return 1 },
			Lister: listing(func() []Item[int] {
				items := make([]Item[int], 1000)
				for i := range items {
					items[i] = Item[int]{strconv.Itoa(i), i}
				}
				return items
			}),
		}, nil)
		_, err := table.Lists().Get(context.Background(), ListKey(""))
		require.NoError(t, err)
		require.LessOrEqual(t, most, 12)
	})
}

func TestM1_WhatAPendingMutationShowsWeighs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan struct{})
		table := testTable(t, Config[int]{
			Weigh: func(_ string, v int) uint32 { return uint32(v) },
			Writer: origin{update: func(_ context.Context, _ string, v int) (int, error) {
				<-answer
				return v, nil
			}},
		}, nil)
		ctx := context.Background()
		_, err := table.Get(ctx, "a")
		require.NoError(t, err)
		updated := make(chan struct{})
		update := func(v int) {
			go func() { _, _ = table.Update(ctx, "a", v); updated <- struct{}{} }()
			synctest.Wait()
		}
		update(5)
		require.EqualValues(t, 5, table.policy.weight.Load())
		require.NoError(t, table.Remove(ctx, "a"))
		require.EqualValues(t, 5, table.policy.weight.Load(), "it shows all the same")
		go func() { _ = table.Delete(ctx, "a"); updated <- struct{}{} }()
		synctest.Wait()
		require.Zero(t, table.policy.weight.Load())
		update(7)
		require.EqualValues(t, 7, table.policy.weight.Load())
		answer <- struct{}{}
		<-updated
		<-updated // and the delete, which lands at once
		require.EqualValues(t, 7, table.policy.weight.Load(), "the last still shows")
		answer <- struct{}{}
		<-updated
		require.EqualValues(t, 7, table.policy.weight.Load())
	})
}

func TestC5_TheListsOfAClosingCacheAnswerNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan struct{})
		table := testTable(t, Config[int]{
			Lister: lister{},
			Writer: origin{update: func(_ context.Context, _ string, v int) (int, error) {
				<-answer
				return v, nil
			}},
		}, nil)
		ctx := context.Background()
		_, err := table.Lists().Get(ctx, ListKey(""))
		require.NoError(t, err)
		go func() { _, _ = table.Update(ctx, "a", 5) }()
		synctest.Wait()
		closed := make(chan error)
		go func() { closed <- table.Close(ctx) }()
		synctest.Wait()
		_, err = table.Lists().Get(ctx, ListKey(""))
		require.ErrorIs(t, err, ErrClosed)
		close(answer)
		require.NoError(t, <-closed)
	})
}

func TestW3_ACommitThatNeverReachedTheOriginIsNotUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan struct{})
		asked := 0
		table := testTable(t, Config[int]{MaxFlights: 1, Writer: origin{update: func(_ context.Context, _ string, v int) (int, error) {
			asked++
			<-answer
			return v, nil
		}}}, nil)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		first, second := make(chan error, 1), make(chan error, 1)
		go func() { _, err := table.Update(context.Background(), "a", 1); first <- err }()
		synctest.Wait()
		go func() { _, err := table.Update(context.Background(), "b", 1); second <- err }()
		synctest.Wait()
		require.Error(t, table.Close(ctx))
		var failed *WriteError
		require.ErrorAs(t, <-first, &failed)
		require.True(t, failed.Unknown)
		require.ErrorAs(t, <-second, &failed)
		require.ErrorIs(t, failed, ErrClosed)
		require.False(t, failed.Unknown, "it waited at the gate")
		close(answer)
		synctest.Wait()
		require.Equal(t, 1, asked)
	})
}
