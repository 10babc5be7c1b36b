package work

import (
	"context"
	"sync/atomic"
	"time"
)

// origin is a source that counts its calls.
type origin struct {
	calls atomic.Int64
	delay time.Duration
}

// fetch answers with 1 after the origin's delay, or earlier with ctx's error.
func (o *origin) fetch(ctx context.Context, _ string) (uint64, error) {
	o.calls.Add(1)
	if o.delay > 0 {
		if err := pause(ctx, o.delay); err != nil {
			return 0, err
		}
	}
	return 1, nil
}

// pause lasts d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
