package streamstest

import (
	"fmt"
	"reflect"

	"github.com/freshet-go/freshet/streams"
)

// fault is a sentence about one event of a record.
func (r *Record[V]) fault(rule string, i int, format string, args ...any) error {
	return fmt.Errorf("%s: %s: event %d: %s", r.Name, rule, i, fmt.Sprintf(format, args...))
}

func (r *Record[V]) wants(e streams.Event[V]) bool { return r.Wants == nil || r.Wants(e) }

// value reports whether e is a value of a snapshot: it is no place to resume from, and no Gap.
func value[V any](e streams.Event[V]) bool { return e.Token() == "" && !e.Kind.Control() }

// Ordered checks S1: the revisions of events rise, a Gap begins after what was seen and nothing in it comes later,
// Bookmark and Synced are not behind what was seen. The values of a snapshot have no order.
func Ordered[V any](r Record[V]) error {
	at := r.After
	for i, e := range r.Events {
		switch {
		case value(e):
			continue
		case e.Kind == streams.Gap:
			if e.From <= at && !(e.From == at+1) || e.To < e.From || e.Revision != e.To {
				return r.fault("Ordered", i, "a Gap from %d to %d (revision %d) after revision %d", e.From, e.To, e.Revision, at)
			}
		case e.Kind.Control():
			if e.Revision < at {
				return r.fault("Ordered", i, "%v at revision %d after revision %d", e.Kind, e.Revision, at)
			}
		case e.Revision <= at:
			return r.fault("Ordered", i, "revision %d after revision %d", e.Revision, at)
		}
		at = e.Revision
	}
	return nil
}

// Unique checks S2: no event comes twice, no snapshot has a key twice, and no event comes that the value of its key in
// the last snapshot contains.
func Unique[V any](r Record[V]) error {
	seen := make(map[uint64]int)
	contained := make(map[string]uint64)
	for i, e := range r.Events {
		switch {
		case e.Kind == streams.Gap && e.Token() == "":
			clear(contained) // another snapshot
		case e.Kind.Control():
		case value(e):
			if _, again := contained[e.Key]; again {
				return r.fault("Unique", i, "%q is in the snapshot twice", e.Key)
			}
			contained[e.Key] = e.Revision
		default:
			if before, again := seen[e.Revision]; again {
				return r.fault("Unique", i, "revision %d came already as event %d", e.Revision, before)
			}
			if e.Revision <= contained[e.Key] {
				return r.fault("Unique", i, "revision %d of %q is contained in its value of revision %d", e.Revision, e.Key, contained[e.Key])
			}
			seen[e.Revision] = i
		}
	}
	return nil
}

// ReliableOrTold checks S3 against the truth: every event after the beginning that the subscription wants, as far as it
// says that it has come, was delivered as it was, or lies in a Gap that was told, or is contained in a snapshot.
// How far it has come is what its last event says; what happened after that is nobody's fault yet.
func ReliableOrTold[V any](r Record[V], truth []streams.Event[V]) error {
	var (
		delivered = make(map[uint64]int)
		contained = make(map[string]uint64)
		gaps      [][2]uint64
		boundary  uint64
		end       = r.After
	)
	for i, e := range r.Events {
		switch {
		case e.Kind == streams.Gap:
			gaps = append(gaps, [2]uint64{e.From, e.To})
		case e.Kind == streams.Synced:
			boundary = max(boundary, e.Revision)
		case value(e):
			contained[e.Key] = max(contained[e.Key], e.Revision)
			continue
		case !e.Kind.Control():
			delivered[e.Revision] = i
		}
		end = max(end, e.Revision)
	}
	told := func(e streams.Event[V]) bool {
		for _, gap := range gaps {
			if gap[0] <= e.Revision && e.Revision <= gap[1] {
				return true
			}
		}
		return e.Revision <= boundary || e.Revision <= contained[e.Key]
	}
	for _, e := range truth {
		i, came := delivered[e.Revision]
		delete(delivered, e.Revision)
		switch {
		case came && (r.Events[i].Key != e.Key || r.Events[i].Kind != e.Kind || !same(r.Events[i].After, e.After)):
			return r.fault("ReliableOrTold", i, "revision %d came as %v of %q and was %v of %q", e.Revision, r.Events[i].Kind, r.Events[i].Key, e.Kind, e.Key)
		case came && !r.wants(e):
			return r.fault("ReliableOrTold", i, "revision %d, %v of %q, was not wanted", e.Revision, e.Kind, e.Key)
		case came || e.Revision <= r.After || e.Revision > end || !r.wants(e) || told(e):
		default:
			return fmt.Errorf("%s: ReliableOrTold: revision %d, %v of %q, was lost in silence (began after %d, came to %d)",
				r.Name, e.Revision, e.Kind, e.Key, r.After, end)
		}
	}
	for revision, i := range delivered {
		return r.fault("ReliableOrTold", i, "revision %d never happened", revision)
	}
	return nil
}

