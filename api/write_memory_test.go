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
	"github.com/freshet-go/freshet/streams"
)

func TestM2_AResourceWithAPendingMutationIsNotEvicted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &clerk{}
		c := serveWrites(t, counting(), w, config{MaxEntries: 2})
		mustGet(t, c, "k", "v1")
		m := mutate(c, "k", appends("+a"))
		queued := mutate(c, "k", appends("+b"))
		d := erase(c, "d")
		for i := range 20 {
			mustGet(t, c, fmt.Sprint(i), "v1")
		}
		peeksAny(t, c, "k", "v1+a+b")
		synctest.Wait() // the last flight makes room when its waiter is answered already
		require.LessOrEqual(t, c.Len(), 3, "the two, and the newest")
		w.order(t, 1).store("A")
		gives(t, m, "A")
		w.order(t, 2).store("")
		gives(t, d, "")
		w.order(t, 3).store("B")
		gives(t, queued, "B")
		synctest.Wait()
		require.LessOrEqual(t, c.Len(), 2, "M1 holds once they have landed")
	})
}

// peeksAny says what Peek shows, whatever is pending elsewhere.
func peeksAny(t *testing.T, c *freshet.Cache[string], key, want string) {
	t.Helper()
	s, ok := c.Peek(key)
	require.True(t, ok)
	require.Equal(t, want, s.Value)
}

// A commit's barrier outlives the resource: a read that overlapped it, or a Set
// that came before, is not taken for newer after an eviction.
func TestM2_ACommitsBarrierOutlivesItsResource(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := obliging(), &origin{deaf: true}
		c := serveWrites(t, o, w, config{MaxEntries: 1})
		require.NoError(t, c.Set(bg, "k", "v"))
		_ = c.Fetch(bg, "k", freshet.ForceReload())
		o.calls()
		gives(t, mutate(c, "k", appends("+a")), "v+a")
		o.call(t, 2).value("again")
		synctest.Wait()
		require.NoError(t, c.Set(bg, "l", "l"))
		require.NoError(t, c.Set(bg, "m", "m"))
		_, ok := c.Peek("k")
		require.False(t, ok)
		g := get(c, "k")
		require.True(t, g.waiting())
		o.call(t, 1).value("old")
		require.True(t, g.waiting())
		o.call(t, 3).value("new")
		gives(t, g, "new")
	})
}

// MaxWeight counts what is shown, optimistic values included, and comes back to
// what is confirmed. History of one, so that it holds next to nothing.
func TestM1_MaxWeightCountsOptimisticValues(t *testing.T) {
	weigh := func(_ string, v string) uint32 { return uint32(len(v)) }
	heavy := strings.Repeat("x", 900)
	grow := mutation{Apply: func(v string) (string, error) { return v + heavy, nil }}
	for name, k := range map[string]struct {
		write   func(c *freshet.Cache[string]) *reply[string]
		outcome func(*order)
		heavy   bool // when it has ended
	}{
		"update committed":  {func(c *freshet.Cache[string]) *reply[string] { return update(c, "k", heavy) }, func(o *order) { o.store(heavy) }, true},
		"mutate committed":  {func(c *freshet.Cache[string]) *reply[string] { return mutate(c, "k", grow) }, func(o *order) { o.store(heavy) }, true},
		"update refused":    {func(c *freshet.Cache[string]) *reply[string] { return update(c, "k", heavy) }, func(o *order) { o.refuse(errOrigin) }, false},
		"mutate refused":    {func(c *freshet.Cache[string]) *reply[string] { return mutate(c, "k", grow) }, func(o *order) { o.refuse(errOrigin) }, false},
		"mutate unknown":    {func(c *freshet.Cache[string]) *reply[string] { return mutate(c, "k", grow) }, func(o *order) { o.refuse(freshet.ErrUnknown) }, false},
		"answer is lighter": {func(c *freshet.Cache[string]) *reply[string] { return mutate(c, "k", grow) }, func(o *order) { o.store("x") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := &clerk{}
				o := &origin{auto: func(int, freshet.Request[string]) (freshet.Response[string], error) {
					return freshet.Response[string]{Value: "0123456789"}, nil
				}}
				c := serveWrites(t, o, w, config{MaxWeight: 1000, Weigh: weigh, History: 1})
				fill := func() int {
					for i := range 80 {
						mustGet(t, c, fmt.Sprint(i), "0123456789")
					}
					synctest.Wait()
					return c.Len()
				}
				mustGet(t, c, "k", "0123456789")
				r := k.write(c)
				require.Less(t, fill(), 12, "it weighs what it shows")
				k.outcome(w.order(t, 1))
				require.False(t, r.waiting())
				for range 3 {
					_, _ = c.Get(bg, "k") // keep it from going first
				}
				n := fill()
				_, resident := c.Peek("k")
				switch {
				case !k.heavy:
					require.Greater(t, n, 70)
				case resident:
					require.Less(t, n, 12)
				default: // it may have gone when that was nearly done
					require.Greater(t, fill(), 70)
				}
			})
		})
	}
}

