package api_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// TestStressCollections has clients create, change and delete records of their
// own through the cache while everybody reads, reloads and invalidates the lists
// and the members, with an origin that takes its time, refuses, and sometimes
// applies what it then fails to confirm. Each client knows what a list has to
// show of its records: what it created or changed, once that returned, and
// nothing that it deleted (W8). When all is at rest every list is the origin's.
func TestStressCollections(t *testing.T) {
	randomized(t, 4*time.Second, func(seed uint64) {
		synctest.Test(t, func(t *testing.T) { market(t, seed) })
	})
}

// TestStressCollectionJoin has loads of lists that were asked before a record was
// made land in the very moment in which it joins them.
func TestStressCollectionJoin(t *testing.T) {
	value := strings.Repeat("x", 64) // whose every beginning is a query
	randomized(t, 2*time.Second, func(uint64) {
		synctest.Test(t, func(t *testing.T) {
			s := newCatalog()
			land := make(chan struct{})
			s.after = func(context.Context, string) error {
				<-land
				return nil
			}
			c := lists(t, s, config{Lister: membered{catalog: s}})
			var loads []*freshet.Future[[]freshet.Item[string]]
			for i := range value {
				loads = append(loads, c.Collection(value[:i]).Fetch(bg))
			}
			synctest.Wait()
			made := ask(func() (string, error) { key, _, err := c.Create(bg, value); return key, err })
			synctest.Wait()
			close(land)
			key, err := made.get()
			require.NoError(t, err)
			for i := range value {
				require.Equal(t, []string{key}, itemsOf(t, c.Collection(value[:i])))
			}
			for _, f := range loads {
				<-f.Done()
			}
		})
	})
}

// TestStressCollectionUnknown has a write whose outcome is unknown invalidate the
// lists while another one joins them: what the first may have done must be seen.
func TestStressCollectionUnknown(t *testing.T) {
	value := strings.Repeat("x", 200) // whose every beginning is a query
	randomized(t, 2*time.Second, func(uint64) {
		s := newCatalog()
		var calls atomic.Uint64
		s.after = func(_ context.Context, call string) error {
			if strings.HasPrefix(call, "create") && calls.Add(1)%2 == 0 {
				return freshet.ErrUnknown
			}
			return nil
		}
		c := lists(t, s, config{Lister: membered{catalog: s}})
		for i := range value {
			_, err := c.Collection(value[:i]).Get(bg)
			require.NoError(t, err)
		}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { _, _, _ = c.Create(bg, value) })
		}
		within(t, wg.Wait)
		for i := range value {
			items, err := c.Collection(value[:i]).Get(bg)
			require.NoError(t, err)
			require.ElementsMatch(t, s.selects(""), items, "of %d", i)
		}
	})
}

func market(t *testing.T, seed uint64) {
	d := newDice(seed, 0)
	s := newCatalog("x0", "y0", "x00")
	var calls atomic.Uint64
	var calm atomic.Bool // at the end
	late := d.in(3)
	s.before = func(ctx context.Context, _ string) error {
		if calm.Load() {
			return nil
		}
		d := newDice(seed, 1_000+calls.Add(1))
		time.Sleep(time.Duration(d.IntN(20)) * time.Millisecond)
		if d.in(8) {
			return errDenied
		}
		return ctx.Err()
	}
	s.after = func(context.Context, string) error {
		if calm.Load() {
			return nil
		}
		d := newDice(seed, 1_000_000+calls.Add(1))
		time.Sleep(time.Duration(d.IntN(20)) * time.Millisecond)
		switch {
		case late && d.in(12):
			time.Sleep(time.Second) // it was given up
		case d.in(16):
			return freshet.ErrUnknown
		}
		return nil
	}
	c := config{
		Name: "market", Writer: s, Lister: s, Source: s, Timeout: 500 * time.Millisecond,
		MaxEntries: some(d, 0, 2, 10), MaxFlights: some(d, 0, 0, 3),
		MaxSupersede: d.IntN(4), Reload: some(d, freshet.ReloadSupersede, freshet.ReloadQueue),
		AbortAbandoned: d.in(2),
		Freshness: freshet.Freshness{
			TTL: some(d, 0, 30*time.Millisecond), Stale: some(d, 0, 30*time.Millisecond), Missing: some(d, 0, time.Minute),
		},
	}
	told := d.in(2)
	if told {
		c.Lister = membered{catalog: s}
	}
	if d.in(2) {
		c.Source = bulkCatalog{s}
	}
	cache, err := freshet.New(c)
	require.NoError(t, err)
	var wg sync.WaitGroup
	for i := range 6 {
		v := &visitor{t: t, cache: cache, dice: newDice(seed, uint64(i+1)), name: fmt.Sprint(i), moves: told, stale: c.Freshness.Stale > 0, own: map[string]string{}}
		wg.Go(func() {
			for range 30 {
				v.act()
			}
		})
	}
	within(t, wg.Wait)
	time.Sleep(time.Minute)
	calm.Store(true)
	for _, query := range []string{"", "x", "y"} {
		l := cache.Collection(query)
		if query == "" || told {
			items, err := l.Get(bg)
			require.NoError(t, err)
			if c.Freshness.Stale == 0 {
				require.ElementsMatch(t, s.selects(query), items, "at rest, of %q", query)
			}
		}
		items, err := l.Reload(bg).Await(bg)
		require.NoError(t, err)
		require.Equal(t, append([]freshet.Item[string]{}, s.selects(query)...), items, "reloaded, of %q", query)
	}
	require.Zero(t, cache.Stats().Pending)
	within(t, func() { require.NoError(t, cache.Close(bg)) })
}

