// Package streamstest records what consumers of a freshet stream saw, and checks it against what happened.
//
// A [Recorder] sits in a consumer's own pipeline and writes down every event that passes. The validators are named for
// what they prove, after those of etcd's robustness tests:
//
//   - [Ordered]: revisions rise (S1).
//   - [Unique]: nothing comes twice (S2), and nothing that a value of a snapshot contains already (S5).
//   - [ReliableOrTold]: everything wanted was delivered, or told as lost (S3).
//   - [Resumable]: subscriptions that go on from each other's tokens are as good as one (S4).
//   - [SnapshotThenTail]: the snapshot and what follows give the state that the cache had (S5).
//
// What happened, the truth, is a list of all events in order: record it with a subscription to everything that is not
// lapped, or collect it where it is appended.
package streamstest

import (
	"iter"
	"slices"
	"sync"

	"github.com/freshet-go/freshet/streams"
)

// Record is what one subscription delivered.
type Record[V any] struct {
	Name     string                      // for messages
	After    uint64                      // the revision the subscription began after
	Wants    func(streams.Event[V]) bool // what it filters for; nil: everything
	Snapshot bool                        // it was made WithSnapshot
	Events   []streams.Event[V]          // all of them, control events included, in the order of delivery
	Tokens   []streams.Token             // parallel to Events: the subscription's Token after each; may be nil
	Err      error                       // how it ended; nil: it has not, or was left
}

// Recorder writes a Record. The zero value records a subscription to everything from the beginning. It may be used from
// several goroutines; the order of events is then the order in which they arrived at the recorder.
type Recorder[V any] struct {
	mu     sync.Mutex
	record Record[V]
}

// NewRecorder is a recorder that goes on with about, which says what the subscription is.
func NewRecorder[V any](about Record[V]) *Recorder[V] { return &Recorder[V]{record: about} }

// Tap passes a stream through and records it.
func (r *Recorder[V]) Tap(seq iter.Seq2[streams.Event[V], error]) iter.Seq2[streams.Event[V], error] {
	return func(yield func(streams.Event[V], error) bool) {
		for e, err := range seq {
			if err != nil {
				r.End(err)
			} else {
				r.Add(e)
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// Add records one event.
func (r *Recorder[V]) Add(e streams.Event[V]) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.record.Events = append(r.record.Events, e)
}

// AddAt records one event with the token that the subscription had after it.
func (r *Recorder[V]) AddAt(e streams.Event[V], t streams.Token) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.record.Tokens) < len(r.record.Events) {
		r.record.Tokens = append(r.record.Tokens, "")
	}
	r.record.Events = append(r.record.Events, e)
	r.record.Tokens = append(r.record.Tokens, t)
}

// End records how the subscription ended.
func (r *Recorder[V]) End(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.record.Err = err
}

// Record is what was recorded so far.
func (r *Recorder[V]) Record() Record[V] {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.record
	out.Events = slices.Clone(out.Events)
	out.Tokens = slices.Clone(out.Tokens)
	return out
}
