package actors

import (
	"fmt"
	"time"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// State says what a snapshot knows.
type State uint8

const (
	// Empty says that nothing is known.
	Empty State = iota
	// Fresh is a value within its TTL.
	Fresh
	// Stale is a value past its TTL, or invalidated.
	Stale
	// Missing says that the origin said that there is no such record.
	Missing
	// Failed says that no value is known and the last flight failed.
	Failed
)

func (s State) String() string {
	switch s {
	case Empty:
		return "Empty"
	case Fresh:
		return "Fresh"
	case Stale:
		return "Stale"
	case Missing:
		return "Missing"
	case Failed:
		return "Failed"
	}
	return "State(?)"
}

// MarshalText is String: in JSON a state is its name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes a state's name.
func (s *State) UnmarshalText(text []byte) error {
	for state := Empty; state <= Failed; state++ {
		if state.String() == string(text) {
			*s = state
			return nil
		}
	}
	return fmt.Errorf("freshet: %q is no state of a snapshot", text)
}

// Snapshot is a resource at one moment. Value and what it refers to belong to
// every reader: never modify them.
type Snapshot[V any] struct {
	Key   string
	Value V
	State State
	// Err is the last failure since the value was learned, also where the
	// value carries on (F7); ErrNotFound where State is Missing.
	Err error
	// Seq is the stamp of the knowledge (O1), 0 where nothing is known.
	Seq uint64
	// Revision is that of the key's newest event.
	Revision uint64
	// At is when the value was true at the origin: applied, less its age.
	At        time.Time
	Validator string
	// Pending counts mutations that the origin has not confirmed.
	Pending int
	// Loading says that a flight was in the air.
	Loading bool
}

// snapshot draws v as of now.
func (t *Table[V]) snapshot(key string, v *lifecycle.Version[V, *Future[V]], now lifecycle.Instant, loading bool) Snapshot[V] {
	s := Snapshot[V]{Key: key, Loading: loading}
	if v == nil {
		return s
	}
	s.Seq, s.Revision = v.Seq, v.Revision
	s.Validator, s.Pending = v.Validator(), v.Pending()
	failure := v.Failure()
	if failure != nil {
		s.Err = failure.Err
	}
	switch v.Known {
	case lifecycle.Present:
		s.Value = v.Value
		s.At = t.clock.Time(v.At)
		s.State = Stale
		if now < v.FreshEnd && !v.Void {
			s.State = Fresh
		}
	case lifecycle.Absent:
		s.At = t.clock.Time(v.At)
		s.State = Missing
		if s.Err == nil {
			s.Err = ErrNotFound
		}
	case lifecycle.Nothing:
		if failure != nil {
			s.State = Failed
		}
	}
	return s
}
