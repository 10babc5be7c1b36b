package record

import (
	"slices"
	"time"

	freshet "github.com/freshet-go/freshet/api"
)

// Tombstone keeps records read at or before At out, for Until at least.
type Tombstone struct{ At, Until time.Time }

// IsZero reports whether there is no tombstone.
func (t Tombstone) IsZero() bool { return t.Until.IsZero() }

// Covers reports whether a record read at readAt is kept out.
func (t Tombstone) Covers(readAt time.Time) bool { return !t.IsZero() && !readAt.After(t.At) }

// Join is what keeps out all that t or o keeps out.
func (t Tombstone) Join(o Tombstone) Tombstone {
	return Tombstone{At: latest(t.At, o.At), Until: latest(t.Until, o.Until)}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Entry is what is known of a key: its record, its tombstone, or both. A later
// record does not lift the tombstone that it outlived: when it expires the
// older ones are still kept out.
type Entry struct {
	Record *freshet.Record // nil: none
	Erased Tombstone
}

// Set is e with r, and whether r was kept (D5): not where a later record or a
// tombstone at or after r.ReadAt is there.
func (e Entry) Set(r freshet.Record) (Entry, bool) {
	if e.Erased.Covers(r.ReadAt) || e.Record != nil && e.Record.ReadAt.After(r.ReadAt) {
		return e, false
	}
	e.Record = &r
	return e, true
}

// Erase is e without what t covers, and with t.
func (e Entry) Erase(t Tombstone) Entry {
	e.Erased = e.Erased.Join(t)
	if e.Record != nil && e.Erased.Covers(e.Record.ReadAt) {
		e.Record = nil
	}
	return e
}

// Live is the record that is there and has not expired.
func (e Entry) Live(now time.Time) (freshet.Record, bool) {
	if e.Record == nil || Expired(*e.Record, now) {
		return freshet.Record{}, false
	}
	return *e.Record, true
}

// Trim is e without what is of no use any more at now; keep is false where
// nothing is left of it.
func (e Entry) Trim(now time.Time) (_ Entry, keep bool) {
	if e.Record != nil && Expired(*e.Record, now) {
		e.Record = nil
	}
	if !now.Before(e.Erased.Until) {
		e.Erased = Tombstone{}
	}
	return e, e.Record != nil || !e.Erased.IsZero()
}

// Expired reports whether r has expired at now: at its very ExpiresAt it has.
func Expired(r freshet.Record, now time.Time) bool {
	return !r.ExpiresAt.IsZero() && !now.Before(r.ExpiresAt)
}

// Clone is r with bytes and tags of its own.
func Clone(r freshet.Record) freshet.Record {
	r.Value, r.Tags = slices.Clone(r.Value), slices.Clone(r.Tags)
	r.ReadAt, r.ExpiresAt = wall(r.ReadAt), wall(r.ExpiresAt)
	return r
}

// wall drops the monotonic reading, which means nothing to another process.
func wall(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.Round(0).UTC()
}
