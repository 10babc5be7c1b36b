package api_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

var errDenied = errors.New("the origin refuses")

// catalog is an authoritative origin of records in order: source, writer and
// lister. A query selects the records whose value begins with it.
type catalog struct {
	// before is called before the catalog is looked at or changed, after when it
	// has been and the answer is under way, each with "fetch k", "many k,l",
	// "list q", "create v", "update k" or "delete k". An error of theirs is the
	// answer.
	before, after func(ctx context.Context, call string) error

	mu    sync.Mutex
	items []freshet.Item[string]
	made  int
	log   []string
}

func newCatalog(values ...string) *catalog {
	s := &catalog{}
	for _, v := range values {
		s.add(v)
	}
	return s
}

// add puts a record in behind the cache's back.
func (s *catalog) add(value string) freshet.Item[string] {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	item := freshet.Item[string]{Key: fmt.Sprintf("k%d", s.made), Value: value}
	s.items = append(s.items, item)
	return item
}

func (s *catalog) at(key string) int {
	return slices.IndexFunc(s.items, func(i freshet.Item[string]) bool { return i.Key == key })
}

// put changes a record behind the cache's back, makes it or, with "", takes it out.
func (s *catalog) put(key, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch at := s.at(key); {
	case at >= 0 && value == "":
		s.items = slices.Delete(s.items, at, at+1)
	case at >= 0:
		s.items[at].Value = value
	case value != "":
		s.items = append(s.items, freshet.Item[string]{Key: key, Value: value})
	}
}

func (s *catalog) selects(query string) []freshet.Item[string] {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []freshet.Item[string]
	for _, item := range s.items {
		if strings.HasPrefix(item.Value, query) {
			found = append(found, item)
		}
	}
	return found
}

// do makes a call of the origin.
func (s *catalog) do(ctx context.Context, call string, f func() error) error {
	s.mu.Lock()
	s.log = append(s.log, call)
	before, after := s.before, s.after
	s.mu.Unlock()
	if before != nil {
		if err := before(ctx, call); err != nil {
			return err
		}
	}
	if err := f(); err != nil {
		return err
	}
	if after != nil {
		return after(ctx, call)
	}
	return nil
}

func (s *catalog) value(key string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at := s.at(key); at >= 0 {
		return s.items[at].Value, nil
	}
	return "", fmt.Errorf("%q: %w", key, freshet.ErrNotFound)
}

func (s *catalog) Fetch(ctx context.Context, r freshet.Request[string]) (a freshet.Response[string], err error) {
	err = s.do(ctx, "fetch "+r.Key, func() (err error) {
		a.Value, err = s.value(r.Key)
		return err
	})
	return a, err
}

func (s *catalog) List(ctx context.Context, query string) (items []freshet.Item[string], err error) {
	err = s.do(ctx, "list "+query, func() error {
		items = s.selects(query)
		return nil
	})
	return items, err
}

func (s *catalog) Create(ctx context.Context, value string) (key, stored string, err error) {
	err = s.do(ctx, "create "+value, func() error {
		key = s.add(value).Key
		return nil
	})
	return key, value, err
}

func (s *catalog) Update(ctx context.Context, key, value string) (string, error) {
	err := s.do(ctx, "update "+key, func() error {
		s.put(key, value)
		return nil
	})
	return value, err
}

func (s *catalog) Delete(ctx context.Context, key string) error {
	return s.do(ctx, "delete "+key, func() error {
		_, err := s.value(key)
		s.put(key, "")
		return err
	})
}

// calls are the calls since the last calls, when all is at rest.
func (s *catalog) calls() []string {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	log := s.log
	s.log = nil
	return log
}

// membered is a catalog that tells what belongs to a query.
type membered struct {
	*catalog
	belongs func(query string, item freshet.Item[string]) bool // nil: the truth
}

func (s membered) Belongs(query string, item freshet.Item[string]) bool {
	if s.belongs != nil {
		return s.belongs(query, item)
	}
	return strings.HasPrefix(item.Value, query)
}

// bulkCatalog fetches many at once.
type bulkCatalog struct{ *catalog }

func (s bulkCatalog) FetchMany(ctx context.Context, rs []freshet.Request[string]) (map[string]freshet.Response[string], error) {
	var keys []string
	for _, r := range rs {
		keys = append(keys, r.Key)
	}
	slices.Sort(keys)
	found, many := map[string]freshet.Response[string]{}, &freshet.ManyError{Errs: map[string]error{}}
	err := s.do(ctx, "many "+strings.Join(keys, ","), func() error {
		for _, key := range keys {
			if v, err := s.value(key); err != nil {
				many.Errs[key] = err
			} else {
				found[key] = freshet.Response[string]{Value: v}
			}
		}
		return nil
	})
	if err == nil && len(many.Errs) > 0 {
		err = many
	}
	return found, err
}

// stall makes the calls that begin with what wait, once they have come to the
// given hook (&before or &after), until pass or open lets them go.
func (s *catalog) stall(hook *func(context.Context, string) error, what string) *stalled {
	w := &stalled{}
	*hook = func(ctx context.Context, call string) error {
		if !strings.HasPrefix(call, what) {
			return nil
		}
		wait := make(chan error, 1)
		w.mu.Lock()
		if w.off {
			w.mu.Unlock()
			return nil
		}
		w.waits = append(w.waits, wait)
		w.mu.Unlock()
		if w.deaf {
			return <-wait
		}
		select {
		case err := <-wait:
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return w
}

// stalled are calls that wait.
type stalled struct {
	deaf  bool // they ignore their context
	mu    sync.Mutex
	waits []chan error
	off   bool
}

// pass lets the nth call go, from 1, with err where that is not nil.
func (w *stalled) pass(t *testing.T, n int, err error) {
	t.Helper()
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	require.GreaterOrEqual(t, len(w.waits), n, "so many calls have not come")
	w.waits[n-1] <- err
}

// open lets every call go, those that wait and those to come.
func (w *stalled) open() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.off = true
	for _, wait := range w.waits {
		select {
		case wait <- nil:
		default:
		}
	}
}

// seen is how many calls have come.
func (w *stalled) seen() int {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.waits)
}

// lists makes a cache of s, which is its Source, Writer and Lister unless c says
// otherwise.
func lists(t testing.TB, s *catalog, c config) *freshet.Cache[string] {
	t.Helper()
	if c.Source == nil {
		c.Source = s
	}
	if c.Writer == nil {
		c.Writer = s
	}
	if c.Lister == nil {
		c.Lister = s
	}
	return open(t, c)
}

// values are those of a list, in its order.
func values(items []freshet.Item[string]) string {
	var all []string
	for _, i := range items {
		all = append(all, i.Value)
	}
	return strings.Join(all, " ")
}

// hasItems says that Get answers with these values.
func hasItems(t testing.TB, l *freshet.Collection[string], want string, opts ...freshet.FetchOption) {
	t.Helper()
	items, err := l.Get(bg, opts...)
	require.NoError(t, err)
	require.Equal(t, want, values(items))
}

// peeksItems says what Peek knows.
func peeksItems(t testing.TB, l *freshet.Collection[string], want string) {
	t.Helper()
	items, ok := l.Peek()
	require.True(t, ok)
	require.Equal(t, want, values(items))
}
