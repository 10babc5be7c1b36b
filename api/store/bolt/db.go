package bolt

import (
	"fmt"
	"sync"
	"sync/atomic"

	"go.etcd.io/bbolt"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/store/internal/record"
)

// DB is an open file with the records of one or more caches.
type DB struct {
	path string
	file *bbolt.DB
	opts Options

	writes  chan *write
	closing chan struct{} // no write is accepted any more
	workers sync.WaitGroup
	users   sync.WaitGroup // calls that may still send to writes, or read the file

	life   sync.RWMutex // closed, and users from 0
	closed bool
	err    error // of Close, once done is closed
	done   chan struct{}

	mu     sync.Mutex // tables; held while one is made, which writes
	tables map[string]*table

	corrupt atomic.Int64

	telling sync.Mutex // untold and teller
	untold  []report
	teller  bool // somebody tells them
}

func newDB(path string, file *bbolt.DB, opts Options) *DB {
	d := &DB{
		path: path, file: file, opts: opts,
		writes: make(chan *write, maxQueue), closing: make(chan struct{}), done: make(chan struct{}),
		tables: map[string]*table{},
	}
	d.workers.Go(d.commit)
	if opts.SweepEvery > 0 {
		d.users.Add(1) // the sweep sends writes
		d.workers.Go(func() {
			defer d.users.Done()
			d.sweep()
		})
	}
	return d
}

// Store returns the store of the cache of that name: 1 to 128 of a-z, 0-9, dot,
// underscore and hyphen. Two of one name are the same records.
func (d *DB) Store(name string) (*Store, error) {
	if err := record.CheckName("bolt", name); err != nil {
		return nil, err
	}
	found := reports{db: d}
	t, err := d.table(name, &found)
	found.tell()
	if err != nil {
		return nil, err
	}
	return &Store{table: t}, nil
}

func (d *DB) table(name string, found *reports) (*table, error) {
	if !d.enter() {
		return nil, record.Closed("bolt")
	}
	defer d.users.Done()
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.tables[name]
	if t == nil {
		t = &table{db: d, name: name, bucket: []byte(cachePrefix + name)}
		if err := guard(func() error { return t.load(found) }); err != nil {
			return nil, fmt.Errorf("freshet: bolt: %s: %s: %w", d.path, name, systemError(err))
		}
		d.tables[name] = t
	}
	return t, nil
}

// Close waits for the writes that were accepted, ends the goroutines and lets go
// of the file. Closing twice is fine.
func (d *DB) Close() error {
	d.life.Lock()
	if d.closed {
		d.life.Unlock()
		<-d.done
		return d.err
	}
	d.closed = true
	close(d.closing)
	d.life.Unlock()

	d.users.Wait() // nobody sends any more
	close(d.writes)
	d.workers.Wait()
	if err := d.file.Close(); err != nil {
		d.err = fmt.Errorf("freshet: bolt: %s: %w", d.path, err)
	}
	close(d.done)
	return d.err
}

// enter keeps the file open until users.Done; false after Close.
func (d *DB) enter() bool {
	d.life.RLock()
	defer d.life.RUnlock()
	if d.closed {
		return false
	}
	d.users.Add(1)
	return true
}

func (d *DB) isClosing() bool {
	select {
	case <-d.closing:
		return true
	default:
		return false
	}
}

// Corrupt is how many times something in the file was not readable.
func (d *DB) Corrupt() int64 { return d.corrupt.Load() }

var _ freshet.Store = (*Store)(nil)
