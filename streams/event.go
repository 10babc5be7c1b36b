package streams

import "time"

// Event is one change of one resource, or a word of the stream itself (Synced, Gap, Bookmark). It is a value: copy it
// freely. What Before and After point to is shared with the cache and with every other subscriber and is never to be
// modified.
type Event[V any] struct {
	// Revision is the event's place in the one order of its cache (S1): 1 is the first, without holes. Several events
	// of one key have several revisions. On a value of a snapshot it is the revision of that value; on Synced the
	// boundary; on Gap equal to To; on Bookmark what the subscriber is known to have seen or filtered out.
	Revision uint64
	// Cache is the name of the cache the event comes from.
	Cache string
	// Key is the resource, empty on control events.
	Key string
	// Kind says what happened.
	Kind Kind
	// Seq is the stamp of the knowledge behind the event (O0), 0 where there is none.
	Seq uint64
	// Before and After are the visible value around the event, whatever its Kind; nil: absent. Who keeps a copy of what
	// readers of the cache see follows After and need not know the kinds.
	Before, After *V
	// Reason tells events of one Kind apart; see the Reason constants. May be empty.
	Reason string
	// Err is what went wrong, on Failed and RolledBack, and what the source said, on Missing. NOTE: encoding/json makes
	// {} of most errors, and of a [PanicError] its stack, and leaves the Token out: who sends events on says himself what
	// of them.
	Err error
	// At is when it happened, by the clock of the cache.
	At time.Time
	// From and To are the revisions that a Gap lost, both inclusive; 0 on every other kind.
	From, To uint64

	// life names the life of the cache that the event belongs to; 0 where the event is no place to resume from.
	life uint64
}

// Token is where a subscription that has seen this event can be resumed with [Since]. It is empty on the values of a
// snapshot and on the Gap of a [Resync] (S5: there is nothing to resume before Synced), and on events that no
// subscription delivered.
func (e Event[V]) Token() Token {
	if e.life == 0 {
		return ""
	}
	return makeToken(e.life, e.Revision)
}

// Reasons, as they appear in [Event].Reason. The set is open: a reader must not fail on one it does not know.
const (
	ReasonFlight     = "flight"       // Loaded, Updated, Revalidated, Missing: an answer of the source
	ReasonStore      = "store"        // Loaded: found in the second tier
	ReasonSet        = "set"          // Loaded, Updated, Revalidated: learned elsewhere and set
	ReasonList       = "list"         // Loaded, Updated, Revalidated: seeded by a list
	ReasonSize       = "size"         // Evicted: the cache was full
	ReasonRemoval    = "removal"      // Evicted: removed by a call
	ReasonAge        = "age"          // Evicted: it was of no use for long, or not to be kept
	ReasonSuperseded = "supersession" // Dropped: a newer flight took its place
	ReasonBarrier    = "barrier"      // Dropped: it was older than an invalidation, a set or a write
	ReasonTimeout    = "timeout"      // Dropped: it came after its deadline
	ReasonNewer      = "newer"        // Dropped: what is held is newer
	ReasonUnknown    = "unknown"      // RolledBack: the origin may have applied it
	ReasonMember     = "member"       // Updated, of a list: a write made or took out a member
)
