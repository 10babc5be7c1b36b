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
// had at its end, or of one that is empty. Together they must be what one subscription may be.
func Resumable[V any](parts []Record[V], truth []streams.Event[V]) error {
	if len(parts) == 0 {
		return nil
	}
	whole := parts[0]
	whole.Events = nil
	for _, part := range parts {
		whole.Events = append(whole.Events, part.Events...)
	}
	whole.Name += " and its continuations"
	if err := Ordered(whole); err != nil {
		return fmt.Errorf("Resumable: %w", err)
	}
	if err := Unique(whole); err != nil {
		return fmt.Errorf("Resumable: %w", err)
	}
	if err := ReliableOrTold(whole, truth); err != nil {
		return fmt.Errorf("Resumable: %w", err)
	}
	return nil
}

// SnapshotThenTail checks S5 against the truth. The record filters, if at all, by key. Values come before their Synced and after nothing else; the values that it has at Synced and the
// events since then give, at its last event, the state that the truth gives there.
func SnapshotThenTail[V any](r Record[V], truth []streams.Event[V]) error {
	var (
		taking = r.Snapshot
		state  = make(map[string]*V)
		began  = !r.Snapshot // whether state is known
		since  = r.After
		end    uint64
		ahead  uint64 // values may be newer than the last event
	)
	for i, e := range r.Events {
		if taking && len(r.Tokens) > i && r.Tokens[i] != "" && e.Kind != streams.Synced {
			return r.fault("SnapshotThenTail", i, "the token before Synced is %q", r.Tokens[i])
		}
		switch {
		case e.Kind == streams.Gap && (e.Token() == "" || taking):
			taking, began, state, ahead = true, false, make(map[string]*V), 0
		case e.Kind == streams.Gap:
			began = false // a hole: what the state is, nobody knows
		case e.Kind == streams.Synced:
			if !taking {
				return r.fault("SnapshotThenTail", i, "Synced without a snapshot")
			}
			taking, began, since, end = false, true, e.Revision, e.Revision
		case e.Kind.Control():
			end = max(end, e.Revision)
		case value(e):
			if !taking {
				return r.fault("SnapshotThenTail", i, "the value of %q after Synced", e.Key)
			}
			if e.After == nil {
				return r.fault("SnapshotThenTail", i, "%q is in the snapshot without a value", e.Key)
			}
			state[e.Key], ahead = e.After, max(ahead, e.Revision)
		default:
			if taking {
				return r.fault("SnapshotThenTail", i, "revision %d of %q before Synced", e.Revision, e.Key)
			}
			if e.Revision <= since && r.Snapshot {
				return r.fault("SnapshotThenTail", i, "revision %d is not above the boundary %d", e.Revision, since)
			}
			move(state, e)
			end = e.Revision
		}
	}
	if !began || !r.Snapshot || end < ahead {
		return nil // no state to compare, or one between two revisions
	}
	want := make(map[string]*V)
	for _, e := range truth {
		if e.Revision <= end && r.wants(e) {
			move(want, e)
		}
	}
	for key, v := range want {
		if have, ok := state[key]; !ok || !same(have, v) {
			return fmt.Errorf("%s: SnapshotThenTail: %q is not what it was at revision %d", r.Name, key, end)
		}
	}
	for key := range state {
		if _, ok := want[key]; !ok {
			return fmt.Errorf("%s: SnapshotThenTail: %q was absent at revision %d", r.Name, key, end)
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
