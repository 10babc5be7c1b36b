package api_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// A list that takes long to seed must not be fresh for longer than its members:
// whoever came in between would fetch each of them by itself.
func TestW8_AListIsNoFresherThanItsMembers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newCatalog("a", "b", "c")
		var seeded atomic.Int32
		c := lists(t, s, config{
			Freshness: freshet.Freshness{TTL: time.Minute, Stale: time.Minute},
			Equal: func(a, b string) bool { // every seed but the first load's takes its time
				time.Sleep(time.Second)
				seeded.Add(1)
				return a == b
			},
		})
		l := c.Collection("")
		hasItems(t, l, "a b c")
		_, err := l.Reload(bg).Await(bg)
		require.NoError(t, err)
		require.EqualValues(t, 3, seeded.Load())
		for range 300 {
			time.Sleep(500 * time.Millisecond)
			hasItems(t, l, "a b c")
		}
		for _, call := range s.calls() {
			require.True(t, strings.HasPrefix(call, "list"), "%s: a member was fetched by itself", call)
		}
	})
}

// A record that joins says nothing new of the others: the list ends when it would
// have, and is as old as it was for MaxAge.
func TestW8_AListThatARecordJoinsBecomesNoYounger(t *testing.T) {
	for name, asked := range map[string]struct {
		after        time.Duration // the Create
		enough, more []freshet.FetchOption
	}{
		"TTL": {30*time.Second - 1, nil, nil},
		"MaxAge": {
			0, []freshet.FetchOption{freshet.MaxAge(30*time.Second + 1)}, []freshet.FetchOption{freshet.MaxAge(30 * time.Second)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := newCatalog("a")
				c := lists(t, s, config{Lister: membered{catalog: s}, Freshness: freshet.Freshness{TTL: time.Minute}})
				l := c.Collection("")
				hasItems(t, l, "a")
				time.Sleep(30 * time.Second)
				_, _, err := c.Create(bg, "b")
				require.NoError(t, err)
				time.Sleep(asked.after)
				hasItems(t, l, "a b", asked.enough...)
				require.Equal(t, []string{"list ", "create b"}, s.calls())
				if asked.after > 0 {
					time.Sleep(1)
				}
				hasItems(t, l, "a b", asked.more...)
				require.Equal(t, []string{"list "}, s.calls())
			})
		})
	}
}
