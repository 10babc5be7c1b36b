package bolt_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/store/bolt"
	"github.com/freshet-go/freshet/api/store/storetest"
)

func TestMain(m *testing.M) {
	if child := os.Getenv("FRESHET_BOLT_CHILD"); child != "" {
		if path, ok := strings.CutPrefix(child, "full|"); ok {
			runFull(path)
		} else {
			runChild(child)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

var (
	epoch = time.Date(2026, 2, 3, 4, 5, 6, 7, time.UTC)
	quiet = slog.New(slog.NewTextHandler(io.Discard, nil))
)

// clock is a time that stands still until it is moved.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time          { return epoch.Add(time.Duration(c.at.Load())) }
func (c *clock) pass(d time.Duration)    { c.at.Add(int64(d)) }
func rec(n int, v string) freshet.Record { return freshet.Record{Value: []byte(v), ReadAt: at(n)} }
func at(n int) time.Time                 { return epoch.Add(time.Duration(n) * time.Millisecond) }

func open(t testing.TB, path string, opts bolt.Options) (*bolt.DB, *bolt.Store) {
	t.Helper()
	db, err := bolt.Open(path, opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	s, err := db.Store("users")
	require.NoError(t, err)
	return db, s
}

// owning is a Store that closes its file too, so that the suite's Close meets
// the one of the DB.
type owning struct {
	freshet.Store
	db *bolt.DB
}

func (o owning) Close() error { return o.db.Close() }

func TestContract(t *testing.T) {
	var c clock
	storetest.Run(t, func(t *testing.T) freshet.Store {
		db, s := open(t, filepath.Join(t.TempDir(), "db"), bolt.Options{Now: c.now})
		return owning{s, db}
	}, storetest.Clock(c.now, c.pass))
}

func TestContractWhileTheSweepRuns(t *testing.T) {
	storetest.Run(t, func(t *testing.T) freshet.Store {
		_, s := open(t, filepath.Join(t.TempDir(), "db"), bolt.Options{SweepEvery: time.Millisecond})
		return s
	})
}

func TestD5_AllIsThereAfterReopening(t *testing.T) {
	var c clock
	path, opts := filepath.Join(t.TempDir(), "db"), bolt.Options{Now: c.now}
	db, s := open(t, path, opts)
	full := freshet.Record{Value: []byte("v"), ReadAt: at(5), ExpiresAt: at(1_000_000), Validator: `"e"`, Tags: []string{"a", "b"}}
	require.NoError(t, s.Set(t.Context(), "full", full))
	require.NoError(t, s.Delete(t.Context(), "erased", at(10)))
	require.NoError(t, s.DeletePrefix(t.Context(), "p:", at(10)))
	require.NoError(t, s.DeletePrefix(t.Context(), "", at(1)))
	require.NoError(t, db.Close())

	_, s = open(t, path, opts)
	got, err := s.Get(t.Context(), "full")
	require.NoError(t, err)
	require.Equal(t, full, got)
	for key, n := range map[string]int{"erased": 10, "p:1": 10, "x": 1} {
		require.NoError(t, s.Set(t.Context(), key, rec(n, "a late write")))
		_, err = s.Get(t.Context(), key)
		require.ErrorIs(t, err, freshet.ErrNotFound, key)
	}
}

func TestCachesShareAFileAndNothingElse(t *testing.T) {
	db, users := open(t, filepath.Join(t.TempDir(), "db"), bolt.Options{})
	teams, err := db.Store("teams")
	require.NoError(t, err)
	again, err := db.Store("users")
	require.NoError(t, err)
	require.NoError(t, users.Set(t.Context(), "1", rec(1, "user")))
	require.NoError(t, teams.Set(t.Context(), "1", rec(1, "team")))
	require.NoError(t, teams.DeletePrefix(t.Context(), "", at(9)))
	r, err := again.Get(t.Context(), "1")
	require.NoError(t, err)
	require.Equal(t, "user", string(r.Value))
	require.NoError(t, users.Close())
	_, err = users.Get(t.Context(), "1")
	require.ErrorIs(t, err, freshet.ErrClosed)
	_, err = again.Get(t.Context(), "1")
	require.NoError(t, err, "closing one Store closes no other")
	for _, name := range []string{"", "a/b", "A", "ü", string(make([]byte, 200))} {
		_, err := db.Store(name)
		require.ErrorContains(t, err, "freshet: bolt: the name")
	}
}

// While one commit is on its way to the disk, held there for as long as that takes,
// all the others gather, and share the next.
func TestManyWritersShareACommit(t *testing.T) {
	const writers = 64
	var commits atomic.Int32
	underWay, release := make(chan struct{}), make(chan struct{})
	bolt.At(func(name string) {
		if name == "before commit" && commits.Add(1) == 1 {
			close(underWay)
			<-release
		}
	})
	defer bolt.At(func(string) {})
	db, err := bolt.Open(filepath.Join(t.TempDir(), "db"), bolt.Options{SweepEvery: -1})
	require.NoError(t, err)
	s, err := db.Store("users")
	require.NoError(t, err)
	before := db.Commits()
	errs := newGroup()
	set := func(w int) {
		errs.Go(func() error { return s.Set(t.Context(), fmt.Sprint(w), rec(1, "v")) })
	}
	set(0)
	<-underWay
	for w := 1; w < writers; w++ {
		set(w)
	}
	require.Eventually(t, func() bool { return db.Queued() == writers-1 }, time.Minute, time.Millisecond)
	close(release)
	require.NoError(t, errs.Wait())
	require.EqualValues(t, 2, commits.Load(), "the lone first, and all that came meanwhile")
	require.Less(t, db.Commits()-before, writers, "a commit takes several writes; alone each set would have cost that")
	for w := range writers {
		_, err := s.Get(t.Context(), fmt.Sprint(w))
		require.NoError(t, err)
	}
	require.NoError(t, db.Close())
}

func TestCloseWritesWhatItAccepted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	db, s := open(t, path, bolt.Options{})
	var group sync.WaitGroup
	var held sync.Map
	for w := range 16 {
		group.Go(func() {
			for i := 0; ; i++ {
				key := fmt.Sprint(w, "/", i)
				if s.Set(context.Background(), key, rec(i, key)) != nil {
					return
				}
				held.Store(key, true)
			}
		})
	}
	for {
		if _, ok := held.Load("0/0"); ok {
			break
		}
	}
	require.NoError(t, db.Close())
	group.Wait()
	_, s = open(t, path, bolt.Options{})
	held.Range(func(key, _ any) bool {
		_, err := s.Get(t.Context(), key.(string))
		return err == nil || t.Failed() || assertNone(t, key, err)
	})
}

func assertNone(t *testing.T, key, err any) bool {
	t.Errorf("%v was acknowledged and is gone: %v", key, err)
	return false
}

// ending is a context that has ended by the time the committer looks, and whose
// caller happens not to have noticed.
type ending struct {
	context.Context
	ended *atomic.Bool
}

func (e ending) Done() <-chan struct{} { return nil }

func (e ending) Err() error {
	if e.ended.Load() {
		return context.Canceled
	}
	return nil
}

func TestAWriteThatWasNotMadeIsNotAcknowledged(t *testing.T) {
	var ended atomic.Bool
	bolt.At(func(name string) {
		if name == "enqueue" {
			ended.Store(true)
		}
	})
	db, err := bolt.Open(filepath.Join(t.TempDir(), "db"), bolt.Options{})
	require.NoError(t, err)
	s, err := db.Store("users")
	require.NoError(t, err)
	require.ErrorIs(t, s.Set(ending{t.Context(), &ended}, "k", rec(1, "v")), context.Canceled)
	_, err = s.Get(t.Context(), "k")
	require.ErrorIs(t, err, freshet.ErrNotFound)
	require.NoError(t, db.Close())
	bolt.At(func(string) {})
}

func TestARecordBeyondTheBoundIsRefused(t *testing.T) {
	_, s := open(t, filepath.Join(t.TempDir(), "db"), bolt.Options{MaxRecord: 1000})
	require.NoError(t, s.Set(t.Context(), "k", rec(1, "small")))
	err := s.Set(t.Context(), "k", freshet.Record{Value: make([]byte, 1000), ReadAt: at(2)})
	require.ErrorIs(t, err, bolt.ErrTooLarge)
	require.ErrorContains(t, err, `freshet: bolt: users: cannot write "k": the record is too large: 10`)
	r, err := s.Get(t.Context(), "k")
	require.NoError(t, err)
	require.Equal(t, "small", string(r.Value))
}
