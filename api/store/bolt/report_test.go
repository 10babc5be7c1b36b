package bolt_test

import (
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/store/bolt"
)

// OnCorrupt is called where nothing is held: it may write to the Store that tells
// it, panic or end its goroutine, and what came upon the bytes goes on.
func TestC4_OnCorruptMayDoAnything(t *testing.T) {
	rot := func(b []byte) []byte { b[len(b)-1] ^= 1; return b }
	for what, misbehave := range map[string]func(db *bolt.DB, s *bolt.Store, key string){
		"erases": func(_ *bolt.DB, s *bolt.Store, key string) {
			_ = s.Delete(t.Context(), key, at(1))
		},
		"opens another": func(db *bolt.DB, _ *bolt.Store, _ string) { _, _ = db.Store("others") },
		"closes":        func(db *bolt.DB, _ *bolt.Store, _ string) { _ = db.Close() },
		"panics":        func(*bolt.DB, *bolt.Store, string) { panic("a bug") },
		"exits":         func(*bolt.DB, *bolt.Store, string) { runtime.Goexit() },
	} {
		for who, call := range map[string]func(*bolt.Store) error{
			"get": func(s *bolt.Store) error {
				_, err := s.Get(t.Context(), "k")
				return err
			},
			"set":   func(s *bolt.Store) error { return s.Set(t.Context(), "k", rec(2, "v")) },
			"sweep": func(s *bolt.Store) error { _, _, err := s.SweepPass(); return err },
		} {
			t.Run(who+" "+what, func(t *testing.T) {
				var db *bolt.DB
				var s *bolt.Store
				told := make(chan string, 10)
				db, s = open(t, filepath.Join(t.TempDir(), "db"), bolt.Options{SweepEvery: -1, Logger: quiet, OnCorrupt: func(_, key string, err error) {
					defer func() { told <- key }()
					misbehave(db, s, key)
				}})
				require.NoError(t, s.Set(t.Context(), "k", rec(1, "v")))
				require.NoError(t, s.Raw("k", rot))
				within10s(t, func() {
					err := call(s)
					if who == "get" {
						require.ErrorIs(t, err, freshet.ErrNotFound)
						require.NotEmpty(t, told, "it is told before Get returns; the erase comes upon it too")
					}
					require.Equal(t, "k", <-told)
					if what != "closes" {
						require.NoError(t, s.Set(t.Context(), "next", rec(1, "v")))
						require.NoError(t, s.Delete(t.Context(), "k", at(3)))
					}
					require.NoError(t, db.Close())
				})
			})
		}
	}
}

// What a Store comes upon as it is opened is told when it may be opened again.
func TestC4_OnCorruptMayOpenTheStoreThatItIsToldOf(t *testing.T) {
	path, opts := filled(t)
	db, s := open(t, path, opts)
	require.NoError(t, s.DeletePrefix(t.Context(), "p", at(1)))
	require.NoError(t, db.Close())
	raw, err := bbolt.Open(path, 0, nil)
	require.NoError(t, err)
	require.NoError(t, raw.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("cache/users")).Bucket([]byte("prefixes")).Put([]byte("pp"), nil)
	}))
	require.NoError(t, raw.Close())
	var again *bolt.DB
	var told atomic.Int32
	opts.Logger = quiet
	opts.OnCorrupt = func(_, prefix string, _ error) {
		if s, err := again.Store("users"); err == nil {
			_ = s.DeletePrefix(t.Context(), prefix, at(1))
			told.Add(1)
		}
	}
	again, err = bolt.Open(path, opts)
	require.NoError(t, err)
	within10s(t, func() {
		_, err = again.Store("users")
		require.NoError(t, err)
		require.EqualValues(t, 1, told.Load())
		require.NoError(t, again.Close())
	})
}

// One that does not return holds up nobody but who waits for it, and what waits for
// it is bounded.
func TestC4_AnOnCorruptThatHangsHoldsNoWrite(t *testing.T) {
	release := make(chan struct{})
	var told atomic.Int32
	db, s := open(t, filepath.Join(t.TempDir(), "db"), bolt.Options{SweepEvery: -1, Logger: quiet, OnCorrupt: func(string, string, error) {
		told.Add(1)
		<-release
	}})
	const rotten = 1200
	within10s(t, func() {
		fill(t, s, rotten, func(i int) freshet.Record { return rec(i, "v") })
		require.NoError(t, s.RawAll(func([]byte) []byte { return nil }))
		removed, _, err := s.SweepPass()
		require.NoError(t, err)
		require.Equal(t, rotten, removed)
		require.NoError(t, s.Set(t.Context(), "k", rec(1, "v")))
		require.NoError(t, db.Close())
	})
	require.LessOrEqual(t, told.Load(), int32(1))
	close(release)
	require.Eventually(t, func() bool { return told.Load() >= 1024 }, 10*time.Second, time.Millisecond)
	require.GreaterOrEqual(t, db.Corrupt(), int64(rotten))
}

func within10s(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("it hangs")
	}
}
