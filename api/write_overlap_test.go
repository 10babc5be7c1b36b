package api_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// Behaviours 11 and 26: a read begun before a commit took off; the Set is
// there so that the commit need not wait for the read.
func TestW4_AReadBegunBeforeACommitIsNeverApplied(t *testing.T) {
	for name, deaf := range map[string]bool{"it heeds its context": false, "it comes back all the same": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, o := &clerk{}, &origin{deaf: deaf}
				c := serveWrites(t, o, w, config{})
				require.NoError(t, c.Set(bg, "k", "v"))
				waiter := get(c, "k", freshet.ForceReload())
				before := o.call(t, 1)
				events := watch(t, c)
				m := mutate(c, "k", appends("+a"))
				require.ErrorIs(t, context.Cause(before.ctx), freshet.ErrSuperseded)
				require.Equal(t, 1, w.orders())
				before.value("old")
				require.True(t, waiter.waiting(), "it waits for what comes after the commit")
				mustGet(t, c, "k", "v+a")
				require.Equal(t, 1, o.calls(), "no read flies beside a commit")

				w.order(t, 1).store("v+a")
				gives(t, m, "v+a")
				require.True(t, waiter.waiting())
				o.call(t, 2).value("new")
				gives(t, waiter, "new")
				mustGet(t, c, "k", "new")
				want := []string{"Optimistic v>v+a", "Dropped v+a>v+a supersession", "Committed v+a>v+a", "Updated v+a>new flight"}
				if !deaf {
					want = append(want[:1], want[2:]...)
				}
				events.tells(t, want...)
			})
		})
	}
}

// A read that is asked for while a commit flies takes off after it.
func TestW4_AReadAskedForDuringACommitFliesAfterIt(t *testing.T) {
	for name, outcome := range map[string]func(*order){
		"committed": func(o *order) { o.store("v+a") },
		"refused":   func(o *order) { o.refuse(errOrigin) },
		"unknown":   func(o *order) { o.refuse(freshet.ErrUnknown) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, o := &clerk{}, &origin{}
				c := serveWrites(t, o, w, config{})
				require.NoError(t, c.Set(bg, "k", "v"))
				m := mutate(c, "k", appends("+a"))
				f, g := c.Reload(bg, "k"), c.Reload(bg, "k")
				require.Same(t, f, g, "F1")
				require.Zero(t, o.calls())
				pending(t, f)
				outcome(w.order(t, 1))
				require.False(t, m.waiting())
				require.Equal(t, 1, o.calls())
				pending(t, f)
				o.call(t, 1).value("new")
				settled(t, f, "new")
				mustGet(t, c, "k", "new")
			})
		})
	}
}

// The third case: a read that began before the commit and would come back after
// it had landed.
func TestW4_AReadThatOutlastsACommitIsDropped(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, &origin{deaf: true}
		c := serveWrites(t, o, w, config{})
		require.NoError(t, c.Set(bg, "k", "v"))
		waiter := get(c, "k", freshet.ForceReload())
		o.calls()
		m := mutate(c, "k", appends("+a"))
		w.order(t, 1).store("v+a")
		gives(t, m, "v+a")
		o.call(t, 1).value("old")
		require.True(t, waiter.waiting())
		mustGet(t, c, "k", "v+a")
		o.call(t, 2).value("new")
		gives(t, waiter, "new")
	})
}

func TestW4_AReadNobodyWaitsForIsNotFlownAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, &origin{deaf: true}
		c := serveWrites(t, o, w, config{Freshness: freshet.Freshness{TTL: time.Second, Stale: time.Hour}})
		require.NoError(t, c.Set(bg, "k", "v"))
		time.Sleep(time.Second)
		mustGet(t, c, "k", "v") // a refresh flies
		require.Equal(t, 1, o.calls())
		m := mutate(c, "k", appends("+a"))
		w.order(t, 1).store("v+a")
		gives(t, m, "v+a")
		o.call(t, 1).value("old")
		mustGet(t, c, "k", "v+a")
		require.Equal(t, 1, o.calls())
	})
}

