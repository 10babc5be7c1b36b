package bolt_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/store/bolt"
)

// points are where a process dies by its own hand; at the last, "", the test
// kills it from outside, which mostly is within a commit's writes and fsyncs.
var points = []string{"enqueue", "applied", "before commit", "committed", "answered", "acknowledge", "swept", ""}

const (
	workers = 4 // of a child; each has keys of its own
	keys    = 3 // of a worker
)

// op is what a worker is about to do, and what the test knows of a key.
type op struct {
	kind string // set, delete, prefix
	n    int    // ReadAt or at
}

func keyOf(worker, key int) string { return fmt.Sprintf("w%d/k%d", worker, key) }

// valueOf has a length of its own, up to several pages.
func valueOf(key string, n int) string {
	unit := fmt.Sprintf("%s@%d;", key, n)
	return strings.Repeat(unit, 1+(n*7919)%1500)
}

func sweepingOptions() bolt.Options {
	return bolt.Options{SweepEvery: time.Millisecond, Tombstones: time.Hour, LockTimeout: 20 * time.Second}
}

// runChild is the process that dies: "path|point|nth|base". It tells on stdout
// what it begins and what was acknowledged.
func runChild(arg string) {
	f := strings.Split(arg, "|")
	path, kill := f[0], f[1]
	var nth, base int64
	if _, err := fmt.Sscan(f[2], &nth); err != nil {
		panic(err)
	}
	if _, err := fmt.Sscan(f[3], &base); err != nil {
		panic(err)
	}
	var passed atomic.Int64
	bolt.At(func(name string) {
		if name == kill && passed.Add(1) == nth {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	})
	db, err := bolt.Open(path, sweepingOptions())
	if err != nil {
		panic(err)
	}
	s, err := db.Store("users")
	if err != nil {
		panic(err)
	}
	var out sync.Mutex
	say := func(format string, args ...any) {
		out.Lock()
		defer out.Unlock()
		fmt.Printf(format+"\n", args...) // one write: a pipe keeps it whole
	}
	for w := range workers {
		go func() {
			rng := rand.New(rand.NewPCG(uint64(base), uint64(w)))
			for n := int(base); ; n++ {
				key, kind, when := rng.IntN(keys), "set", n
				switch p := rng.IntN(20); {
				case p < 3:
					kind = "delete"
				case p < 4:
					kind = "prefix"
				case p < 8:
					when = n - 1 - rng.IntN(20) // read before what is there
				}
				say("begin %d %d %s %d", w, key, kind, when)
				switch name := keyOf(w, key); kind {
				case "set":
					r := freshet.Record{Value: []byte(valueOf(name, when)), ReadAt: at(when)}
					if rng.IntN(10) == 0 { // an expired trifle, so that the sweep has work
						trifle := freshet.Record{ReadAt: at(when), ExpiresAt: epoch}
						err = s.Set(context.Background(), fmt.Sprint("trifle/", w, "/", n), trifle)
					}
					err = errors.Join(err, s.Set(context.Background(), name, r))
				case "delete":
					err = s.Delete(context.Background(), name, at(when))
				case "prefix":
					err = s.DeletePrefix(context.Background(), name, at(when))
				}
				say("done %d %v", w, err)
			}
		}()
	}
	<-time.After(20 * time.Second) // the test kills it long before
	os.Exit(1)
}

// TestD5_KillNine: whatever the moment of its death, a process leaves a file in
// which every record is whole, everything acknowledged holds, and what was begun holds
// in full or not at all.
func TestD5_KillNine(t *testing.T) {
	if testing.Short() {
		t.Skip("it kills a process 208 times; -short was given")
	}
	self, err := os.Executable()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "db")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	m := model{}
	died := map[string]int{}
	kills, acked := 208, 0 // 26 at each point
	if raceEnabled {       // a process takes ten times as long to begin; the plain run does them all
		kills = 48
	}
	for i := range kills {
		kill := points[i%len(points)]
		nth := 1 + rng.IntN(40)
		if kill == "swept" {
			nth = 1 + rng.IntN(2)
		}
		arg := fmt.Sprint(path, "|", kill, "|", nth, "|", 1000*(i+1))
		acked += m.live(t, self, arg, kill == "", 1+rng.IntN(60))
		died[kill]++

		db, err := bolt.Open(path, sweepingOptions())
		require.NoError(t, err, "after death at %q", kill)
		s, err := db.Store("users")
		require.NoError(t, err)
		m.check(t, s, kill)
		require.Zero(t, db.Corrupt(), "torn after death at %q", kill)
		require.NoError(t, db.Close())
		if t.Failed() {
			return
		}
	}
	t.Logf("%d calls were acknowledged before %d deaths: %v", acked, kills, died)
	require.Greater(t, acked, kills)
}

