package api_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"runtime"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// What a Writer's error says of the outcome.
func TestW3_WhichErrorsLeaveTheOutcomeUnknown(t *testing.T) {
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for _, k := range []struct {
		err     error
		unknown bool
	}{
		{errOrigin, false},
		{freshet.ErrNotFound, false},
		{fmt.Errorf("409: %w", errors.New("conflict")), false},
		{dial, false},
		{&url.Error{Op: "Put", URL: "http://o", Err: dial}, false},
		{&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", IsNotFound: true}}, false},
		{&net.OpError{Op: "dial", Err: context.DeadlineExceeded}, false},

		{fmt.Errorf("504: %w", freshet.ErrUnknown), true},
		{errors.Join(dial, freshet.ErrUnknown), true}, // it dialled, but an earlier try had come through
		{context.DeadlineExceeded, true},
		{context.Canceled, true},
		{&url.Error{Op: "Put", URL: "http://o", Err: context.DeadlineExceeded}, true},
		{io.EOF, true},
		{io.ErrUnexpectedEOF, true},
		{io.ErrClosedPipe, true},
		{net.ErrClosed, true},
		{&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, true},
		{&net.OpError{Op: "write", Err: os.NewSyscallError("write", syscall.EPIPE)}, true},
		{&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, true},
	} {
		t.Run(fmt.Sprint(k.err), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, o := &clerk{auto: func(int, *order) (string, string, error) { return "", "", k.err }}, counting()
				c := serveWrites(t, o, w, config{})
				mustGet(t, c, "k", "v1")
				refused(t, update(c, "k", "v"), k.err, k.unknown)
				want := "v1"
				if k.unknown {
					want = "v2" // read again
				}
				if !errors.Is(k.err, freshet.ErrNotFound) {
					mustGet(t, c, "k", want)
				}
				_, _, err := c.Create(bg, "v")
				var failed *freshet.WriteError
				require.ErrorAs(t, err, &failed)
				require.Equal(t, k.unknown, failed.Unknown)
				require.Empty(t, failed.Key)
			})
		})
	}
}

// An origin that knows no such record has said what there is.
func TestW3_ARefusalWithNotFoundIsKnowledge(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, counting()
		c := serveWrites(t, o, w, config{Freshness: freshet.Freshness{Missing: time.Minute}})
		mustGet(t, c, "k", "v1")
		events := watch(t, c)
		u := update(c, "k", "v")
		w.order(t, 1).refuse(fmt.Errorf("404: %w", freshet.ErrNotFound))
		refused(t, u, freshet.ErrNotFound, false)
		_, err := c.Get(bg, "k")
		require.ErrorIs(t, err, freshet.ErrNotFound)
		require.Equal(t, 1, o.calls())
		events.tells(t, "Optimistic v1>v", "RolledBack v>-")
	})
}

func TestW3_AnUnknownOutcomeIsTakenOutAndReadBeforeTheNextCommit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, &origin{}
		c := serveWrites(t, o, w, config{})
		require.NoError(t, c.Set(bg, "k", "v"))
		events := watch(t, c)
		a, b := mutate(c, "k", appends("+a")), update(c, "k", "B")
		w.order(t, 1).refuse(freshet.ErrUnknown)
		refused(t, a, freshet.ErrUnknown, true)
		mustGet(t, c, "k", "B")
		require.Equal(t, 1, w.orders(), "not before the resource was read")
		events.tells(t, "Optimistic v>v+a", "Optimistic v+a>B", "RolledBack B>B unknown")

		o.call(t, 1).value("v+a") // it had been applied
		w.asks(t, 2, "update", "k", "B").refuse(errOrigin)
		refused(t, b, errOrigin, false)
		mustGet(t, c, "k", "v+a")
		require.Equal(t, 1, o.calls())
		events.tells(t, "Updated B>B flight", "RolledBack B>v+a")
	})
}

func TestW3_AfterAnUnknownOutcomeNobodyIsAnsweredFromBefore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, &origin{}
		c := serveWrites(t, o, w, config{Freshness: freshet.Freshness{Stale: time.Hour, StaleOnError: time.Hour}})
		require.NoError(t, c.Set(bg, "k", "v"))
		events := watch(t, c)
		a := mutate(c, "k", appends("+a"))
		w.order(t, 1).refuse(freshet.ErrUnknown)
		refused(t, a, freshet.ErrUnknown, true)
		events.tells(t, "Optimistic v>v+a", "RolledBack v+a>v unknown")
		require.Zero(t, o.calls(), "nobody needs it yet")
		_, err := c.Get(bg, "k", freshet.CachedOnly())
		require.ErrorIs(t, err, freshet.ErrNotCached)
		g := get(c, "k")
		require.True(t, g.waiting())
		o.call(t, 1).value("v+a")
		gives(t, g, "v+a")
	})
}

