package work

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/store/bolt"
	"github.com/freshet-go/freshet/bench/internal/pattern"
)

// warms are starts of a process that finds what an earlier one knew.
func warms() []Workload {
	file := &warmFile{}
	return []Workload{{
		Name: "warm/100k-bolt",
		About: "A hundred thousand keys (a tenth with -quick) that an earlier cache left in a bolt file, read by a new one: from opening the file, " +
			"which the system still has in memory, until the last key is known. Ratios are to the better cold start, whose source answers at once; " +
			"the store alone is bolt without a cache. Lost are keys that the store did not answer.",
		Columns: []Column{
			{Name: "time/key", Unit: "ns"}, {Name: CPU, Unit: "ns"}, {Name: "allocs/op"}, {Name: "open", Unit: "ns"},
			{Name: "store hits", Better: Higher}, {Name: "origin calls"}, {Name: "lost", Wrong: true},
		},
		Ops: 100_000, Quick: 10_000, Seconds: 2,
		Contenders: []Contender{
			file.contender("freshet warm, Get", readEach),
			file.contender("freshet warm, GetMany of 500", readFiveHundred),
			file.contender("freshet warm, GetMany of all", readMany),
			{Name: "cold start, Get", Module: freshetModule, Prepare: coldStart(readEach)},
			{Name: "cold start, GetMany of all", Module: freshetModule, Prepare: coldStart(readMany)},
			file.bare("the store alone"),
		},
	}}
}

// freshetModule is whose version the report states for our contenders.
const freshetModule = "github.com/freshet-go/freshet"

// reading makes a cache know keys and says how long that took.
type reading func(c *freshet.Cache[uint64], keys []string) (time.Duration, error)

// readEach reads keys one by one on every processor.
func readEach(c *freshet.Cache[uint64], keys []string) (time.Duration, error) {
	return eachOf(keys, func(key string) error {
		_, err := c.Get(context.Background(), key)
		return err
	})
}

// readMany reads keys in one call.
func readMany(c *freshet.Cache[uint64], keys []string) (took time.Duration, err error) {
	took = alone(func() { _, err = c.GetMany(context.Background(), keys) })
	return took, err
}

// readFiveHundred reads keys in calls of 500, one after another.
func readFiveHundred(c *freshet.Cache[uint64], keys []string) (took time.Duration, err error) {
	took = alone(func() {
		for some := range slices.Chunk(keys, 500) {
			_, failed := c.GetMany(context.Background(), some)
			err = errors.Join(err, failed)
		}
	})
	return took, err
}

// eachOf calls do with keys on every processor; its error is one of theirs.
func eachOf(keys []string, do func(key string) error) (time.Duration, error) {
	var failed atomic.Pointer[error]
	took := parallel(len(keys), func(from, to int) {
		for _, key := range keys[from:to] {
			if err := do(key); err != nil {
				failed.Store(&err)
			}
		}
	})
	if err := failed.Load(); err != nil {
		return took, *err
	}
	return took, nil
}

// coldStart prepares reads of a cache that has nothing but its source.
func coldStart(read reading) func() (Run, error) {
	return func() (Run, error) {
		return Run{
			Do:    func(ops int) ([]float64, error) { return start(read, ops, "") },
			Close: func() {},
		}, nil
	}
}

// start reads ops keys with a new cache, on top of the store in file if there
// is one.
func start(read reading, ops int, file string) (figures []float64, err error) {
	source := &origin{}
	config := freshet.Config[uint64]{Name: "bench", Source: freshet.Func(source.fetch), MaxEntries: 2 * ops}
	keys := pattern.Keys(ops)
	collect()
	spent := countExpense()
	began := time.Now()
	opened := None
	if file != "" {
		db, openErr := bolt.Open(file, bolt.Options{})
		if openErr != nil {
			return nil, openErr
		}
		defer func() { err = errors.Join(err, db.Close()) }()
		if config.Store, err = db.Store(config.Name); err != nil {
			return nil, err
		}
		opened = float64(time.Since(began).Nanoseconds())
	}
	cache, err := freshet.New(config)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, cache.Close(context.Background())) }()
	making := time.Since(began)
	took, err := read(cache, keys)
	if err != nil {
		return nil, err
	}
	cpu, allocs, _ := spent.perOp(ops)
	stats := cache.Stats()
	hits, calls, lost := float64(stats.StoreHits), float64(source.calls.Load()), 0.0
	if file != "" {
		lost = float64(ops) - hits
	}
	return []float64{perOp(making+took, ops), cpu, allocs, opened, hits, calls, lost}, nil
}