// model is what is known of each key: the calls that were acknowledged, joined,
// and those on the way when the process died.
type model map[string]*known

type known struct {
	set, erased int // latest, acknowledged; 0: none
	pending     *op
}

func (m model) of(worker, key int) *known {
	name := keyOf(worker, key)
	if m[name] == nil {
		m[name] = &known{}
	}
	return m[name]
}

func (k *known) take(o op) {
	if o.kind == "set" {
		if o.n > k.erased {
			k.set = max(k.set, o.n)
		}
		return
	}
	if k.erased = max(k.erased, o.n); k.set <= k.erased {
		k.set = 0
	}
}

// live runs a child until it dies and takes what it said; the outsider's kill
// comes after so many acknowledgements.
func (m model) live(t *testing.T, self, arg string, outside bool, after int) (acked int) {
	t.Helper()
	child := exec.CommandContext(t.Context(), self)
	child.Env = append(os.Environ(), "FRESHET_BOLT_CHILD="+arg)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	begun := map[int]*known{}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var w, key int
		var o op
		switch line := lines.Text(); {
		case strings.HasPrefix(line, "begin "):
			_, err = fmt.Sscanf(line, "begin %d %d %s %d", &w, &key, &o.kind, &o.n)
			begun[w] = m.of(w, key)
			begun[w].pending = &o
		case strings.HasPrefix(line, "done "):
			var verdict string
			_, err = fmt.Sscanf(line, "done %d %s", &w, &verdict)
			require.Equal(t, "<nil>", verdict, line)
			begun[w].take(*begun[w].pending)
			begun[w].pending = nil
			if acked++; outside && acked == after {
				_ = child.Process.Signal(syscall.SIGKILL)
			}
		}
		require.NoError(t, err)
	}
	err = child.Wait()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, syscall.SIGKILL, exit.Sys().(syscall.WaitStatus).Signal(), "it ended by itself: %v", err)
	return acked
}

// check compares the file with what is known, and learns what became of the calls on the
// way.
func (m model) check(t *testing.T, s *bolt.Store, kill string) {
	t.Helper()
	for name, k := range m {
		r, err := s.Get(t.Context(), name)
		n := 0
		if err == nil {
			n = int(r.ReadAt.Sub(epoch) / time.Millisecond)
			if string(r.Value) != valueOf(name, n) {
				t.Errorf("after death at %q: %s read at %d is torn: %d bytes", kill, name, n, len(r.Value))
			}
		} else {
			require.ErrorIs(t, err, freshet.ErrNotFound)
		}
		before, then := *k, *k
		if k.pending != nil {
			then.take(*k.pending)
		}
		switch n {
		case then.set: // where both are possible, what is not known to hold is not demanded
			if then.set != before.set {
				*k = then
			}
		case before.set:
		default:
			t.Errorf("after death at %q: %s is of %d, want %d (or %d, had %+v been done)",
				kill, name, n, before.set, then.set, k.pending)
		}
		if k.pending != nil && k.pending.kind != "set" && k.erased < k.pending.n {
			// A tombstone that shows nothing yet may be there or not: do it again, so
			// that it is.
			require.NoError(t, s.Delete(t.Context(), name, at(k.pending.n)))
			k.take(*k.pending)
		}
		k.pending = nil
	}
}
