package actors

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// User code is whatever a cache is given to call: it may panic, call
// runtime.Goexit, not return, and return an error whose methods do so. All of
// that fails the operation that ran it and nothing else (C4).

// caught is the error of user code that did not return: r is what recover
// returned there, nil where it called runtime.Goexit.
func caught(r any) error {
	if r == nil {
		return ErrGoexit
	}
	p := &PanicError{Value: r, Stack: debug.Stack()}
	if err, ok := r.(error); ok && !sound(err) {
		p.Value = fmt.Sprintf("%T", r) // it must not unwrap to that
	}
	return p
}

// sound says whether err can be looked into. That runs on a goroutine of its own:
// Goexit would end the deferred function which tells of the panic.
func sound(err error) bool {
	done := make(chan bool, 1)
	go func() {
		fine := false
		defer func() {
			_ = recover()
			done <- fine
		}()
		probe(err)
		fine = true
	}()
	return <-done
}

// probe looks into an error that user code returned, while it is still under
// the same guard: a nil pointer that became an error panics when errors.Is
// unwraps it, or Error asks what it says.
func probe(err error) {
	if err == nil {
		return
	}
	_ = errors.Is(err, ErrNotFound)
	if isNil(err) {
		_ = err.Error()
	}
}

// guarded runs user code on the caller's own goroutine and returns its panic.
func guarded(f func()) (err error) {
	returned := false
	defer func() {
		if r := recover(); !returned && r != nil {
			err = caught(r)
		}
	}()
	f()
	returned = true
	return err
}

// contained runs user code on a goroutine that its panic or Goexit may end.
func contained(f func()) error { return <-begin(f) }

// begin is contained for who does not wait as long as it takes.
func begin(f func()) <-chan error {
	done := make(chan error, 1)
	go func() {
		err := ErrGoexit
		defer func() {
			if r := recover(); r != nil {
				err = caught(r)
			}
			done <- err
		}()
		f()
		err = nil
	}()
	return done
}

// timely is contained for no longer than an origin call may take: others wait
// for its outcome too. f must write nothing that is read where it was not nil.
func (t *Table[V]) timely(f func()) error {
	t.working.add()
	done := begin(func() {
		defer t.working.done()
		f()
	})
	limit := time.NewTimer(t.timeout)
	defer limit.Stop()
	select {
	case err := <-done:
		return err
	case <-limit.C:
	}
	select {
	case err := <-done: // both at once
		return err
	default:
		return timeoutError{after: t.timeout, who: "user code"}
	}
}

// mostWarnings is how many may wait for a log handler that does not return.
const mostWarnings = 16

// warn logs what no caller can be told. On a goroutine of its own: a log handler
// may wait for what its caller holds, the key that it asks the cache for say.
func (t *Table[V]) warn(text string, attrs ...any) {
	t.working.add()
	if t.warnings.Add(1) > mostWarnings {
		t.warnings.Add(-1)
		t.working.done()
		return
	}
	go func() {
		defer t.working.done()
		_ = contained(func() { t.logger.Warn(text, attrs...) })
		t.warnings.Add(-1)
	}()
}
