package actors

import (
	"context"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// O6, C5: an invalidation that Close overtakes holds all the same, though Close has yet
// to come to its cell: a hit, which does not ask whether the cache is closed, finds
// nothing.
func TestO6_AnInvalidationHoldsWhileTheCacheIsClosed(t *testing.T) {
	table := testTable(t, Config[int]{}, nil)
	require.NoError(t, table.Put(t.Context(), "k", Response[int]{Value: 1}))
	table.clock.wake()
	require.NotNil(t, table.hit("k"))
	c := cellOf(t, table, "k")
	turn := &turn[int]{Rules: &table.rules, Driver: c, Now: table.clock.Now()}
	m := &message[int]{op: opInvalidate}
	c.step(turn, m)
	table.closed.Store(true) // Close, that far
	c.perform(turn, m)
	_, err := table.Get(t.Context(), "k")
	require.ErrorIs(t, err, ErrClosed)
	_, err = table.Fetch(t.Context(), "k").Result()
	require.ErrorIs(t, err, ErrClosed)
	table.closed.Store(false) // for the test's own Close
}

// C5, D4: a call that Close overtakes finds cells that do as they are told no more, and
// the Store has what it had: it must not say that the invalidation holds.
func TestC5_WhatCloseOvertakesSaysSo(t *testing.T) {
	number := func(table *Table[int]) uint64 { return table.numbers.Load() }
	busy := func(table *Table[int]) uint64 { // its mailbox: an Expire takes no number
		if table.cells.find("k").mail.top.Load() == nil {
			return 0
		}
		return 1
	}
	tags := func(table *Table[int]) sync.Locker { return &table.tags.mu }
	for name, test := range map[string]struct {
		store Store
		lock  func(*Table[int]) sync.Locker // that the call waits for in its step
		begun func(*Table[int]) uint64      // is more when it has begun
		call  func(ctx context.Context, table *Table[int]) error
	}{
		"Invalidate": {nil, tags, number, func(ctx context.Context, table *Table[int]) error { return table.Invalidate(ctx, "k") }},
		"Expire":     {nil, tags, busy, func(ctx context.Context, table *Table[int]) error { return table.Expire(ctx, "k") }},
		"Remove":     {nil, tags, number, func(ctx context.Context, table *Table[int]) error { return table.Remove(ctx, "k") }},
		"InvalidatePrefix": {nil, tags, number, func(ctx context.Context, table *Table[int]) error {
			_, err := table.InvalidatePrefix(ctx, "k")
			return err
		}},
		"InvalidateTag": {
			&shelf{records: map[string]Record{}},
			func(table *Table[int]) sync.Locker { return &table.tier.mu },
			func(table *Table[int]) uint64 { return table.tags.barrier([]string{"tag"}) },
			func(ctx context.Context, table *Table[int]) error {
				_, err := table.InvalidateTag(ctx, "tag")
				return err
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			table := testTable(t, Config[int]{Store: test.store}, nil)
			require.NoError(t, table.Put(t.Context(), "k", Response[int]{Value: 1, Tags: []string{"tag"}}))
			before, lock := test.begun(table), test.lock(table)
			called, closed := make(chan error), make(chan error)
			lock.Lock()
			go func() { called <- test.call(t.Context(), table) }()
			for test.begun(table) == before {
				runtime.Gosched()
			}
			go func() { closed <- table.Close(t.Context()) }()
			for !table.closed.Load() {
				runtime.Gosched()
			}
			lock.Unlock()
			require.ErrorIs(t, <-called, ErrClosed)
			require.NoError(t, <-closed)
		})
	}
}
