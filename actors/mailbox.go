package actors

import (
	"math"
	"sync/atomic"
)

// throughput is how many of other senders' messages one sender handles before
// it hands the mailbox to a goroutine.
const throughput = 16

// mailbox runs a cell's messages one at a time, in the order in which they
// were posted. It is one word: nil is idle, otherwise whoever runs it has put
// the busy mark there and others push their letters on top.
//
// A sender runs the mailbox itself when it is idle, which costs two atomic
// operations, in and out; otherwise it waits until its message was handled. So a
// message has taken effect when send returns.
type mailbox[V any] struct{ top atomic.Pointer[letter[V]] }

// busy marks a mailbox that somebody runs.
func busy[V any](c *cell[V]) *letter[V] { return &c.table.busy }

// send has m handled and returns then. The results are in m.
func (c *cell[V]) send(m *message[V]) {
	if c.mail.top.CompareAndSwap(nil, busy(c)) {
		c.handle(m)
		c.drain(throughput)
		return
	}
	l := &letter[V]{message: *m}
	if c.post(l) {
		c.drain(throughput) // it became idle meanwhile: l is in there
	}
	l.wait()
	*m = l.message
}

// tell has m handled without waiting for it, as an actor.Process has to.
func (c *cell[V]) tell(m *message[V]) {
	if c.post(&letter[V]{message: *m}) {
		c.schedule(nil)
	}
}

// post puts l on top, and says true where the caller has to run the mailbox.
func (c *cell[V]) post(l *letter[V]) (run bool) {
	for {
		top := c.mail.top.Load()
		if l.next = top; top == nil {
			l.next = busy(c)
		}
		if c.mail.top.CompareAndSwap(top, l) {
			return top == nil
		}
	}
}

// drain handles what others posted until nothing is left, or, after most
// letters, hands the rest to a goroutine of the dispatcher.
func (c *cell[V]) drain(most int) {
	for !c.mail.top.CompareAndSwap(busy(c), nil) {
		first := oldestFirst(c.mail.top.Swap(busy(c)), busy(c))
		for ; first != nil && most > 0; most-- {
			next := first.next
			c.handle(&first.message)
			first.answer()
			first = next
		}
		if most <= 0 {
			c.schedule(first)
			return
		}
	}
}

// schedule has a goroutine handle the letters from first on and then what else
// there is. The mailbox is marked busy.
func (c *cell[V]) schedule(first *letter[V]) {
	t := c.table
	t.working.add()
	t.dispatcher.Schedule(func() {
		defer t.working.done()
		for ; first != nil; first = first.next {
			c.handle(&first.message)
			first.answer()
		}
		c.drain(math.MaxInt)
	})
}

// oldestFirst turns the letters above the busy mark round.
func oldestFirst[V any](top, mark *letter[V]) (first *letter[V]) {
	for top != nil && top != mark {
		next := top.next
		top.next = first
		first, top = top, next
	}
	return first
}
