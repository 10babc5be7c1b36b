package actors

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestC2_ContextIsTheSameWheneverItIsAsked: what a flight's context says does
// not depend on whether somebody asked it before it ended.
func TestC2_ContextIsTheSameWheneverItIsAsked(t *testing.T) {
	type key struct{}
	for name, asked := range map[string]bool{"asked before": true, "asked after": false} {
		for _, tt := range []struct{ end, err, cause error }{
			{nil, context.Canceled, context.Canceled},
			{ErrSuperseded, context.Canceled, ErrSuperseded},
			{timeoutError{after: time.Second}, context.DeadlineExceeded, timeoutError{after: time.Second}},
		} {
			t.Run(name, func(t *testing.T) {
				values, leave := context.WithCancel(context.WithValue(t.Context(), key{}, "v"))
				clock := NewClock()
				defer clock.Close()
				c := &flightContext{values: values}
				c.begin(clock, clock.Now().Plus(time.Hour))
				deadline := clock.Time(c.until)
				leave()
				var derived context.Context
				if asked {
					var cancel context.CancelFunc
					derived, cancel = context.WithCancel(c)
					defer cancel()
					require.NoError(t, derived.Err(), "the demand's cancellation is not the flight's")
				}
				require.NoError(t, c.Err())
				c.end(tt.end)
				c.end(ErrAbandoned) // too late
				require.Equal(t, tt.err, c.Err())
				require.Equal(t, tt.cause, context.Cause(c))
				<-c.Done()
				require.Equal(t, "v", c.Value(key{}))
				at, ok := c.Deadline()
				require.True(t, ok)
				require.Equal(t, deadline, at)
				if !asked {
					var cancel context.CancelFunc
					derived, cancel = context.WithCancel(c)
					defer cancel()
				}
				require.Error(t, derived.Err())
				require.Equal(t, tt.cause, context.Cause(derived))
			})
		}
	}
}