// Writes must not starve reads: a read that was held up flies between two
// commits, however many are queued.
func TestW4_AStreamOfWritesDoesNotStarveReads(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, &origin{}
		c := serveWrites(t, o, w, config{})
		require.NoError(t, c.Set(bg, "k", "v"))
		const writes = 20
		for range writes {
			mutate(c, "k", appends("+"))
		}
		for n := 1; n < writes; n++ {
			reload := c.Reload(bg, "k")
			require.Equal(t, n-1, o.calls(), "a commit is in the air")
			w.order(t, n).store("w")
			require.Equal(t, n, w.orders(), "the next commit waits for the read")
			pending(t, reload)
			o.call(t, n).value(fmt.Sprint("r", n))
			settled(t, reload, fmt.Sprint("r", n)+strings.Repeat("+", writes-n))
			w.asks(t, n+1, "update", "k", fmt.Sprint("r", n)+"+")
		}
	})
}

// Nor do reads starve writes: one flight between two commits, whatever the
// storm of reloads.
func TestW4_AStormOfReloadsDoesNotStarveWrites(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, &origin{}
		c := serveWrites(t, o, w, config{MaxSupersede: 2})
		require.NoError(t, c.Set(bg, "k", "v"))
		a, b := mutate(c, "k", appends("+a")), mutate(c, "k", appends("+b"))
		c.Reload(bg, "k")
		w.order(t, 1).store("A")
		gives(t, a, "A")
		var last *freshet.Future[string]
		for range 10 {
			last = c.Reload(bg, "k")
			o.calls() // each takes off before the next
		}
		require.Equal(t, 3, o.calls(), "two took over, the rest queue (O4)")
		require.Equal(t, 1, w.orders())
		o.call(t, 3).value("r")
		require.Equal(t, 2, w.orders(), "the commit comes before the follow-up")
		pending(t, last)
		w.asks(t, 2, "update", "k", "r+b").store("B")
		gives(t, b, "B")
		o.call(t, 4).value("end")
		settled(t, last, "end")
	})
}

// Behaviour 26 with a stampede: everyone who waited for the read gets the value
// from after the write, by one more call.
func TestW4_EveryWaiterOfAReadGetsTheValueAfterTheWrite(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, &origin{}
		c := serveWrites(t, o, w, config{})
		var waiters []*reply[string]
		for range 50 {
			waiters = append(waiters, get(c, "k"))
		}
		require.Equal(t, 1, o.calls())
		u := update(c, "k", "mine") // nothing is known; it needs no read
		require.Equal(t, 1, w.orders())
		late := get(c, "k")
		gives(t, late, "mine")
		o.call(t, 1).value("old")
		for _, r := range waiters {
			require.True(t, r.waiting())
		}
		w.order(t, 1).store("mine")
		gives(t, u, "mine")
		o.call(t, 2).value("mine, as it is now")
		for _, r := range waiters {
			gives(t, r, "mine, as it is now")
		}
		require.Equal(t, 2, o.calls())
	})
}

// C3 of a read that is held up: its last waiter leaves.
func TestC3_AHeldReadThatEverybodyLeftIsGivenUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, &origin{}
		c := serveWrites(t, o, w, config{AbortAbandoned: true})
		require.NoError(t, c.Set(bg, "k", "v"))
		m := mutate(c, "k", appends("+a"))
		ctx, leave := context.WithCancel(bg)
		r := ask(func() (string, error) { return c.Get(ctx, "k", freshet.ForceReload()) })
		require.True(t, r.waiting())
		leave()
		require.False(t, r.waiting())
		w.order(t, 1).store("v+a")
		gives(t, m, "v+a")
		require.Zero(t, o.calls())
	})
}

// C3 of a read that a mutation needs: it stays in the air though the last who
// waits for the value, and for the mutation (W6), has left.
func TestC3_AReadThatAMutationNeedsIsNotAbandoned(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, &origin{}
		c := serveWrites(t, o, w, config{AbortAbandoned: true})
		ctx, leave := context.WithCancel(bg)
		m := ask(func() (string, error) { return c.Mutate(ctx, "k", appends("+a")) })
		require.True(t, m.waiting())
		r := ask(func() (string, error) { return c.Get(ctx, "k") })
		require.True(t, r.waiting())
		leave()
		failsWith(t, r, context.Canceled)
		failsWith(t, m, context.Canceled)
		require.NoError(t, o.call(t, 1).ctx.Err())
		o.call(t, 1).value("v")
		w.asks(t, 1, "update", "k", "v+a").store("v+a")
		w.orders()
		mustGet(t, c, "k", "v+a")
		require.Equal(t, 1, o.calls())
	})
}
