package streams

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// pump runs sources on goroutines of their own, for the operators that wait for more than one thing: Debounce, Buffer,
// Merge. The trouble is their end. A reader who leaves his loop must unwind sources that sleep, and all the pump has of
// a source is a function. So the pump makes its yields known, a subscription that is ranged over looks whether the
// yield it was given is a pump's, and then hands the pump its Close. The operators of this package pass the question
// on; see relay. A source that is none of ours, or hides behind an adaptor that is none of ours, ends when it yields
// next.
type pump[V any] struct {
	items chan pumped[V]
	stop  chan struct{} // closed by close
	quit  chan struct{} // closed by a pump further down, whose reader left
	once  sync.Once
	subs  []*sources
	begun sync.WaitGroup // the goroutines that have not got so far as to call their source
}

// beginning is how long a source that was called and has neither yielded nor said how it is interrupted may still be
// about to say so: one of ours does before it waits for anything.
const beginning = 10 * time.Millisecond

// pumped is what a source yielded, or that it has ended.
type pumped[V any] struct {
	event    Event[V]
	err      error
	from     int
	end      bool
	panicked any // with what, where end is for a panic
}

// sources is what one pumped source rests on.
type sources struct {
	done  chan struct{}
	known chan struct{} // closed when it is known whether it can be interrupted
	once  sync.Once

	mu         sync.Mutex
	stopped    bool
	interrupts []func()
}

// pumping knows the yields of all pumps that run. It is empty nearly always, and count says so without the lock.
var pumping struct {
	count atomic.Int64
	mu    sync.Mutex
	of    map[unsafe.Pointer]owned
}

// owned keeps the function alive, and in one place, for as long as its identity is in the table.
type owned struct {
	sources *sources
	yield   any
}

// identity is the closure behind a function value. Functions can't be compared, and there is no other way to know one
// again; the table holds the function itself as well, so no other can come to lie in its place.
func identity[T any](yield func(T, error) bool) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Pointer(&yield))
}

func register[T any](yield func(T, error) bool, s *sources) (unregister func()) {
	id := identity(yield)
	pumping.mu.Lock()
	defer pumping.mu.Unlock()
	if pumping.of == nil {
		pumping.of = make(map[unsafe.Pointer]owned)
	}
	pumping.of[id] = owned{sources: s, yield: yield}
	pumping.count.Add(1)
	return func() {
		pumping.mu.Lock()
		defer pumping.mu.Unlock()
		delete(pumping.of, id)
		pumping.count.Add(-1)
	}
}

func sourcesOf[T any](yield func(T, error) bool) *sources {
	if pumping.count.Load() == 0 {
		return nil
	}
	pumping.mu.Lock()
	defer pumping.mu.Unlock()
	return pumping.of[identity(yield)].sources
}

// attach hands interrupt to the pump that yield belongs to, if it does.
func attach[T any](yield func(T, error) bool, interrupt func()) {
	if s := sourcesOf(yield); s != nil {
		s.add(interrupt)
	}
}

// relay lets an operator stand between a pump and its source: inner is to the source what outer is to the operator.
// The answer is to be called when the source has returned.
func relay[T, U any](outer func(T, error) bool, inner func(U, error) bool) (done func()) {
	if s := sourcesOf(outer); s != nil {
		return register(inner, s)
	}
	return func() {}
}

func (s *sources) add(interrupt func()) {
	s.mu.Lock()
	stopped := s.stopped
	if !stopped {
		s.interrupts = append(s.interrupts, interrupt)
	}
	s.mu.Unlock()
	s.know()
	if stopped {
		interrupt()
	}
}

// know is called when the source has attached, yielded or ended, whichever comes first.
func (s *sources) know() { s.once.Do(func() { close(s.known) }) }

// interrupt ends the source where it can be ended, and reports whether it can.
func (s *sources) interrupt() bool {
	s.mu.Lock()
	s.stopped = true
	all := s.interrupts
	s.mu.Unlock()
	for _, interrupt := range all {
		interrupt()
	}
	return len(all) > 0
}

// startPump runs every seq on a goroutine. The caller takes from it until all have ended, or leaves, and closes it in
// either case. It must make the pump known to yield, with attach, where it has one.
func startPump[V any](seqs ...iter.Seq2[Event[V], error]) *pump[V] {
	p := &pump[V]{items: make(chan pumped[V]), stop: make(chan struct{}), quit: make(chan struct{})}
	p.begun.Add(len(seqs))
	for i, seq := range seqs {
		s := &sources{done: make(chan struct{}), known: make(chan struct{})}
		p.subs = append(p.subs, s)
		go p.run(i, seq, s)
	}
	return p
}

func (p *pump[V]) run(i int, seq iter.Seq2[Event[V], error], s *sources) {
	defer close(s.done)
	defer s.know()
	end := pumped[V]{from: i, end: true}
	returned := false
	defer func() {
		if end.panicked = recover(); end.panicked == nil && !returned {
			p.send(pumped[V]{err: ErrGoexit, from: i}) // not to be taken for an end like any other
		}
		p.send(end) // a panic too: the reader's loop is where it belongs
	}()
	yield := func(e Event[V], err error) bool {
		s.know()
		return p.send(pumped[V]{event: e, err: err, from: i})
	}
	defer register(yield, s)()
	p.begun.Done()
	seq(yield)
	returned = true
}

func (p *pump[V]) send(item pumped[V]) bool {
	select {
	case p.items <- item:
		return true
	case <-p.stop:
		return false
	}
}

// next is the next item. due: there is none yet, but the time has come. ok is false when the reader further down left.
func (p *pump[V]) next(when <-chan time.Time) (item pumped[V], due, ok bool) {
	select {
	case item = <-p.items:
		if item.panicked != nil {
			panic(item.panicked)
		}
		return item, false, true
	case <-when:
		return item, true, true
	case <-p.quit:
		return item, false, false
	}
}

// interrupt makes next answer false.
func (p *pump[V]) interrupt() { p.once.Do(func() { close(p.quit) }) }

// close unwinds the sources and waits for those that can be interrupted. A reader who leaves at the first event may be
// here before another source has begun, and it is only then that this one can say how to interrupt it.
func (p *pump[V]) close() {
	close(p.stop)
	p.begun.Wait()
	over, end := context.WithTimeout(context.Background(), beginning)
	defer end()
	var ending []*sources
	for _, s := range p.subs {
		select {
		case <-s.known:
		case <-over.Done():
		}
		if s.interrupt() {
			ending = append(ending, s)
		}
	}
	for _, s := range ending { // all at once: each may have some of its own to wait for
		<-s.done
	}
}
