package actors

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// shelf is a Store in memory that keeps to D5.
type shelf struct {
	mu      sync.Mutex
	records map[string]Record
	writing func() // before a record is written; nil: nothing
}

func (s *shelf) Get(_ context.Context, key string) (Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.records[key]; ok {
		return r, nil
	}
	return Record{}, ErrNotFound
}

func (s *shelf) Set(_ context.Context, key string, r Record) error {
	if s.writing != nil {
		s.writing()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.records[key].ReadAt.After(r.ReadAt) {
		s.records[key] = r
	}
	return nil
}

func (s *shelf) Delete(_ context.Context, key string, at time.Time) error {
	return s.erase(at, func(have string) bool { return have == key })
}

func (s *shelf) DeletePrefix(_ context.Context, prefix string, at time.Time) error {
	return s.erase(at, func(have string) bool { return strings.HasPrefix(have, prefix) })
}

func (s *shelf) erase(at time.Time, covers func(key string) bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, r := range s.records {
		if covers(key) && !r.ReadAt.After(at) {
			delete(s.records, key)
		}
	}
	return nil
}

func (s *shelf) Close() error { return nil }

// O6, D4: a commit that lands while an InvalidatePrefix walks, before it has come
// to the key, is below the barrier. So is its record, however long that takes to
// be written.
func TestO6_TheStoreKeepsNoRecordThatAPrefixMadeVoid(t *testing.T) {
	for name, takes := range map[string]time.Duration{"written at once": 0, "written after the erase": time.Minute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, land := context.Background(), make(chan struct{})
				store := &shelf{records: make(map[string]Record)}
				table := testTable(t, Config[int]{Store: store, StoreTimeout: time.Hour, Codec: numerals{}, Writer: origin{update: func(_ context.Context, _ string, v int) (int, error) {
					<-land
					return v, nil
				}}}, nil)
				first, later := walked(table)
				for _, key := range []string{first, later} {
					_, err := table.Get(ctx, key)
					require.NoError(t, err)
				}
				go func() { _, _ = table.Update(ctx, later, 5) }()
				synctest.Wait()
				store.writing = func() { time.Sleep(takes) }
				c := cellOf(t, table, first)
				held(t, c) // the walk waits here
				go func() { _, _ = table.InvalidatePrefix(ctx, "k") }()
				synctest.Wait()
				close(land)
				synctest.Wait()
				c.drain(throughput)
				time.Sleep(time.Hour / 2)
				s, _ := table.Peek(later)
				require.Equal(t, Stale, s.State)
				_, err := store.Get(ctx, later)
				require.ErrorIs(t, err, ErrNotFound)
			})
		})
	}
}

// walked is two keys in the order of a walk.
func walked(table *Table[int]) (first, later string) {
	shard := func(key string) uint64 {
		at, _ := table.cells.place(table.cells.name(key))
		return at
	}
	first, later = "k0", "k1"
	for i := 2; shard(later) == shard(first); i++ {
		later = "k" + strconv.Itoa(i)
	}
	if shard(later) < shard(first) {
		return later, first
	}
	return first, later
}

// C6: a look-up that others overtook comes to its deadline before its cell has
// handled that. The others of its GetMany wait no longer; its own flight is made
// all the same.
func TestC6_AnOvertakenLookUpIsLateForItsParty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		table := testTable(t, Config[int]{Store: sleeper{&shelf{}}, StoreTimeout: time.Second}, nil)
		table.bulkSource = forgetful{one: func() (int, error) { return 1, nil }}
		done := make(chan error)
		go func() {
			_, err := table.GetMany(ctx, []string{"a", "b"})
			done <- err
		}()
		synctest.Wait()
		c := cellOf(t, table, "a")
		held(t, c)
		go table.heard(Invalidation{Keys: []string{"a"}})
		time.Sleep(2 * time.Second)
		c.drain(throughput)
		require.NoError(t, <-done)
	})
}

// sleeper is a Store that does not answer.
type sleeper struct{ *shelf }

func (sleeper) Get(ctx context.Context, _ string) (Record, error) {
	<-ctx.Done()
	return Record{}, ctx.Err()
}

// numerals is a Codec.
type numerals struct{}

func (numerals) Marshal(v int) ([]byte, error)   { return strconv.AppendInt(nil, int64(v), 10), nil }
func (numerals) Unmarshal(b []byte) (int, error) { return strconv.Atoi(string(b)) }