// Resumable checks S4: parts are subscriptions of one consumer, each begun with Since of the Token that the one before
// had at its end. Together they must be what one subscription may be. One thing may come again in a continuation: what
// was contained in a value that was newer than its snapshot's boundary, where the token was taken before the tail came to
// that value's revision.
func Resumable[V any](parts []Record[V], truth []streams.Event[V]) error {
	if len(parts) == 0 {
		return nil
	}
	whole := parts[0]
	whole.Events = nil
	seen := make(map[uint64]bool)
	for _, part := range parts {
		if err := Unique(part); err != nil {
			return fmt.Errorf("Resumable: %w", err)
		}
		for i, e := range part.Events {
			if e.Kind.Control() || value(e) {
				continue
			}
			if seen[e.Revision] {
				return fmt.Errorf("Resumable: %w", part.fault("Unique", i, "revision %d came before already", e.Revision))
			}
			seen[e.Revision] = true
		}
		whole.Events = append(whole.Events, part.Events...)
	}
	whole.Name += " and its continuations"
	if err := Ordered(whole); err != nil {
		return fmt.Errorf("Resumable: %w", err)
	}
	if err := ReliableOrTold(whole, truth); err != nil {
		return fmt.Errorf("Resumable: %w", err)
	}
	return nil
}

// SnapshotThenTail checks S5 against the truth. The record filters, if at all, by key. Values come before their Synced
// and after nothing else, the token is empty until then, every value is what its key had at its revision, and the values
// and the events since Synced give, at the last event, the state that the truth gives there. A snapshot that is taken
// while things change is allowed to be ahead of its boundary: by a value that is newer, or by a key that is gone.
func SnapshotThenTail[V any](r Record[V], truth []streams.Event[V]) error {
	v := &view[V]{record: &r, taking: r.Snapshot, known: r.Snapshot}
	v.reset()
	for i, e := range r.Events {
		if err := v.step(i, e); err != nil {
			return err
		}
	}
	if !v.known || v.taking {
		return nil // no state to compare
	}
	return v.compare(truth)
}

// view is the state that a consumer builds.
type view[V any] struct {
	record  *Record[V]
	taking  bool // a snapshot is being delivered
	known   bool // the state is: there was a snapshot, and no hole since
	state   map[string]*V
	scanned map[string]uint64 // revisions of the values whose keys the tail has not touched
	touched map[string]bool   // by the tail
	since   uint64            // the boundary
	end     uint64            // the place the stream has come to
}

func (v *view[V]) reset() {
	v.state, v.scanned, v.touched = make(map[string]*V), make(map[string]uint64), make(map[string]bool)
}

func (v *view[V]) step(i int, e streams.Event[V]) error {
	fault := func(format string, args ...any) error { return v.record.fault("SnapshotThenTail", i, format, args...) }
	if tokens := v.record.Tokens; v.taking && i < len(tokens) && tokens[i] != "" && e.Kind != streams.Synced {
		return fault("there is a token before Synced")
	}
	switch {
	case e.Kind == streams.Gap && (e.Token() == "" || v.taking):
		v.taking, v.known = true, true
		v.reset()
	case e.Kind == streams.Gap:
		v.known = false // a hole: what the state is, nobody knows
	case e.Kind == streams.Synced:
		if !v.taking {
			return fault("Synced without a snapshot")
		}
		v.taking, v.since, v.end = false, e.Revision, e.Revision
	case e.Kind.Control():
		v.end = max(v.end, e.Revision)
	case value(e):
		if !v.taking {
			return fault("the value of %q after Synced", e.Key)
		}
		if e.After == nil {
			return fault("%q is in the snapshot without a value", e.Key)
		}
		v.state[e.Key], v.scanned[e.Key] = e.After, e.Revision
	default:
		if v.taking {
			return fault("revision %d of %q before Synced", e.Revision, e.Key)
		}
		if e.Revision <= v.since {
			return fault("revision %d is not above the boundary %d", e.Revision, v.since)
		}
		move(v.state, e)
		delete(v.scanned, e.Key)
		v.touched[e.Key] = true
		v.end = e.Revision
	}
	return nil
}

func (v *view[V]) compare(truth []streams.Event[V]) error {
	want := make(map[string]*V)
	goes := make(map[string]bool) // removed after the end
	for _, e := range truth {
		if !v.record.wants(e) {
			continue
		}
		if e.Revision > v.end && e.After == nil {
			goes[e.Key] = true
		}
		limit := v.end
		if ahead := v.scanned[e.Key]; ahead > limit {
			limit = ahead
		}
		if e.Revision <= limit {
			move(want, e)
		}
	}
	for key, is := range want {
		have, ok := v.state[key]
		if !ok && !v.touched[key] && goes[key] {
			continue // gone already when the snapshot came to it
		}
		if !ok || !same(have, is) {
			return fmt.Errorf("%s: SnapshotThenTail: %q is not what it was at revision %d", v.record.Name, key, v.end)
		}
	}
	for key := range v.state {
		if _, ok := want[key]; !ok {
			return fmt.Errorf("%s: SnapshotThenTail: %q was absent at revision %d", v.record.Name, key, v.end)
		}
	}
	return nil
}

func move[V any](state map[string]*V, e streams.Event[V]) {
	if e.After == nil {
		delete(state, e.Key)
		return
	}
	state[e.Key] = e.After
}

func same[V any](a, b *V) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a == b || reflect.DeepEqual(*a, *b)
}
