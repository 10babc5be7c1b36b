package actors

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// refusal is what err says of the origin, which runs err's own methods: only for
// where user code may run.
func refusal(err error) lifecycle.Refusal {
	switch {
	case err == nil:
		return lifecycle.Refused
	case outcomeUnknown(err):
		return lifecycle.Unclear
	case errors.Is(err, ErrNotFound):
		return lifecycle.NoSuch
	}
	return lifecycle.Refused
}

// outcomeUnknown says whether the origin may have applied a write that failed
// so (W3). A connection that could not be made carried none.
func outcomeUnknown(err error) bool {
	for _, lost := range []error{
		ErrUnknown, context.DeadlineExceeded, context.Canceled, io.EOF, io.ErrUnexpectedEOF,
		io.ErrClosedPipe, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE,
	} {
		if errors.Is(err, lost) {
			return !notConnected(err)
		}
	}
	var broken net.Error
	return errors.As(err, &broken) && !notConnected(err)
}

func notConnected(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" && !errors.Is(err, ErrUnknown)
}
