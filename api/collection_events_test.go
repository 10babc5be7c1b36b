package api_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/streams"
)

// listRecord keeps the events of a list.
type listRecord struct {
	mu    sync.Mutex
	lines []string
}

func watchList(t *testing.T, l *freshet.Collection[string], opts ...streams.Option) *listRecord {
	t.Helper()
	sub, err := l.Watch(bg, append(opts, streams.OnOverflow(streams.DropOldest))...)
	require.NoError(t, err)
	r := &listRecord{}
	keys := func(v *[]string) string {
		if v == nil {
			return "-"
		}
		return "[" + strings.Join(*v, " ") + "]"
	}
	go func() {
		for e, err := range sub.Events() {
			if err != nil {
				return
			}
			if e.Kind == streams.Bookmark {
				continue
			}
			r.mu.Lock()
			r.lines = append(r.lines, strings.TrimSpace(fmt.Sprintf("%s %v %s>%s %s", e.Key, e.Kind, keys(e.Before), keys(e.After), e.Reason)))
			r.mu.Unlock()
		}
	}()
	return r
}

func (r *listRecord) tells(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	require.Equal(t, want, r.lines)
	r.lines = nil
}

// What happens to a member is told once, by Cache.Watch; the list tells of its
// order and membership alone.
func TestW8_AMembersChangeIsToldOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("a", "b")
		c := lists(t, s, config{Lister: membered{catalog: s}})
		l := c.Collection("")
		members, list := watch(t, c), watchList(t, l)
		hasItems(t, l, "a b")
		members.tells(t, "Loaded ->a list", "Loaded ->b list")
		list.tells(t, "? Loaded ->[k1 k2] flight")

		mustSet(t, c, "k1", "A")
		members.tells(t, "Updated a>A set")
		list.tells(t)

		_, err := c.Update(bg, "k1", "AA")
		require.NoError(t, err)
		members.tells(t, "Optimistic A>AA", "Committed AA>AA")
		list.tells(t)

		w := s.stall(&s.before, "delete")
		deleting := ask(func() (string, error) { return "", c.Delete(bg, "k1") })
		require.True(t, deleting.waiting())
		members.tells(t, "Optimistic AA>-")
		list.tells(t)
		w.pass(t, 1, errDenied)
		require.False(t, deleting.waiting())
		members.tells(t, "RolledBack ->AA")
		list.tells(t)

		s.before = nil
		require.NoError(t, c.Delete(bg, "k1"))
		members.tells(t, "Optimistic AA>-", "Deleted ->-")
		list.tells(t, "? Updated [k1 k2]>[k2] member")

		_, _, err = c.Create(bg, "c")
		require.NoError(t, err)
		members.tells(t, "Created ->c")
		list.tells(t, "? Updated [k2]>[k2 k3] member")

		s.put("k2", "")
		s.put("k2", "B")
		_, err = l.Reload(bg).Await(bg)
		require.NoError(t, err)
		members.tells(t, "Revalidated c>c list", "Updated b>B list")
		list.tells(t, "? Updated [k2 k3]>[k3 k2] flight")
		_, err = l.Reload(bg).Await(bg)
		require.NoError(t, err)
		list.tells(t, "? Revalidated [k3 k2]>[k3 k2] flight")
		require.NoError(t, l.Invalidate(bg))
		list.tells(t, "? Invalidated [k3 k2]>[k3 k2]")
	})
}

func TestW8_S_AWatchOfAListIsOfThatListAlone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("a", "b")
		c := lists(t, s, config{})
		hasItems(t, c.Collection("a"), "a")
		snapshot := watchList(t, c.Collection("a"), streams.WithSnapshot())
		snapshot.tells(t, "?a Loaded ->[k1]", " Synced ->-"[1:])
		hasItems(t, c.Collection("b"), "b")
		snapshot.tells(t)
		sub, err := c.Collection("a").Watch(nil) //nolint:staticcheck // nil is Background
		require.NoError(t, err)
		members, err := c.Watch(bg)
		require.NoError(t, err)
		mustSet(t, c, "k1", "a2")
		e, err := members.Next(bg)
		require.NoError(t, err)
		_, err = c.Collection("a").Watch(bg, streams.Since(e.Token()))
		require.ErrorIs(t, err, streams.ErrEpoch, "lists have revisions of their own")
		require.Equal(t, 3, c.Stats().Subscriptions+2)
		require.NoError(t, c.Close(bg))
		_, err = sub.Next(bg)
		require.ErrorIs(t, err, streams.ErrClosed)
		_, err = c.Collection("a").Watch(bg)
		require.ErrorIs(t, err, freshet.ErrClosed)
	})
}

// A list can be live: it is loaded, and kept so.
func TestW8_S11_ALiveList(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("a")
		c := lists(t, s, config{})
		l := c.Collection("")
		r := watchList(t, l, streams.Live())
		r.tells(t, "? Loaded ->[k1] flight")
		_, _, err := c.Create(bg, "b") // no Membership: it is read anew, unasked
		require.NoError(t, err)
		r.tells(t, "? Invalidated [k1]>[k1]", "? Updated [k1]>[k1 k2] flight")
		require.Equal(t, []string{"list ", "create b", "list "}, s.calls())
	})
}

// Whose events they are the collection says: a list that was asked for by another
// query must not come along.
func TestW8_S_AWatchOfAListTakesNeitherKeysNorPrefix(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := lists(t, newCatalog("a"), config{})
		l := c.Collection("a")
		for name, k := range map[string]struct {
			opts []streams.Option
			want []string
		}{
			"Keys":             {[]streams.Option{streams.Keys("?b")}, []string{"Keys: "}},
			"Keys of its own":  {[]streams.Option{streams.Keys("?a")}, []string{"Keys: "}},
			"no Keys":          {[]streams.Option{streams.Keys()}, []string{"Keys: "}},
			"Prefix":           {[]streams.Option{streams.Prefix("?")}, []string{"Prefix: "}},
			"the empty Prefix": {[]streams.Option{streams.Prefix("")}, []string{"Prefix: "}},
			"all that is wrong": {
				[]streams.Option{streams.Keys("?b"), streams.Prefix("?"), streams.Kinds()}, []string{"Keys: ", "Prefix: ", "Kinds: "},
			},
		} {
			sub, err := l.Watch(bg, k.opts...)
			require.Nil(t, sub, name)
			require.ErrorContains(t, err, "freshet: test: subscribe: ", name)
			for _, want := range k.want {
				require.Equal(t, 1, strings.Count(err.Error(), want), "%s: %v", name, err)
			}
		}
		sub, err := l.Watch(bg, streams.Live(), streams.Kinds(streams.Loaded))
		require.NoError(t, err)
		sub.Close()
	})
}
