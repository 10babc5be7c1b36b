package api_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

func TestW5_CreateIsCachedUnderTheKeyThatTheOriginGave(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, counting()
		c := serveWrites(t, o, w, config{})
		events := watch(t, c)
		r := create(c, "mine")
		require.True(t, r.waiting())
		require.Equal(t, 1, c.Stats().Pending)
		require.Zero(t, c.Len(), "nothing shows before the origin has answered")
		w.asks(t, 1, "create", "", "mine").as("k1", "stored")
		require.False(t, r.waiting())
		require.NoError(t, r.err)
		require.Equal(t, created{"k1", "stored"}, r.v)
		mustGet(t, c, "k1", "stored")
		require.Zero(t, o.calls())
		peeks(t, c, "k1", "stored", 0)
		events.tells(t, "Created ->stored")
	})
}

func TestW5_ARefusedCreateLeavesNothing(t *testing.T) {
	for name, err := range map[string]error{"refused": errOrigin, "unknown": freshet.ErrUnknown} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := &clerk{}
				c := serveWrites(t, counting(), w, config{})
				events := watch(t, c)
				r := create(c, "mine")
				w.order(t, 1).refuse(err)
				require.False(t, r.waiting())
				require.Zero(t, r.v)
				var failed *freshet.WriteError
				require.ErrorAs(t, r.err, &failed)
				require.ErrorIs(t, r.err, err)
				require.Equal(t, err == freshet.ErrUnknown, failed.Unknown)
				require.Zero(t, c.Len())
				require.Zero(t, c.Stats().Pending)
				events.tells(t)
			})
		})
	}
}

func TestW5_CreateAnsweredWithABadKeyReturnsTheRecord(t *testing.T) {
	for name, key := range map[string]string{
		"empty": "", "too long": strings.Repeat("k", 4097), "NUL": "a\x00b", "not UTF-8": "\xff",
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := &clerk{}
				c := serveWrites(t, counting(), w, config{})
				r := create(c, "mine")
				w.order(t, 1).as(key, "stored")
				require.False(t, r.waiting())
				require.Equal(t, created{key, "stored"}, r.v)
				require.ErrorIs(t, r.err, freshet.ErrBadKey)
				var failed *freshet.WriteError
				require.ErrorAs(t, r.err, &failed)
				require.True(t, failed.Unknown, "the origin has it")
				require.Zero(t, c.Len())
				require.Zero(t, c.Stats().Pending)
			})
		})
	}
}

// A Create may meet anything that is under way for the key that it gets.
func TestW5_CreateMeetsAReadInTheAir(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, &origin{deaf: true}
		c := serveWrites(t, o, w, config{})
		before := get(c, "k")
		require.True(t, before.waiting())
		r := create(c, "mine")
		w.order(t, 1).as("k", "stored")
		require.False(t, r.waiting())
		gives(t, before, "stored")
		o.call(t, 1).fail(freshet.ErrNotFound) // it had looked before
		mustGet(t, c, "k", "stored")
		require.Equal(t, 1, o.calls())
	})
}

func TestW5_CreateMeetsARememberedAbsence(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := &origin{auto: func(int, freshet.Request[string]) (freshet.Response[string], error) {
			return freshet.Response[string]{}, freshet.ErrNotFound
		}}
		w := &clerk{auto: func(int, *order) (string, string, error) { return "k", "stored", nil }}
		c := serveWrites(t, o, w, config{Freshness: freshet.Freshness{Missing: time.Hour}})
		_, err := c.Get(bg, "k")
		require.ErrorIs(t, err, freshet.ErrNotFound)
		_, _, err = c.Create(bg, "mine")
		require.NoError(t, err)
		mustGet(t, c, "k", "stored")
	})
}

