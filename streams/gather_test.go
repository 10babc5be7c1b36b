package streams_test

import (
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/streams"
)

// TestS9_WhatWasReadAlreadyIsNoLoss: a feed moves on while it is looked at, and drops what its reader had from the
// history. Nothing unread is lost by that, so nothing is told to be, whatever the history has lost meanwhile.
func TestS9_WhatWasReadAlreadyIsNoLoss(t *testing.T) {
	const rounds, kept = 2000, 16
	l := newLog(t, streams.LogConfig[int]{History: 32}) // in chunks of four
	s := subscribe(t, l, streams.Keys("k"), streams.OnOverflow(streams.DropOldest))
	appendTo := func(key string, n int) {
		for range n {
			l.Append(&streams.Event[int]{Key: key, Kind: streams.Updated}, 0, nil)
		}
	}
	take := func(n int) {
		for n > 0 {
			e, err := s.Next(t.Context())
			require.NoError(t, err)
			require.NotEqual(t, streams.Gap, e.Kind, "from %d to %d", e.From, e.To)
			if e.Kind != streams.Bookmark {
				n--
			}
		}
	}
	for range rounds {
		appendTo("k", kept+2) // the feed has lost two: they are read from the history, and two more with them
		take(4)
		appendTo("other", 40) // the history has lost all of them
		var begun atomic.Bool
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			begun.Store(true)
			appendTo("k", 2) // the feed drops the two more, and keeps all that is unread
		}()
		for !begun.Load() {
			runtime.Gosched()
		}
		take(kept)
		<-ended
	}
}
