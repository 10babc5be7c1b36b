package api_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/anishathalye/porcupine"
)

// What is checked of a history with writes:
//
//   - linear: with the mutations that show taken off, it is a history of O8
//     (linear_model_test.go), in which a write that the origin confirmed is a
//     barrier at the version that it made: no read that begins when it has
//     returned is answered from before it (W3, W4).
//   - counting, where nobody else writes: the answers of writes and of reloads
//     that show no mutation are those of one counter at the origin. An increment
//     that was computed on anything but what the write before it left, an
//     optimistic value above all, breaks it (W2, W3, W4).
//   - checkLayers: a mutation shows while it is pending and neither before nor
//     after, and once it was seen it is not unseen until it ends (W1).

// tallied is an operation on a record's count.
type tallied struct {
	what  string // add, put, delete, reload
	key   string
	count int64 // put
}

// told by the origin, through the cache.
type account struct {
	count int64
	gone  bool
}

// unheard is an operation whose outcome nobody knows: it may have been applied
// or not, and at any time.
type unheard struct{}

var countModel = porcupine.Model{
	Partition: byKey(func(op *porcupine.Operation) string { return op.Input.(tallied).key }),
	Init:      func() any { return account{} },
	Step: func(state, input, output any) (bool, any) {
		now, in := state.(account), input.(tallied)
		next := now
		switch in.what {
		case "add":
			next = account{count: now.count + 1}
		case "put":
			next = account{count: in.count}
		case "delete":
			next = account{gone: true}
		}
		if _, unknown := output.(unheard); unknown {
			return true, next
		}
		if now.gone && in.what == "add" {
			return false, next // what is gone is not incremented
		}
		return output.(account) == next, next
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v: %+v", input, output) },
	DescribeState:     func(state any) string { return fmt.Sprintf("%+v", state) },
}

// byKey has every key checked by itself.
func byKey(name func(*porcupine.Operation) string) func([]porcupine.Operation) [][]porcupine.Operation {
	return func(history []porcupine.Operation) (keys [][]porcupine.Operation) {
		index := make(map[string]int)
		for _, op := range history {
			key := name(&op)
			i, ok := index[key]
			if !ok {
				i = len(keys)
				index[key], keys = i, append(keys, nil)
			}
			keys[i] = append(keys[i], op)
		}
		return keys
	}
}

// written is a mutation as its caller saw it.
type written struct {
	id, call, end int64 // end: when the outcome was known to the caller; never, where it left
	key           int
}

// never is when an operation returns whose caller left.
const never = math.MaxInt64

// seen is what a read was answered with.
type seen struct {
	how       string
	call, end int64
	key       int
	sheet     sheet
}

func (s *seen) layers() (ids []int64) {
	for _, layer := range strings.Split(s.sheet.Layers, ";")[1:] {
		n, err := strconv.ParseInt(layer, 10, 64)
		if err != nil {
			panic(err)
		}
		ids = append(ids, n)
	}
	return ids
}

// checkLayers says what is wrong with what reads showed of mutations. Where
// strict, no commit was given up before its answer came.
func checkLayers(writes []written, reads []seen, commits map[int64]commit, strict bool) (faults []string) {
	byID := make(map[int64]*written, len(writes))
	for i := range writes {
		byID[writes[i].id] = &writes[i]
	}
	first := make(map[int64]int64) // when a mutation was first seen
	for _, r := range reads {
		for _, n := range r.layers() {
			w := byID[n]
			switch {
			case w == nil || w.key != r.key:
				faults = append(faults, fmt.Sprintf("%+v shows a mutation %d that is not of its key", r, n))
				continue
			case r.end < w.call:
				faults = append(faults, fmt.Sprintf("%+v shows %+v before it began", r, *w))
			case r.call > w.end:
				faults = append(faults, fmt.Sprintf("%+v shows %+v after it ended", r, *w))
			}
			if have, ok := first[n]; !ok || r.end < have {
				first[n] = r.end
			}
		}
	}
	if !strict {
		return faults
	}
	for _, r := range reads {
		if r.sheet.Whole {
			continue // it hides what is below
		}
		ids := r.layers()
		for n, at := range first {
			answered := commits[n].answered
			if byID[n] == nil || byID[n].key != r.key || answered == 0 {
				continue
			}
			if r.call > at && r.end < answered && !slices.Contains(ids, n) {
				faults = append(faults, fmt.Sprintf("%+v does not show %+v, seen at %d and answered at %d", r, *byID[n], at, answered))
			}
		}
	}
	return faults
}
