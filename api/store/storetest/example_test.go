package storetest_test

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/store/memory"
	"github.com/freshet-go/freshet/api/store/storetest"
)

// Client is what many caches can do. ok is false where there is nothing; a ttl
// of 0 is for ever.
type Client interface {
	Get(key string) (value []byte, ok bool, err error)
	Set(key string, value []byte, ttl time.Duration) error
}

// Wrapped is a Store of any such client: D1 to D3 in full, D5 within this process only.
type Wrapped struct {
	Client Client
	mu     sync.Mutex // serialises compare and write, in this process
	closed bool
}

// stored is one value of the client: a record, or (Erased) a tombstone.
type stored struct {
	freshet.Record
	Erased bool
}

// everything is the client's key of the tombstone of DeletePrefix. No key of a
// cache has a NUL in it.
const everything = "\x00"

const tombstones = 10 * time.Minute

func (w *Wrapped) load(ctx context.Context, key string) (s stored, err error) {
	b, ok, err := w.Client.Get(key)
	if w.closed || ctx.Err() != nil {
		return s, errors.Join(ctx.Err(), map[bool]error{true: freshet.ErrClosed}[w.closed])
	}
	if err == nil && ok && gob.NewDecoder(bytes.NewReader(b)).Decode(&s) != nil {
		s = stored{} // garbage is a miss
	}
	return s, err
}

func (w *Wrapped) Get(ctx context.Context, key string) (freshet.Record, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, err := w.load(ctx, key)
	all, err2 := w.load(ctx, everything)
	if err := errors.Join(err, err2); err != nil {
		return freshet.Record{}, err
	}
	expired := !s.ExpiresAt.IsZero() && !time.Now().Before(s.ExpiresAt)
	if s.ReadAt.IsZero() || s.Erased || expired || all.Erased && !s.ReadAt.After(all.ReadAt) {
		return freshet.Record{}, freshet.ErrNotFound
	}
	return s.Record, nil
}

func (w *Wrapped) Set(ctx context.Context, key string, r freshet.Record) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.replace(ctx, key, stored{Record: r})
}

func (w *Wrapped) Delete(ctx context.Context, key string, at time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.replace(ctx, key, stored{freshet.Record{ReadAt: at, ExpiresAt: time.Now().Add(tombstones)}, true})
}

func (w *Wrapped) DeletePrefix(ctx context.Context, _ string, at time.Time) error {
	return w.Delete(ctx, everything, at) // the client cannot list keys
}

// replace is the comparison of D5 and the one write of D3.
func (w *Wrapped) replace(ctx context.Context, key string, s stored) error {
	old, err := w.load(ctx, key)
	if err != nil || old.ReadAt.After(s.ReadAt) || old.Erased && !s.ReadAt.After(old.ReadAt) {
		return err
	}
	ttl := time.Duration(0)
	if !s.ExpiresAt.IsZero() {
		ttl = max(time.Until(s.ExpiresAt), time.Millisecond) // 0 would be for ever
	}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(s); err != nil {
		return err
	}
	return w.Client.Set(key, b.Bytes(), ttl)
}

func (w *Wrapped) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	return nil
}

// A Store of a client that knows get, set and expire.
func Example() {
	ctx := context.Background()
	var store freshet.Store = &Wrapped{Client: &mapClient{m: map[string]entry{}}}
	defer store.Close()

	began := time.Now()
	_ = store.Delete(ctx, "users/42", began.Add(time.Second)) // somebody erases while we read the origin
	_ = store.Set(ctx, "users/42", freshet.Record{Value: []byte(`{"name":"Ada"}`), ReadAt: began})
	_, err := store.Get(ctx, "users/42")
	fmt.Println(errors.Is(err, freshet.ErrNotFound))

	_ = store.Set(ctx, "users/42", freshet.Record{Value: []byte(`{"name":"Lovelace"}`), ReadAt: began.Add(2 * time.Second)})
	r, _ := store.Get(ctx, "users/42")
	fmt.Println(string(r.Value))
	// Output:
	// true
	// {"name":"Lovelace"}
}

// A cache goes on when its store does not: here every second call fails.
func ExampleFaulty() {
	ctx := context.Background()
	store := storetest.Faulty(memory.New(memory.Options{}), func(c storetest.Call) (f storetest.Fault) {
		if c.N%2 == 0 {
			f.Err = errors.New("connection refused")
		}
		return f
	})
	defer store.Close()
	for range 3 {
		_, err := store.Get(ctx, "users/42")
		fmt.Println(err)
	}
	// Output:
	// freshet: not found
	// connection refused
	// freshet: not found
}

// mapClient stands for the client of somebody else's cache.
type mapClient struct {
	mu sync.Mutex
	m  map[string]entry
}

type entry struct {
	value []byte
	until time.Time
}

func (c *mapClient) Get(key string) ([]byte, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.m[key]
	if ok && !e.until.IsZero() && !time.Now().Before(e.until) {
		ok = false
	}
	return e.value, ok, nil
}

func (c *mapClient) Set(key string, value []byte, ttl time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := entry{value: value}
	if ttl > 0 {
		e.until = time.Now().Add(ttl)
	}
	c.m[key] = e
	return nil
}

func TestWrappedClientPassesWhatItPromises(t *testing.T) {
	storetest.Run(t, func(*testing.T) freshet.Store { return &Wrapped{Client: &mapClient{m: map[string]entry{}}} },
		storetest.Without("it cannot list keys, so a prefix is everything", "Prefixes", "Walk"),
		storetest.Without("a later record takes its tombstone's place", "Outliving"),
		storetest.Without("the client's own business", "Keys"))
}

func TestWrappedKeepsOlderRecordsOut(t *testing.T) {
	s := &Wrapped{Client: &mapClient{m: map[string]entry{}}}
	require.NoError(t, s.DeletePrefix(t.Context(), "a", epoch))
	require.NoError(t, s.Set(t.Context(), "a", rec(0, "a late write")))
	_, err := s.Get(t.Context(), "a")
	require.ErrorIs(t, err, freshet.ErrNotFound)
}