// The read that is owed fails: so does who needed it, and the one behind it
// tries again.
func TestW3_AReadAfterAnUnknownOutcomeThatFails(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{}, &origin{}
		c := serveWrites(t, o, w, config{})
		require.NoError(t, c.Set(bg, "k", "v"))
		a, b, d := mutate(c, "k", appends("+a")), mutate(c, "k", appends("+b")), mutate(c, "k", appends("+d"))
		w.order(t, 1).refuse(freshet.ErrUnknown)
		refused(t, a, freshet.ErrUnknown, true)
		o.call(t, 1).fail(errOrigin)
		refused(t, b, errOrigin, false)
		require.True(t, d.waiting())
		require.Equal(t, 1, w.orders())
		o.call(t, 2).value("w")
		w.asks(t, 2, "update", "k", "w+d").store("w+d")
		gives(t, d, "w+d")
		mustGet(t, c, "k", "w+d")
	})
}

func TestW3_ATimeoutIsUnknownEvenWhereTheWriterIgnoresItsContext(t *testing.T) {
	for name, deaf := range map[string]bool{"heeds its context": false, "is deaf": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, o := &clerk{deaf: deaf}, &origin{}
				c := serveWrites(t, o, w, config{Timeout: time.Second})
				require.NoError(t, c.Set(bg, "k", "v"))
				began := time.Now()
				a, b := mutate(c, "k", appends("+a")), mutate(c, "k", appends("+b"))
				<-a.done
				require.Equal(t, time.Second, time.Since(began))
				refused(t, a, freshet.ErrTimeout, true)
				require.ErrorIs(t, a.err, context.DeadlineExceeded)
				first := w.order(t, 1)
				require.ErrorIs(t, context.Cause(first.ctx), freshet.ErrTimeout)
				require.ErrorIs(t, first.ctx.Err(), context.DeadlineExceeded)
				until, ok := first.ctx.Deadline()
				require.True(t, ok)
				require.Equal(t, began.Add(time.Second).UnixNano(), until.UnixNano())

				// The key's queue is not held any longer.
				o.call(t, o.calls()).value("w")
				w.asks(t, 2, "update", "k", "w+b").store("w+b")
				gives(t, b, "w+b")
				mustGet(t, c, "k", "w+b")
			})
		})
	}
}

func TestW3_TheLateAnswerOfACommitVoidsWhatWasRead(t *testing.T) {
	for name, late := range map[string]struct {
		answer func(*order)
		void   bool
	}{
		"applied": {func(o *order) { o.store("v+a") }, true},
		"unknown": {func(o *order) { o.refuse(freshet.ErrUnknown) }, true},
		"panics":  {func(o *order) { o.do(func() (string, string, error) { panic("late") }) }, true},
		"refused": {func(o *order) { o.refuse(errOrigin) }, false}, // nothing came of it
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, o := &clerk{deaf: true}, counting()
				c := serveWrites(t, o, w, config{Timeout: time.Second})
				mustGet(t, c, "k", "v1")
				a := mutate(c, "k", mutation{Apply: appends("+a").Apply, Tags: []string{"t"}, Prefixes: []string{"p/"}})
				<-a.done
				mustGet(t, c, "k", "v2")
				mustGet(t, c, "p/1", "v1")
				require.Equal(t, 3, o.calls())
				late.answer(w.order(t, 1))
				synctest.Wait()
				if late.void {
					mustGet(t, c, "k", "v3")
					mustGet(t, c, "p/1", "v2")
				} else {
					mustGet(t, c, "k", "v2")
					mustGet(t, c, "p/1", "v1")
				}
			})
		})
	}
}

// A commit that flew while the late one came through may have been applied
// before it: its answer is not the last word.
func TestW3_TheLateAnswerDuringTheNextCommit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w, o := &clerk{deaf: true}, counting()
		c := serveWrites(t, o, w, config{Timeout: time.Second})
		mustGet(t, c, "k", "v1")
		a := mutate(c, "k", appends("+a"))
		<-a.done
		b := update(c, "k", "B")
		second := w.asks(t, 2, "update", "k", "B")
		w.order(t, 1).store("late")
		synctest.Wait()
		second.store("B")
		gives(t, b, "B")
		before := o.calls()
		mustGet(t, c, "k", fmt.Sprintf("v%d", before+1))
	})
}

// C4: the origin may have been asked before it came to that.
func TestC4_ACommitThatDoesNotReturnIsUnknown(t *testing.T) {
	boom := errors.New("boom")
	for name, bad := range map[string]struct {
		f    func()
		want error
	}{
		"panics":            {func() { panic(boom) }, boom},
		"calls Goexit":      {runtime.Goexit, freshet.ErrGoexit},
		"fails a test":      {func() { new(testing.T).FailNow() }, freshet.ErrGoexit},
		"writes to nil":     {func() { var m map[string]int; m["k"] = 1 }, nil}, //nolint:govet,staticcheck // it happens
		"sends on a closed": {func() { c := make(chan int); close(c); c <- 1 }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w, o := obliging(), counting()
				c := serveWrites(t, o, w, config{})
				mustGet(t, c, "k", "v1")
				m := mutate(c, "k", mutation{Apply: appends("+a").Apply, Commit: func(context.Context, string) (string, error) {
					bad.f()
					panic("unreachable")
				}})
				want := bad.want
				if want == nil {
					want = m.err
				}
				refused(t, m, want, true)
				if !errors.Is(want, freshet.ErrGoexit) {
					var p *freshet.PanicError
					require.ErrorAs(t, m.err, &p)
					require.Contains(t, string(p.Stack), "write_outcome_test.go")
				}
				gives(t, mutate(c, "k", appends("+b")), "v2+b")
			})
		})
	}
}
