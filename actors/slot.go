package actors

import (
	"reflect"
	"sync/atomic"
	"unsafe"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// indexSlot is what a hit touches, half a line of memory. It is empty, a grave, or a
// cell's.
//
// What a hit is answered with is one word, and until is when that ends. Who wants to
// show another word hides the one that is there, has the cell show the new one, and
// shows it here then; a reader looks at until first. So the word that he reads was
// shown while he looked, and he reads none that others saw replaced before he began.
type indexSlot struct {
	head, tail atomic.Uint64 // the name; a writer stores the tail last
	until      atomic.Int64  // an Instant; 0: ask the cell
	word       uint64        // atomically; of a pointerSlot an unsafe.Pointer
}

// pointerSlot is an indexSlot whose word the collector has to see. The two are alike
// but for that: makeSlots knows which they are, and all else takes them for the first.
type pointerSlot struct {
	_    [3]atomic.Uint64
	word [8 / unsafe.Sizeof(uintptr(0))]unsafe.Pointer
}

var _ [unsafe.Sizeof(indexSlot{})]byte = [unsafe.Sizeof(pointerSlot{})]byte{}

// content says what the word of a slot is.
type content uint8

const (
	version content = iota // a *lifecycle.Version: a value takes more than a word
	pointer                // the value, which is one
	number                 // the value, 8 bytes at most without a pointer
)

// contentOf is version but for values that are a word themselves: these are
// answered without a look at the version.
func contentOf[V any]() content {
	t := reflect.TypeFor[V]()
	switch {
	case !hasPointers(t) && t.Size() <= unsafe.Sizeof(indexSlot{}.word):
		return number
	case hasPointers(t) && t.Size() == unsafe.Sizeof(uintptr(0)):
		return pointer
	}
	return version
}

// hasPointers says whether a value of type t has any.
func hasPointers(t reflect.Type) bool {
	switch kind := t.Kind(); kind {
	case reflect.Array:
		return t.Len() > 0 && hasPointers(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if hasPointers(t.Field(i).Type) {
				return true
			}
		}
		return false
	default:
		return kind < reflect.Bool || kind > reflect.Complex128
	}
}

// nilValue stands for a value that is nil, in slots of pointers: there nil is nothing.
var nilValue byte

// makeSlots makes n of them, whose words hold that.
func makeSlots(n int, holds content) []indexSlot {
	var slots []indexSlot
	if holds == number {
		slots = make([]indexSlot, n)
	} else {
		slots = unsafe.Slice((*indexSlot)(unsafe.Pointer(unsafe.SliceData(make([]pointerSlot, n)))), n)
	}
	// Memory that the system has just given is zero, and shared, until it is written:
	// read before, each page of it would cost two faults, and the second interrupts
	// the other processors.
	for i := 0; i < n; i += page {
		slots[i].head.Store(0)
	}
	return slots
}

const page = 4096 / int(unsafe.Sizeof(indexSlot{})) // of memory, in slots

func (s *indexSlot) pointer() *unsafe.Pointer { return (*unsafe.Pointer)(unsafe.Pointer(&s.word)) }

// hide has readers ask the cell.
func (s *indexSlot) hide() {
	if s.until.Load() != 0 {
		s.until.Store(0)
	}
}

// forget lets go of what was shown. It follows hide.
func (s *indexSlot) forget(holds content) {
	if holds != number && atomic.LoadPointer(s.pointer()) != nil {
		atomic.StorePointer(s.pointer(), nil)
	}
}

// preset has p, which nobody else sees yet, hold v. To store that atomically takes
// several times as long.
func preset[T any](p *atomic.Pointer[T], v *T) { *(**T)(unsafe.Pointer(p)) = v }

var _ [unsafe.Sizeof(atomic.Pointer[indexSlot]{})]byte = [unsafe.Sizeof(uintptr(0))]byte{}

// take makes s, which nobody else sees yet, the slot of the name n, and answer what
// from does. It writes without atomics: those cost most of a move.
func (s *indexSlot) take(from *indexSlot, n name, holds content) {
	*(*name)(unsafe.Pointer(&s.head)) = n
	*(*int64)(unsafe.Pointer(&s.until)) = from.until.Load()
	if holds == number {
		s.word = atomic.LoadUint64(&from.word)
	} else {
		*s.pointer() = atomic.LoadPointer(from.pointer())
	}
}

// showIn has readers of s, which is hidden, answered with v until it ends. What is
// void is no answer, nor is what has ended now (a write that was rolled back leaves
// that): neither for those who looked at until before it was hidden, and so saw the
// end of another.
func showIn[V any](s *indexSlot, v *lifecycle.Version[V, *Future[V]], holds content, now lifecycle.Instant) {
	if v == nil || v.Known != lifecycle.Present || v.Void || v.HitEnd <= now {
		s.forget(holds)
		return
	}
	switch holds {
	case version:
		atomic.StorePointer(s.pointer(), unsafe.Pointer(v))
	case pointer:
		p := *(*unsafe.Pointer)(unsafe.Pointer(&v.Value))
		if p == nil {
			p = unsafe.Pointer(&nilValue)
		}
		atomic.StorePointer(s.pointer(), p)
	case number:
		var word uint64
		*(*V)(unsafe.Pointer(&word)) = v.Value
		atomic.StoreUint64(&s.word, word)
	}
	s.until.Store(int64(v.HitEnd))
}
