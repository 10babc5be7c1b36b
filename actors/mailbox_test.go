package actors

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// held makes the mailbox busy, as if another sender ran it.
func held(t *testing.T, c *cell[int]) {
	t.Helper()
	require.True(t, c.mail.top.CompareAndSwap(nil, busy(c)))
}

// chain is a Set that is taken only if the one before it was the last thing
// that happened: the values are the order.
func chain(table *Table[int], n int) (letters []*message[int]) {
	start := table.numbers.Load()
	for i := range n {
		k := lifecycle.Knowledge[int]{Known: lifecycle.Present, Value: i + 1}
		if i > 0 {
			k.Against = start + 2*uint64(i)
		}
		letters = append(letters, &message[int]{op: opSet, knowledge: k})
	}
	return letters
}

// later is a dispatcher that runs nothing before it is told to.
type later struct{ jobs []func() }

func (d *later) Schedule(f func()) { d.jobs = append(d.jobs, f) }
func (d *later) Throughput() int   { return throughput }

func TestMailbox_OrderAndBoundedDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := testTable(t, Config[int]{}, nil)
		rest := &later{}
		table.dispatcher = rest
		c := cellOf(t, table, "k")
		letters := chain(table, 3*throughput)
		held(t, c)
		var returned []int
		var mu sync.Mutex
		for i, m := range letters {
			go func() {
				c.send(m)
				mu.Lock()
				returned = append(returned, i)
				mu.Unlock()
			}()
			synctest.Wait() // it has posted its letter, and waits
		}
		require.Empty(t, returned, "a sender came back before its turn")

		c.drain(throughput)
		synctest.Wait()
		require.Equal(t, throughput, c.shown.Load().Value, "not more than its share, oldest first")
		require.Len(t, returned, throughput)
		require.Len(t, rest.jobs, 1, "the rest is handed over")
		require.NotNil(t, c.mail.top.Load(), "and the mailbox stays busy")

		rest.jobs[0]()
		synctest.Wait()
		require.Equal(t, len(letters), c.shown.Load().Value)
		require.Len(t, returned, len(letters))
		require.Nil(t, c.mail.top.Load(), "idle again")
		for i, m := range letters {
			require.False(t, m.again, "letter %d was out of order", i)
		}
	})
}

func TestMailbox_WhoFindsItIdleMeanwhileRunsIt(t *testing.T) {
	table := testTable(t, Config[int]{}, nil)
	c := cellOf(t, table, "k")
	l := &letter[int]{message: *chain(table, 1)[0]}
	require.True(t, c.post(l), "nobody runs it: the poster has to")
	second := &letter[int]{message: message[int]{op: opExpire}}
	require.False(t, c.post(second), "somebody does")
	c.drain(throughput)
	l.wait()
	second.wait()
	require.Nil(t, c.mail.top.Load())
	require.Equal(t, 1, c.shown.Load().Value)
}

func TestMailbox_WhoWaitsLongSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := testTable(t, Config[int]{}, nil)
		c := cellOf(t, table, "k")
		held(t, c)
		l := &letter[int]{message: *chain(table, 1)[0]}
		require.False(t, c.post(l))
		awake := false
		go func() { l.wait(); awake = true }()
		synctest.Wait() // durably blocked: it has given up yielding
		require.Equal(t, awaited, l.state.Load())
		require.False(t, awake)
		c.drain(throughput)
		synctest.Wait()
		require.True(t, awake)
		require.Equal(t, handled, l.state.Load())
	})
}

func TestMailbox_TellDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := testTable(t, Config[int]{}, nil)
		c := cellOf(t, table, "k")
		held(t, c)
		c.tell(chain(table, 1)[0])
		require.Nil(t, c.shown.Load())
		c.drain(throughput)
		require.Equal(t, 1, c.shown.Load().Value)
		c.SendUserMessage(nil, &message[int]{op: opInvalidate}) // idle: a goroutine runs it
		synctest.Wait()
		require.True(t, c.shown.Load().Void)
	})
}

func TestStressMailbox_HandledWhenSendReturns(t *testing.T) {
	table := testTable(t, Config[int]{}, nil)
	require.NoError(t, table.Put(context.Background(), "k", Response[int]{Value: 7}))
	c := cellOf(t, table, "k")
	const senders, each, tenth = 8, 2000, 10
	var wg sync.WaitGroup
	for range senders {
		wg.Go(func() {
			for i := range each {
				m := message[int]{op: opDemand, ctx: context.Background()}
				c.send(&m)
				if m.answer == nil {
					t.Error("send returned and its message was not handled")
					return
				}
				c.tell(&message[int]{op: opInvalidate, ctx: context.Background()})
				if i%tenth == 0 {
					c.tell(&message[int]{op: opObserve, ctx: context.Background()})
				}
				_ = table.Put(context.Background(), "k", Response[int]{Value: 7})
			}
		})
	}
	wg.Wait()
	// The last Put of each sender came after what he told: all has been handled.
	unobserve := func() { c.send(&message[int]{op: opUnobserve, ctx: context.Background()}) }
	for range senders*each/tenth - 1 {
		unobserve()
	}
	require.True(t, c.life.Pinned(), "no Observe was lost")
	unobserve()
	require.False(t, c.life.Pinned(), "and none was handled twice")
	require.NoError(t, table.Close(context.Background()))
	require.Nil(t, c.mail.top.Load())
}

// F0: whoever comes while a follow-up is queued joins it without a message: here
// the mailbox is taken, and would keep one who asks.
func TestF0_WhoComesWhileAFollowUpIsQueuedJoinsItUnasked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lands := make(chan int)
		table := testTable(t, Config[int]{Reload: ReloadQueue}, func(context.Context, string) (int, error) { return <-lands, nil })
		first := table.Fetch(t.Context(), "k")
		require.NoError(t, table.Invalidate(t.Context(), "k"))
		second := table.Fetch(t.Context(), "k")
		require.NotSame(t, first, second, "O6")
		c := cellOf(t, table, "k")
		held(t, c)
		var third *Future[int]
		go func() { third = table.Fetch(t.Context(), "k") }()
		synctest.Wait()
		unasked := third
		c.drain(throughput)
		lands <- 1
		lands <- 2
		synctest.Wait()
		require.Same(t, second, unasked)
		v, err := first.Result()
		require.NoError(t, err)
		require.Equal(t, 1, v)
		v, err = second.Result()
		require.NoError(t, err)
		require.Equal(t, 2, v)
	})
}
