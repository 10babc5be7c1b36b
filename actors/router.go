package actors

import (
	"context"
	"fmt"
	"sync"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// What an actor sends to a resource's PID (Ref). Each is answered with an
// Answer, where it was sent as a request: a message without a sender has its
// effect and no answer.
type (
	// Demand asks for the resource as Get does.
	Demand struct{}
	// Reload asks for what takes off from now on, as Get with ForceReload does.
	Reload struct{}
	// Invalidate declares what is known void (O6).
	Invalidate struct{}
)

// Answer is what a resource answers: its snapshot, or what went wrong.
type Answer[V any] struct {
	Snapshot Snapshot[V]
	Err      error
}

// Ref is the address of a key for actors of the same system. It needs no
// resource to be resident and never goes stale.
func (t *Table[V]) Ref(key string) *actor.PID {
	return actor.NewPID(t.runtime.prefix+t.name, key)
}

var (
	_ actor.Process = (*Table[int])(nil)
	_ actor.Process = (*cell[int])(nil)
)

// SendUserMessage routes an actor's message to the cell of pid's key.
func (t *Table[V]) SendUserMessage(pid *actor.PID, envelope any) {
	_, message, sender := actor.UnwrapEnvelope(envelope)
	var d lifecycle.Demand[*Future[V]]
	switch message.(type) {
	case Demand, *Demand:
	case Reload, *Reload:
		d.Kind = lifecycle.ForceReload
	case Invalidate, *Invalidate:
		err := t.Invalidate(context.Background(), pid.Id)
		s, _ := t.Peek(pid.Id)
		t.answer(sender, Answer[V]{Snapshot: s, Err: err})
		return
	default:
		t.notUnderstood(pid, message, sender)
		return
	}
	a, err := t.ask(context.Background(), pid.Id, &d, oneOwed, nil)
	if err != nil || a.shown != nil || a.future.outcome.Load() != nil {
		t.answer(sender, t.answerOf(pid.Id, a, &d, err))
		return
	}
	if sender == nil {
		return
	}
	t.working.add()
	go func() { // the sender's goroutine must not wait for ours
		defer t.working.done()
		<-a.future.Done()
		t.answer(sender, t.answerOf(pid.Id, a, &d, nil))
	}()
}

// answerOf is the answer to d, which has come or is err.
func (t *Table[V]) answerOf(key string, a answer[V], d *lifecycle.Demand[*Future[V]], err error) Answer[V] {
	if err != nil {
		return Answer[V]{Snapshot: Snapshot[V]{Key: key}, Err: err}
	}
	v, err := t.await(context.Background(), a, d)
	if err != nil {
		s, _ := t.Peek(key)
		return Answer[V]{Snapshot: s, Err: err}
	}
	return Answer[V]{Snapshot: t.snapshot(key, v, t.clock.Now(), false)}
}

func (t *Table[V]) answer(to *actor.PID, a Answer[V]) {
	if to != nil {
		t.runtime.system.Root.Send(to, a)
	}
}

func (t *Table[V]) notUnderstood(pid *actor.PID, message any, sender *actor.PID) {
	if _, ok := message.(*actor.PoisonPill); ok {
		return // a resource lives and dies with its cache
	}
	if sender == nil {
		t.runtime.system.DeadLetter.SendUserMessage(pid, message)
		return
	}
	t.answer(sender, Answer[V]{
		Snapshot: Snapshot[V]{Key: pid.Id},
		Err:      fmt.Errorf("freshet: %s/%s does not understand %T: send Demand, Reload or Invalidate", t.name, pid.Id, message),
	})
}

// SendSystemMessage heeds Watch and Unwatch: a resource ends with its cache,
// and then its watchers are told that it Terminated.
func (t *Table[V]) SendSystemMessage(pid *actor.PID, message any) {
	switch m := message.(type) {
	case *actor.Watch:
		if !t.watchers.add(pid, m.Watcher, t.runtime.lives) {
			t.terminated(watcher{pid.Id, m.Watcher.Address, m.Watcher.Id})
		}
	case *actor.Unwatch:
		t.watchers.remove(pid, m.Watcher)
	}
}

func (t *Table[V]) terminated(w watcher) {
	to := actor.NewPID(w.address, w.id)
	if p, ok := t.runtime.system.ProcessRegistry.Get(to); ok {
		p.SendSystemMessage(to, &actor.Terminated{Who: t.Ref(w.key), Why: actor.TerminatedReason_Stopped})
	}
}

// watchers are the actors that watch resources of one cache. An actor that ends
// does not say so, so whoever has ended is looked for when there are twice as
// many as were left the last time.
type watchers struct {
	mu     sync.Mutex
	set    map[watcher]struct{}
	most   int // how many there may be before that
	closed bool
}

// fewWatchers are not worth a look.
const fewWatchers = 64

type watcher struct{ key, address, id string }

func (w *watchers) add(pid, by *actor.PID, lives func(address, id string) bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false
	}
	if len(w.set) >= max(w.most, fewWatchers) {
		left := make(map[watcher]struct{})
		for one := range w.set {
			if lives(one.address, one.id) {
				left[one] = struct{}{}
			}
		}
		w.set, w.most = left, 2*len(left)
	}
	if w.set == nil {
		w.set = make(map[watcher]struct{})
	}
	w.set[watcher{pid.Id, by.Address, by.Id}] = struct{}{}
	return true
}

func (w *watchers) remove(pid, by *actor.PID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.set, watcher{pid.Id, by.Address, by.Id})
}

// close returns who has to be told.
func (w *watchers) close() map[watcher]struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	set := w.set
	w.set = nil
	return set
}

// Stop does nothing: a resource lives and dies with its cache.
func (t *Table[V]) Stop(*actor.PID) {}

// SendUserMessage has the cell handle a message of its table, in turn.
func (c *cell[V]) SendUserMessage(_ *actor.PID, m any) {
	if m, ok := m.(*message[V]); ok {
		c.tell(m)
	}
}

// SendSystemMessage does nothing: no supervisor watches a cell.
func (c *cell[V]) SendSystemMessage(*actor.PID, any) {}

// Stop evicts the cell, if it may go.
func (c *cell[V]) Stop(*actor.PID) { c.tell(&message[V]{op: opEvict}) }
