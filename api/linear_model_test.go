package api_test

import (
	"fmt"

	"github.com/anishathalye/porcupine"
)

// The model of O8. There is one clock for all: it numbers the calls, their
// returns, the versions at the origin and the values that were Set. A key is
//
//   - the newest value that was Set and not declared void since, if any, and
//   - since: no version older than that may be read any more.
//
// since rises to the version that the origin had when a barrier's call began:
// whoever asks after the barrier was complete is answered by a flight that took
// off later and reads that version or a later one (O0). It also rises to what
// a call was answered with, which is more than O0 says and follows from O2:
// what is applied in order cannot be unseen.

// reading is the value of the cache under test.
type reading struct {
	Version int64 // of the record at the origin; of a Set value: its number
	Set     bool
}

type deed uint8

const (
	reads   deed = iota
	reloads      // reads what took off after the call
	sets
	voids
)

// did is an operation's input, answered its output.
type did struct {
	what  deed
	how   string
	key   string
	since int64 // the origin's version when the call began
	set   int64 // sets: the number of the value
}

type answered struct {
	reading
	before bool // reloads: the Set that answers was complete before the call
}

// lineage is the state of one key.
type lineage struct{ set, since int64 }

var model = porcupine.Model{
	Partition: byKey(func(op *porcupine.Operation) string { return op.Input.(did).key }),
	Init:      func() any { return lineage{} },
	Step: func(state, input, output any) (bool, any) {
		key, in := state.(lineage), input.(did)
		switch in.what {
		case sets:
			return true, lineage{set: in.set, since: max(key.since, in.since)}
		case voids:
			return true, lineage{since: max(key.since, in.since)}
		}
		out := output.(answered)
		if out.Set {
			return key.set == out.Version && !out.before, key
		}
		since := key.since
		if in.what == reloads {
			since = max(since, in.since)
		}
		return out.Version >= since, lineage{since: out.Version}
	},
	DescribeOperation: func(input, output any) string {
		in := input.(did)
		switch in.what {
		case sets:
			return fmt.Sprintf("%s #%d", in.how, in.set)
		case voids:
			return fmt.Sprintf("%s at %d", in.how, in.since)
		}
		out := output.(answered)
		if out.Set {
			return fmt.Sprintf("%s: #%d", in.how, out.Version)
		}
		return fmt.Sprintf("%s at %d: %d", in.how, in.since, out.Version)
	},
	DescribeState: func(state any) string {
		key := state.(lineage)
		return fmt.Sprintf("#%d, since %d", key.set, key.since)
	},
}

// markReloads finds the reloads that were answered with a value whose Set had
// returned before they began: a state cannot tell.
func markReloads(history []porcupine.Operation) {
	complete := make(map[int64]int64)
	for _, op := range history {
		if in := op.Input.(did); in.what == sets {
			complete[in.set] = op.Return
		}
	}
	for i := range history {
		out, ok := history[i].Output.(answered)
		if !ok || !out.Set || history[i].Input.(did).what != reloads {
			continue
		}
		out.before = complete[out.Version] < history[i].Call
		history[i].Output = out
	}
}