// visitor is a client with records of its own.
type visitor struct {
	t     *testing.T
	cache *freshet.Cache[string]
	dice
	name  string
	moves bool              // changes may move a record to another list
	stale bool              // lists may be served stale
	own   map[string]string // what it knows of its records, "" for one that is deleted
	n     int
}

func (v *visitor) value(prefix string) string {
	v.n++
	return fmt.Sprintf("%s-%s-%d", prefix, v.name, v.n)
}

func (v *visitor) act() {
	c, query := v.cache, some(v.dice, "", "x", "y")
	l := c.Collection(query)
	switch v.IntN(16) {
	case 0, 1, 2:
		value := v.value(some(v.dice, "x", "y"))
		if key, _, err := c.Create(bg, value); err == nil {
			v.own[key] = value
		}
	case 3, 4:
		v.change(func(key, _ string) (string, error) { return "", c.Delete(bg, key) })
	case 5, 6:
		v.change(func(key, was string) (string, error) {
			next := v.value(was[:1])
			if v.moves {
				next = v.value(some(v.dice, "x", "y"))
			}
			_, err := c.Update(bg, key, next)
			return next, err
		})
	case 7:
		_ = l.Reload(bg)
	case 8:
		_ = l.Invalidate(bg)
	case 9:
		_ = c.Invalidate(bg, fmt.Sprint("k", v.IntN(30)))
	case 10:
		_ = c.Remove(bg, fmt.Sprint("k", v.IntN(30)))
	case 11:
		ctx, cancel := context.WithTimeout(bg, time.Duration(v.IntN(20))*time.Millisecond)
		defer cancel()
		_, _ = l.Fetch(bg).Await(ctx)
	case 12:
		_, _ = c.Get(bg, fmt.Sprint("k", v.IntN(30)))
	case 13:
		if v.in(6) {
			_, _ = c.InvalidatePrefix(bg, some(v.dice, "", "k1"))
		}
	default:
	}
	v.look(l, query)
}

// change does something with one of the visitor's records.
func (v *visitor) change(f func(key, was string) (next string, err error)) {
	keys := slices.Sorted(maps.Keys(v.own))
	if len(keys) == 0 {
		return
	}
	key := keys[v.IntN(len(keys))]
	was := v.own[key]
	if was == "" {
		return
	}
	next, err := f(key, was)
	var failed *freshet.WriteError
	switch {
	case err == nil:
		v.own[key] = next
	case errors.As(err, &failed) && !failed.Unknown:
	default:
		delete(v.own, key) // who knows
	}
}

// look says that the list shows what the visitor knows of it.
func (v *visitor) look(l *freshet.Collection[string], query string) {
	items, err := l.Get(bg)
	var many *freshet.ManyError
	if err != nil && !errors.As(err, &many) {
		return
	}
	shown := map[string]string{}
	for _, item := range items {
		if shown[item.Key] != "" {
			v.t.Errorf("%s is in %q twice", item.Key, query)
		}
		shown[item.Key] = item.Value
	}
	for key, value := range v.own {
		want := value
		if !strings.HasPrefix(value, query) {
			want = ""
		}
		if many != nil && many.Errs[key] != nil {
			continue
		}
		if shown[key] != want {
			v.t.Errorf("%q shows %s as %q, want %q", query, key, shown[key], want)
		}
	}
}
