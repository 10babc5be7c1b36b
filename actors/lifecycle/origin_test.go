package lifecycle_test

import (
	"fmt"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// origin is the fake server of TestModel: the truth. Each change of a record is
// numbered, and the value names its number, so that whatever a cache shows tells
// when it was true. What mutations make optimistically looks different, and so
// does what was set by hand.
type origin struct {
	changes int
	records [modelKeys]record
}

// record is what the origin has, or had, of a key.
type record struct {
	known  lifecycle.Known
	value  string
	change int // by which it is so; byHand: the origin never said it
}

const byHand = -1

// write makes the record of key another one.
func (o *origin) write(key int, known lifecycle.Known) record {
	o.changes++
	r := record{known: known, change: o.changes}
	if known == lifecycle.Present {
		r.value = fmt.Sprintf("v%d", o.changes)
	}
	o.records[key] = r
	return r
}

// call is what is on its way to the origin, or to the second tier, or back.
type call struct {
	kind  callKind
	key   int
	stamp uint64
	what  *mutation // aCommit
	// seen is what the origin had, or made, when the call got there. nil: it is
	// on its way to it.
	seen    *record
	refused bool
	cached  bool               // aLookUp: seen was in the second tier
	list    [modelKeys]*record // aList
	// over says that nobody waits for the answer: cancelled, or told as unknown.
	over bool
}

type callKind uint8

const (
	aFetch callKind = iota
	aLookUp
	aCommit
	aCreate
	aList
)

// arrives lets c reach the origin: that is when a read sees what it sees, and a
// write is applied or refused.
func (m *model) arrives(c *call, refuse bool) {
	if c.seen != nil || c.refused {
		return
	}
	seen := m.origin.records[c.key]
	switch c.kind {
	case aFetch:
	case aLookUp:
		stored := m.keys[c.key].stored
		c.cached = stored != nil
		if c.cached {
			seen = *stored
		}
	case aList:
		for key := range c.list {
			r := m.origin.records[key]
			c.list[key] = &r
		}
	case aCommit, aCreate:
		if c.refused = refuse; refuse {
			return
		}
		known := lifecycle.Present
		if c.kind == aCommit && c.what.Kind == lifecycle.Delete {
			known = lifecycle.Absent
		}
		seen = m.origin.write(c.key, known)
	}
	c.seen = &seen
}