// The key has a mutation whose commit is in the air: which of the two the
// origin applied last nobody can tell, so neither is the base.
func TestW5_CreateMeetsACommitInTheAir(t *testing.T) {
	for name, createLandsFirst := range map[string]bool{"create lands first": true, "commit lands first": false} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, o := &clerk{}, counting()
				c := serveWrites(t, o, w, config{})
				u := update(c, "k", "updated")
				r := create(c, "created")
				land := []func(){
					func() { w.order(t, 2).as("k", "created"); require.False(t, r.waiting()) },
					func() { w.order(t, 1).store("updated"); gives(t, u, "updated") },
				}
				if !createLandsFirst {
					land[0], land[1] = land[1], land[0]
				}
				land[0]()
				land[1]()
				require.NoError(t, r.err)
				mustGet(t, c, "k", "v1")
				require.Equal(t, 1, o.calls())
			})
		})
	}
}

// The key has a mutation that waits for its read: the record is it.
func TestW5_CreateMeetsAMutationThatWaitsForItsRead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, &origin{deaf: true}
		c := serveWrites(t, o, w, config{})
		m := mutate(c, "k", appends("+a"))
		require.Equal(t, 1, o.calls())
		r := create(c, "mine")
		w.order(t, 1).as("k", "stored")
		require.False(t, r.waiting())
		mustGet(t, c, "k", "stored+a")
		w.asks(t, 2, "update", "k", "stored+a").store("end")
		gives(t, m, "end")
	})
}

// What was read, set or invalidated while the Create was under way may be older
// or younger than the record: it is read.
func TestW5_CreateMeetsWhatCameWhileItWasUnderWay(t *testing.T) {
	for name, k := range map[string]struct {
		meanwhile func(c *freshet.Cache[string]) error
		told      []string
	}{
		"a Set": {
			func(c *freshet.Cache[string]) error { return c.Set(bg, "k", "set") },
			[]string{"Loaded ->set set", "Created set>set", "Updated set>v1 flight"},
		},
		"an invalidation": {
			func(c *freshet.Cache[string]) error { return c.Invalidate(bg, "k") },
			[]string{"Created ->stored", "Updated stored>v1 flight"},
		},
		"a read": {
			func(c *freshet.Cache[string]) error { _, err := c.Get(bg, "k"); return err },
			[]string{"Loaded ->v1 flight", "Created v1>v1", "Updated v1>v2 flight"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, o := &clerk{}, counting()
				c := serveWrites(t, o, w, config{})
				events := watch(t, c)
				r := create(c, "a")
				require.NoError(t, k.meanwhile(c))
				reads := o.calls()
				w.order(t, 1).as("k", "stored")
				require.False(t, r.waiting())
				require.Equal(t, created{"k", "stored"}, r.v)
				mustGet(t, c, "k", fmt.Sprint("v", reads+1))
				events.tells(t, k.told...)
			})
		})
	}
}

// A read that took off after the invalidation, and may have been before the
// record was made, is in the air when the origin answers.
func TestW5_CreateMeetsAReadThatOutlastsIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, &origin{deaf: true}
		c := serveWrites(t, o, w, config{})
		r := create(c, "a")
		require.NoError(t, c.Invalidate(bg, "k"))
		g := get(c, "k")
		require.Equal(t, 1, o.calls())
		w.order(t, 1).as("k", "stored")
		require.False(t, r.waiting())
		o.call(t, 1).value("older")
		require.True(t, g.waiting())
		o.call(t, 2).value("stored")
		gives(t, g, "stored")
	})
}

// Nothing but the Create is older than the read: that began while the origin made
// the record, may have come before, and is made again for those who wait.
func TestW5_CreateMeetsAReadThatBeganAfterIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, &origin{deaf: true}
		c := serveWrites(t, o, w, config{Freshness: freshet.Freshness{Missing: time.Hour}})
		r := create(c, "mine")
		g := get(c, "k")
		require.Equal(t, 1, o.calls())
		w.order(t, 1).as("k", "stored")
		require.False(t, r.waiting())
		require.Equal(t, created{"k", "stored"}, r.v)
		require.True(t, g.waiting(), "nobody knows whether the record has changed since")
		o.call(t, 1).fail(freshet.ErrNotFound)
		require.True(t, g.waiting())
		o.call(t, 2).value("changed since")
		gives(t, g, "changed since")
		mustGet(t, c, "k", "changed since")
	})
}