// warmFile is the file that those who start warm share: filling it takes longer
// than all their reads.
type warmFile struct {
	mu    sync.Mutex
	users int
	dir   string
	file  string
	keys  int // in it
}

func (w *warmFile) contender(name string, read reading) Contender {
	return Contender{Name: name, Module: freshetModule, Prepare: func() (Run, error) {
		return w.run(func(ops int, file string) ([]float64, error) { return start(read, ops, file) })
	}}
}

// bare reads the store, and there is no cache.
func (w *warmFile) bare(name string) Contender {
	return Contender{Name: name, Module: "go.etcd.io/bbolt", Bare: true, Prepare: func() (Run, error) {
		return w.run(readStore)
	}}
}

func readStore(ops int, file string) (figures []float64, err error) {
	keys := pattern.Keys(ops)
	collect()
	spent := countExpense()
	began := time.Now()
	db, err := bolt.Open(file, bolt.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	store, err := db.Store("bench")
	if err != nil {
		return nil, err
	}
	opened := time.Since(began)
	took, err := eachOf(keys, func(key string) error {
		_, err := store.Get(context.Background(), key)
		return err
	})
	if err != nil {
		return nil, err
	}
	cpu, allocs, _ := spent.perOp(ops)
	return []float64{perOp(opened+took, ops), cpu, allocs, float64(opened.Nanoseconds()), float64(ops), None, 0}, nil
}

// run is one that has the file filled before it does anything.
func (w *warmFile) run(do func(ops int, file string) ([]float64, error)) (Run, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.users == 0 {
		dir, err := os.MkdirTemp("", "freshet-bench-")
		if err != nil {
			return Run{}, err
		}
		w.dir, w.file, w.keys = dir, "", 0
	}
	w.users++
	return Run{
		Do: func(ops int) ([]float64, error) {
			file, err := w.filled(ops)
			if err != nil {
				return nil, err
			}
			return do(ops, file)
		},
		Close: w.leave,
	}, nil
}

func (w *warmFile) leave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.users--; w.users == 0 {
		_ = os.RemoveAll(w.dir)
	}
}

// filled is a file that a cache has left n keys in.
func (w *warmFile) filled(n int) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.keys == n {
		return w.file, nil
	}
	file := filepath.Join(w.dir, fmt.Sprintf("%d.db", n))
	if err := fill(file, n); err != nil {
		return "", err
	}
	w.file, w.keys = file, n
	return file, nil
}

// fill leaves n keys in file, through a cache.
func fill(file string, n int) error {
	db, err := bolt.Open(file, bolt.Options{})
	if err != nil {
		return err
	}
	store, err := db.Store("bench")
	if err != nil {
		return errors.Join(err, db.Close())
	}
	source := &origin{}
	cache, err := freshet.New(freshet.Config[uint64]{
		Name: "bench", Source: freshet.Func(source.fetch), Store: store,
		StoreTimeout: time.Minute, // a slow disk is no reason to leave out a record
	})
	if err != nil {
		return errors.Join(err, db.Close())
	}
	for i := range n {
		if err = cache.Set(context.Background(), pattern.Key(i), uint64(i)); err != nil {
			break
		}
	}
	// Close pays what the store is owed.
	err = errors.Join(err, cache.Close(context.Background()), db.Close())
	if failures := cache.Stats().StoreErrors; err == nil && failures > 0 {
		err = fmt.Errorf("%d of %d keys were not stored", failures, n)
	}
	return err
}
