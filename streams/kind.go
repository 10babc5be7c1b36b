package streams

import (
	"fmt"
	"slices"
	"strconv"
)

// Kind says what an [Event] tells. The zero value is no kind.
type Kind uint8

// What can happen to a resource.
const (
	Loaded      Kind = iota + 1 // a value where there was none; also every value of a snapshot
	Updated                     // another value
	Revalidated                 // the same value, fresh again (F9)
	Invalidated                 // the value is no longer to be used (O6)
	Expired                     // freshness ended
	Failed                      // the source failed; the last good value may go on serving (F3, F7)
	Missing                     // the source says that there is no such record (F4)
	Dropped                     // an answer came and was not used (O2)
	Optimistic                  // a mutation shows and is not confirmed yet (W2)
	Committed                   // the origin confirmed a mutation (W3)
	RolledBack                  // a mutation was taken out again (W3)
	Created                     // the origin made a new record (W5)
	Deleted                     // the origin deleted the record (W5)
	Evicted                     // the resource left the cache

	// The control kinds: words of the stream itself. They have no Key, pass every filter, and are not in the log.

	Synced   // the snapshot is complete; what follows is the tail (S5)
	Gap      // events From to To are lost to this subscriber (S3)
	Bookmark // nothing for this subscriber up to Revision (S12)

	kindEnd
)

// controlKinds is the first of the control kinds.
const controlKinds = Synced

var kindNames = [kindEnd]string{
	"None", "Loaded", "Updated", "Revalidated", "Invalidated", "Expired", "Failed", "Missing", "Dropped", "Optimistic",
	"Committed", "RolledBack", "Created", "Deleted", "Evicted", "Synced", "Gap", "Bookmark",
}

// String is the kind's name, or Kind(n) for one that this version does not know.
func (k Kind) String() string {
	if k < kindEnd {
		return kindNames[k]
	}
	return "Kind(" + strconv.Itoa(int(k)) + ")"
}

// MarshalText is String: in JSON a kind is its name.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText takes a kind's name.
func (k *Kind) UnmarshalText(text []byte) error {
	i := slices.Index(kindNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("freshet: %q is no kind of event", text)
	}
	*k = Kind(i)
	return nil
}

// Control reports whether k is Synced, Gap or Bookmark: a word of the stream, not a change of a resource.
func (k Kind) Control() bool { return k >= controlKinds && k < kindEnd }

// kindSet has bit k set for every kind in it; the empty set stands for all kinds.
type kindSet uint32

func (s kindSet) has(k Kind) bool { return s == 0 || s&(1<<k) != 0 }
