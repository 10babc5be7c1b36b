package api_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// kept is the value that the store holds for key, "-" where it holds none.
func (s *shelf) kept(key string) string {
	if !s.has(key) {
		return "-"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, v, _ := strings.Cut(string(s.records[key].Value), `"`) // JSON, behind its age
	return `"` + v
}

// shelvedWrites makes a cache that writes, on a store.
func shelvedWrites(t *testing.T, o *origin, s freshet.Store, w *clerk) *freshet.Cache[string] {
	t.Helper()
	c := shelved(t, o, s, config{Writer: w, Timeout: time.Second})
	t.Cleanup(w.free)
	return c
}

func TestW7_OnlyConfirmedValuesReachAStore(t *testing.T) {
	for name, k := range map[string]struct {
		outcome    func(*order)
		kept, next string // by the store after the write, by a cache that starts then
	}{
		"committed": {func(o *order) { o.store("A") }, `"A"`, "A"},
		"refused":   {func(o *order) { o.refuse(errOrigin) }, `"v1"`, "v1"},
		"unknown":   {func(o *order) { o.refuse(freshet.ErrUnknown) }, "-", "v2"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s, o, w := newShelf(), counting(), &clerk{}
				c := shelvedWrites(t, o, s, w)
				mustGet(t, c, "k", "v1")
				require.Equal(t, `"v1"`, s.kept("k"))
				m := mutate(c, "k", appends("+a"))
				mustGet(t, c, "k", "v1+a")
				require.Equal(t, `"v1"`, s.kept("k"), "not while it is optimistic")
				k.outcome(w.order(t, 1))
				require.False(t, m.waiting())
				require.Equal(t, k.kept, s.kept("k"))
				require.NoError(t, c.Close(bg))
				require.Equal(t, k.kept, s.kept("k"))
				for key, r := range s.records {
					require.NotContains(t, string(r.Value), "v1+a", key)
				}
				mustGet(t, shelvedWrites(t, o, s, &clerk{}), "k", k.next)
			})
		})
	}
}

// What is read or set while mutations are pending is confirmed: that is kept,
// not what is shown.
func TestW7_TheBaseUnderMutationsIsKept(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, o, w := newShelf(), &origin{}, &clerk{}
		c := shelvedWrites(t, o, s, w)
		m := mutate(c, "k", appends("+a"))
		o.call(t, 1).value("read")
		mustGet(t, c, "k", "read+a")
		require.Equal(t, `"read"`, s.kept("k"))
		require.NoError(t, c.Set(bg, "k", "set"))
		mustGet(t, c, "k", "set+a")
		require.Equal(t, `"set"`, s.kept("k"))
		w.order(t, 1).store("A")
		gives(t, m, "A")
		require.Equal(t, `"set"`, s.kept("k"), "the value that was set stays")
	})
}

func TestW7_AMutationOfAColdResourceStartsFromTheStore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, o, w := newShelf(), counting(), &clerk{}
		first := shelvedWrites(t, o, s, w)
		mustGet(t, first, "k", "v1")
		require.NoError(t, first.Close(bg))
		c := shelvedWrites(t, o, s, w)
		m := mutate(c, "k", appends("+a"))
		require.Equal(t, 1, o.calls())
		w.asks(t, 1, "update", "k", "v1+a").store("A")
		gives(t, m, "A")
		require.Equal(t, `"A"`, s.kept("k"))
	})
}

func TestW7_CreateAndDeleteAndTheStore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, o, w := newShelf(), counting(), &clerk{}
		c := shelvedWrites(t, o, s, w)
		mustGet(t, c, "d", "v1")
		r := create(c, "mine")
		require.False(t, s.has("n"))
		w.order(t, 1).as("n", "N")
		require.False(t, r.waiting())
		require.Equal(t, `"N"`, s.kept("n"))

		d := erase(c, "d")
		require.Equal(t, `"v1"`, s.kept("d"), "it may be back")
		w.order(t, 2).refuse(errOrigin)
		refused(t, d, errOrigin, false)
		require.Equal(t, `"v1"`, s.kept("d"))
		d = erase(c, "d")
		w.order(t, 3).store("")
		gives(t, d, "")
		require.False(t, s.has("d"))
		require.NoError(t, c.Close(bg))
		next := shelvedWrites(t, o, s, w)
		mustGet(t, next, "n", "N")
		mustGet(t, next, "d", "v2")
	})
}

// What Close awaits is kept, and what it cannot await is erased: a process that
// starts afterwards reads.
func TestW7_CloseKeepsWhatWasCommittedAndErasesWhatIsUnknown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, o, w := newShelf(), counting(), &clerk{}
		c := shelvedWrites(t, o, s, w)
		mustGet(t, c, "k", "v1")
		mustGet(t, c, "l", "v1")
		k, l := update(c, "k", "K"), update(c, "l", "L")
		ctx, cancel := context.WithTimeout(bg, time.Millisecond)
		defer cancel()
		end := closing(c, ctx)
		w.order(t, 1).store("K")
		gives(t, k, "K")
		_, _ = end.get()
		refused(t, l, freshet.ErrClosed, true)
		require.Equal(t, `"K"`, s.kept("k"))
		require.Equal(t, "-", s.kept("l"))
	})
}

// D4: until the erase that an unknown outcome owes is acknowledged, the Store is
// not asked, and the resource stays.
func TestD4_TheEraseOfAnUnknownOutcome(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, o, w := newShelf(), counting(), &clerk{}
		c := shelvedWrites(t, o, s, w)
		mustGet(t, c, "k", "v1")
		synctest.Wait()
		var mended atomic.Bool
		s.set(func(_ context.Context, call string) error {
			if !mended.Load() && strings.HasPrefix(call, "delete") {
				return errOrigin
			}
			return nil
		})
		m := mutate(c, "k", appends("+a"))
		w.order(t, 1).refuse(freshet.ErrUnknown)
		refused(t, m, freshet.ErrUnknown, true)
		require.NoError(t, c.Remove(bg, "k"))
		looks := s.count("get k")
		mustGet(t, c, "k", "v2")
		require.Equal(t, looks, s.count("get k"))
		require.Equal(t, 2, o.calls())
		mended.Store(true)
		time.Sleep(time.Minute)
		require.Equal(t, `"v2"`, s.kept("k"))
	})
}
