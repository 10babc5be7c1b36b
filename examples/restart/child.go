package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/codec/cbor"
	"github.com/freshet-go/freshet/api/source/rest"
	"github.com/freshet-go/freshet/api/store/bolt"
)

// childEnv makes the program the process that has the cache: its arguments are
// then what to do, the origin's URL and the bolt file.
const childEnv = "FRESHET_RESTART_CHILD"

// What it is told to do.
const (
	learnAndWork = "learn"  // and never end
	comeBack     = "return" // read every record once, and end
)

// report is what it says, as a line of JSON.
type report struct {
	Opened      time.Duration `json:"opened"` // how long the file took to open
	Took        time.Duration `json:"took"`   // to read every record
	Looks       []look        `json:"looks"`
	StoreHits   uint64        `json:"storeHits"`
	StoreErrors uint64        `json:"storeErrors"`
	Corrupt     int64         `json:"corrupt"`
}

// look is one read of one record.
type look struct {
	Key     string    `json:"key"`
	Err     string    `json:"err,omitempty"`
	Edition int       `json:"edition"`
	State   string    `json:"state"`
	At      time.Time `json:"at"` // when it was learned: its age counts from then
}

// child is the process that has the cache. A byte on stdin tells it to go on; it
// ends with its parent, whose end of stdin closes then.
func child(what, url, path string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	told := make(chan struct{})
	go func() {
		if _, err := stdin.Read(make([]byte, 1)); err == nil {
			close(told)
		}
		_, _ = io.Copy(io.Discard, stdin)
		cancel()
	}()
	if err := live(ctx, what, url, path, told, stdout); err != nil {
		_, _ = fmt.Fprintf(stderr, "the process with the cache: %v\n", err)
		return 1
	}
	return 0
}

// live is one life of it.
func live(ctx context.Context, what, url, path string, told <-chan struct{}, out io.Writer) (err error) {
	begun := time.Now()
	db, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	r := report{Opened: time.Since(begun)}
	store, err := db.Store("lights")
	if err != nil {
		return err
	}
	source, err := rest.New(rest.Config[Light]{Base: url, Item: "/lights/{key}"})
	if err != nil {
		return err
	}
	defer source.Close()
	cache, err := freshet.New(freshet.Config[Light]{
		Name: "lights", Source: source, MaxFlights: 16,
		Store: store, Codec: cbor.New[Light](), StoreTimeout: 5 * time.Second,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cache.Close(context.WithoutCancel(ctx))) }()

	begun = time.Now()
	r.Looks = readAll(ctx, cache)
	r.Took = time.Since(begun)
	if what == learnAndWork {
		if err := stored(ctx, store); err != nil {
			return err
		}
	}
	stats := cache.Stats()
	r.StoreHits, r.StoreErrors, r.Corrupt = stats.StoreHits, stats.StoreErrors, db.Corrupt()
	if err := json.NewEncoder(out).Encode(r); err != nil {
		return err
	}
	if what == learnAndWork {
		select {
		case <-told:
			work(ctx, cache)
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

// readAll reads every record once, many at a time.
func readAll(ctx context.Context, cache *freshet.Cache[Light]) (looks []look) {
	var (
		mu   sync.Mutex
		wg   sync.WaitGroup
		todo = make(chan string)
	)
	for range 16 {
		wg.Go(func() {
			for key := range todo {
				snapshot, err := cache.Lookup(ctx, key)
				l := look{Key: key, Edition: snapshot.Value.Edition, State: snapshot.State.String(), At: snapshot.At}
				if err != nil {
					l.Err = err.Error()
				}
				mu.Lock()
				looks = append(looks, l)
				mu.Unlock()
			}
		})
	}
	for _, kind := range []string{steady, brief, busy} {
		for _, key := range keysOf(kind) {
			todo <- key
		}
	}
	close(todo)
	wg.Wait()
	return looks
}

// stored waits until every record is on disk: a read does not wait for that.
func stored(ctx context.Context, store freshet.Store) error {
	for kind := range howMany {
		for _, key := range keysOf(kind) {
			for {
				_, err := store.Get(ctx, key)
				if err == nil {
					break
				}
				if !errors.Is(err, freshet.ErrNotFound) {
					return err
				}
				if err := pause(ctx, time.Millisecond); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// work reloads the busy records until the process ends: origin calls and commits
// to the file are always in the air.
func work(ctx context.Context, cache *freshet.Cache[Light]) {
	var wg sync.WaitGroup
	for _, key := range keysOf(busy) {
		wg.Go(func() {
			for ctx.Err() == nil {
				_, _ = cache.Reload(ctx, key).Await(ctx)
			}
		})
	}
	wg.Wait()
}
