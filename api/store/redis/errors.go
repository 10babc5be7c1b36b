package redis

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/redis/rueidis"
)

// wording says what an error of Redis means for the user. The words of the
// server follow; they hold no password.
func wording(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := rueidis.IsRedisErr(err); ok {
		text := e.Error()
		_, moved := e.IsMoved()
		_, ask := e.IsAsk()
		switch {
		case moved, ask, e.IsClusterDown():
			return fmt.Errorf("%w; open it with the addresses of the cluster: %s", ErrMoved, text)
		case strings.HasPrefix(text, "OOM "), strings.Contains(text, "OOM command not allowed"):
			return fmt.Errorf("%w (maxmemory, and no eviction): %s", ErrNoMemory, text)
		case strings.Contains(text, "WRONGTYPE"):
			return fmt.Errorf("%w: %s", ErrWrongType, text)
		case strings.HasPrefix(text, "NOSCRIPT"):
			return fmt.Errorf("%w that it was just sent: %s", ErrNoScripts, text)
		case strings.HasPrefix(text, "NOPERM"):
			return fmt.Errorf("%w: the user lacks a permission: %s", ErrNoScripts, text)
		}
		return fmt.Errorf("the server answered: %s", text)
	}
	var netErr net.Error
	if errors.As(err, &netErr) && !netErr.Timeout() || errors.Is(err, rueidis.ErrClosing) {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return err
}