// A read that was not to be kept has seen what the origin had later than the
// record, and leaves nothing behind to compare it with.
func TestW5_CreateMeetsAReadThatWasNotKept(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &clerk{}
		o := &origin{auto: func(int, freshet.Request[string]) (freshet.Response[string], error) {
			return freshet.Response[string]{Value: "changed since", TTL: -1}, nil
		}}
		c := serveWrites(t, o, w, config{})
		r := create(c, "mine")
		mustGet(t, c, "k", "changed since")
		w.order(t, 1).as("k", "stored")
		require.False(t, r.waiting())
		require.NoError(t, r.err)
		mustGet(t, c, "k", "changed since")
	})
}

// A read that was kept, and then had to make room, has seen it too.
func TestW5_CreateMeetsAReadThatWasEvicted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &clerk{}
		o := &origin{auto: func(int, freshet.Request[string]) (freshet.Response[string], error) {
			return freshet.Response[string]{Value: "changed since"}, nil
		}}
		c := serveWrites(t, o, w, config{MaxEntries: 1})
		r := create(c, "mine")
		mustGet(t, c, "k", "changed since")
		synctest.Wait() // its flight has landed, and would keep it a moment longer (M2)
		require.NoError(t, c.Set(t.Context(), "other", "x"))
		_, resident := c.Peek("k")
		require.False(t, resident)
		w.order(t, 1).as("k", "stored")
		require.False(t, r.waiting())
		require.NoError(t, r.err)
		mustGet(t, c, "k", "changed since")
	})
}

// What other keys' reads make room for, and what of them is not kept, is no reason to
// read what was created, nor what a list brings.
func TestW5_CreateStaysWhateverElseDeparts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &clerk{}
		o := &origin{auto: func(_ int, r freshet.Request[string]) (freshet.Response[string], error) {
			if r.Key == "member" {
				t.Error("it was fetched by itself, and the list brings it")
			}
			var ttl time.Duration
			if strings.HasPrefix(r.Key, "passing") {
				ttl = -1
			}
			return freshet.Response[string]{Value: "read", TTL: ttl}, nil
		}}
		listed := make(chan struct{})
		c := serveWrites(t, o, w, config{MaxEntries: 100, Lister: answering(func(context.Context, string) ([]freshet.Item[string], error) {
			<-listed
			return []freshet.Item[string]{{Key: "member", Value: "listed"}}, nil
		})})
		r := create(c, "mine")
		items := make(chan []freshet.Item[string], 1)
		go func() {
			got, _ := c.Collection("q").Get(bg)
			items <- got
		}()
		for i := range 5000 {
			mustGet(t, c, fmt.Sprint("passing", i%200), "read")
			mustGet(t, c, fmt.Sprint("other", i%2000), "read")
		}
		w.order(t, 1).as("k", "stored")
		require.False(t, r.waiting())
		mustGet(t, c, "k", "stored")
		close(listed)
		require.Equal(t, []freshet.Item[string]{{Key: "member", Value: "listed"}}, <-items)
	})
}

// A Create that the origin answers after its timeout: whatever is known under
// its key is from before.
func TestW5_ACreateThatCameLateVoidsItsKey(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &clerk{deaf: true}
		o := &origin{auto: func(n int, r freshet.Request[string]) (freshet.Response[string], error) {
			if n == 1 {
				return freshet.Response[string]{}, freshet.ErrNotFound
			}
			return freshet.Response[string]{Value: "mine"}, nil
		}}
		c := serveWrites(t, o, w, config{Timeout: time.Second, Freshness: freshet.Freshness{Missing: time.Hour}})
		_, _, err := c.Create(bg, "mine")
		require.ErrorIs(t, err, freshet.ErrTimeout)
		_, err = c.Get(bg, "k")
		require.ErrorIs(t, err, freshet.ErrNotFound)
		w.order(t, 1).as("k", "mine")
		synctest.Wait()
		mustGet(t, c, "k", "mine")
	})
}
