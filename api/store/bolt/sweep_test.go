package bolt_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/store/bolt"
)

func TestSweepRemovesWhatIsOverInBoundedSteps(t *testing.T) {
	var c clock
	_, s := open(t, filepath.Join(t.TempDir(), "db"), bolt.Options{Now: c.now, SweepEvery: -1, Tombstones: time.Minute})
	fill(t, s, 2500, func(i int) freshet.Record {
		r := rec(0, "v")
		if i%2 == 0 {
			r.ExpiresAt = at(1000)
		}
		return r
	})
	removed, steps, err := s.SweepPass()
	require.NoError(t, err)
	require.Zero(t, removed)
	require.Equal(t, 3, steps)

	c.pass(time.Second)
	require.NoError(t, s.Delete(t.Context(), "gone", at(0)))
	removed, _, err = s.SweepPass()
	require.NoError(t, err)
	require.Equal(t, 1250, removed)
	records, _ := s.Held()
	require.Equal(t, 1251, records, "half of them, and a tombstone")

	c.pass(time.Minute - 1)
	removed, _, err = s.SweepPass()
	require.NoError(t, err)
	require.Zero(t, removed)
	require.NoError(t, s.Set(t.Context(), "gone", rec(0, "a late write")))
	_, err = s.Get(t.Context(), "gone")
	require.ErrorIs(t, err, freshet.ErrNotFound)

	c.pass(1)
	removed, _, err = s.SweepPass()
	require.NoError(t, err)
	require.Equal(t, 1, removed, "a tombstone's time is bounded")
}

func fill(t *testing.T, s *bolt.Store, n int, make func(int) freshet.Record) {
	t.Helper()
	errs := newGroup()
	for i := range n {
		errs.Go(func() error { return s.Set(t.Context(), fmt.Sprintf("k/%05d", i), make(i)) })
	}
	require.NoError(t, errs.Wait())
}

// A prefix tombstone may be forgotten only when nothing that it covers is left:
// otherwise what it erased would come back.
func TestD5_NothingComesBackWhenAPrefixTombstoneIsOver(t *testing.T) {
	var c clock
	path := filepath.Join(t.TempDir(), "db")
	opts := bolt.Options{Now: c.now, SweepEvery: -1, Tombstones: time.Minute}
	db, s := open(t, path, opts)
	fill(t, s, 1500, func(int) freshet.Record { return rec(0, "v") })
	require.NoError(t, s.DeletePrefix(t.Context(), "k/", at(1)))
	c.pass(time.Hour) // nothing has swept yet
	require.NoError(t, s.DeletePrefix(t.Context(), "other/", at(1)))
	require.NoError(t, db.Close())
	db, s = open(t, path, opts)
	none := func() {
		t.Helper()
		for _, key := range []string{"k/00000", "k/00999", "k/01000", "k/01499"} {
			_, err := s.Get(t.Context(), key)
			require.ErrorIs(t, err, freshet.ErrNotFound)
		}
	}
	none()
	removed, _, err := s.SweepPass()
	require.NoError(t, err)
	require.Equal(t, 1500, removed)
	records, prefixes := s.Held()
	require.Equal(t, 0, records)
	require.Equal(t, 1, prefixes, "the one that is over is gone with what it covered; the other stays")
	none()
	require.NoError(t, db.Close())
	_, s = open(t, path, opts)
	none()
}

func TestPrefixTombstonesAreBounded(t *testing.T) {
	var c clock
	_, s := open(t, filepath.Join(t.TempDir(), "db"), bolt.Options{Now: c.now, SweepEvery: -1})
	errs := newGroup()
	for i := range 1100 {
		errs.Go(func() error { return s.DeletePrefix(t.Context(), fmt.Sprintf("k/%05d/", i), at(i)) })
	}
	require.NoError(t, errs.Wait())
	_, prefixes := s.Held()
	require.LessOrEqual(t, prefixes, 1024)
	errs = newGroup()
	for i := range 1100 {
		errs.Go(func() error {
			key := fmt.Sprintf("k/%05d/x", i)
			if err := s.Set(t.Context(), key, rec(i, "a late write")); err != nil {
				return err
			}
			if _, err := s.Get(t.Context(), key); err == nil {
				return fmt.Errorf("%s came back", key)
			}
			return nil
		})
	}
	require.NoError(t, errs.Wait())
}

func TestTheSweepRunsByItself(t *testing.T) {
	_, s := open(t, filepath.Join(t.TempDir(), "db"), bolt.Options{SweepEvery: time.Millisecond})
	fill(t, s, 100, func(int) freshet.Record {
		return freshet.Record{ReadAt: epoch, ExpiresAt: epoch.Add(1)}
	})
	require.Eventually(t, func() bool { records, _ := s.Held(); return records == 0 }, 10*time.Second, time.Millisecond)
}