// The weight of what is shown is right, whatever the order of things: in the end
// all is evicted, and the sum is nothing.
func TestM1_NoWeightIsLostOrLeftOver(t *testing.T) {
	for name, write := range map[string]func(t *testing.T, c *freshet.Cache[string], w *clerk){
		"remove under an update": func(t *testing.T, c *freshet.Cache[string], w *clerk) {
			u := update(c, "k", heavyValue)
			require.NoError(t, c.Remove(bg, "k"))
			require.Less(t, fillUp(t, c), 12, "the update shows still")
			w.order(t, 1).refuse(errOrigin)
			refused(t, u, errOrigin, false)
		},
		"update over a delete": func(t *testing.T, c *freshet.Cache[string], w *clerk) {
			d, u := erase(c, "k"), update(c, "k", heavyValue)
			w.order(t, 1).store("")
			gives(t, d, "")
			require.Less(t, fillUp(t, c), 12)
			w.order(t, 2).refuse(errOrigin)
			refused(t, u, errOrigin, false)
		},
		"a read that fails": func(t *testing.T, c *freshet.Cache[string], w *clerk) {
			require.NoError(t, c.Invalidate(bg, "k"))
			u := update(c, "k", heavyValue)
			w.order(t, 1).refuse(errOrigin)
			refused(t, u, errOrigin, false)
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := &clerk{}
				c := serveWrites(t, counting(), w, config{
					MaxWeight: 1000, Weigh: func(_ string, v string) uint32 { return uint32(len(v)) }, History: 1,
				})
				require.NoError(t, c.Set(bg, "k", "x"))
				write(t, c, w)
				require.Greater(t, fillUp(t, c), 70)
			})
		})
	}
}

var heavyValue = strings.Repeat("x", 900)

// fillUp sets eighty values of weight 10 and says how many are resident.
func fillUp(t *testing.T, c *freshet.Cache[string]) int {
	t.Helper()
	for i := range 80 {
		require.NoError(t, c.Set(bg, fmt.Sprint(i), "0123456789"))
	}
	synctest.Wait()
	return c.Len()
}

// F11: commits and creates are origin calls.
func TestF11_MaxFlightsBoundsCommitsToo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, &origin{}
		c := serveWrites(t, o, w, config{MaxFlights: 2})
		a, b := update(c, "a", "A"), create(c, "B")
		d, g := erase(c, "d"), get(c, "g")
		require.Equal(t, 2, w.orders())
		m := mutate(c, "m", appends("+"))
		require.Zero(t, o.calls())
		w.order(t, 1).store("A")
		gives(t, a, "A")
		w.asks(t, 3, "delete", "d", "")
		require.Zero(t, o.calls(), "oldest first")
		w.order(t, 2).as("b", "B")
		require.False(t, b.waiting())
		require.Equal(t, 1, o.calls())
		w.order(t, 3).refuse(errOrigin)
		refused(t, d, errOrigin, false)
		o.call(t, 1).value("G")
		gives(t, g, "G")
		o.call(t, 2).value("M")
		w.order(t, 4).store("M+")
		gives(t, m, "M+")
	})
}

// A commit whose turn has not come has no timeout yet, and one that timed out
// gives its place to the next.
func TestF11_ADeafWriterGivesItsPlaceUpAtItsTimeout(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &clerk{deaf: true}
		c := serveWrites(t, counting(), w, config{MaxFlights: 1, Timeout: time.Second})
		began := time.Now()
		a, b := update(c, "a", "A"), update(c, "b", "B")
		<-a.done
		require.Equal(t, time.Second, time.Since(began))
		refused(t, a, freshet.ErrTimeout, true)
		require.True(t, b.waiting())
		time.Sleep(time.Second - 1)
		w.asks(t, 2, "update", "b", "B").store("B")
		gives(t, b, "B")
	})
}

// S11: what is observed is flown again when a commit's end leaves it void, and
// not while one is in the air.
func TestS11_AnObservedResourceUnderCommits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, counting()
		c := serveWrites(t, o, w, config{Freshness: freshet.Freshness{TTL: time.Second}, Timeout: time.Minute})
		ctx, stop := context.WithCancel(bg)
		defer stop()
		sub, err := c.Watch(ctx, streams.Keys("k"), streams.Live())
		require.NoError(t, err)
		defer sub.Close()
		require.Equal(t, 1, o.calls())
		m := mutate(c, "k", appends("+a"))
		time.Sleep(3 * time.Second)
		require.Equal(t, 1, o.calls(), "its TTL ended, but a commit flies")
		peeks(t, c, "k", "v1+a", 1)
		w.order(t, 1).refuse(freshet.ErrUnknown)
		refused(t, m, freshet.ErrUnknown, true)
		require.Equal(t, 2, o.calls(), "at once")
		peeks(t, c, "k", "v2", 0)
		m = mutate(c, "k", appends("+b"))
		w.order(t, 2).store("B")
		gives(t, m, "B")
		time.Sleep(time.Second)
		require.Equal(t, 3, o.calls(), "at the end of the TTL of what was written")
	})
}
