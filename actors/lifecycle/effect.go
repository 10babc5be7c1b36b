package lifecycle

import "time"

// Turn is one command's surroundings: what the driver brings in and what the
// command says is to be done.
type Turn[V any, F any] struct {
	Rules  *Rules
	Driver Driver[V, F]
	Now    Instant
	// Number and Number+1 are fresh: above every number ever handed out in
	// this cache. The first is a barrier, the second a stamp, so that what
	// takes off in a turn is above what the turn declares void. 0: the driver is
	// asked for it, once, when it is needed, which in most landings it is not.
	Number uint64
	// Waiting says that somebody holds a future of what is in the air.
	Waiting bool
	// Values are the driver's own: what the flights of a future that is minted in
	// this turn are to carry. nil: nothing.
	Values any
	// Replay is what the driver ran for this command (DoReplay), nil at first.
	Replay *Replay[V]
	// Effects are to be performed in order.
	Effects Effects[V, F]
}

// Driver is who performs what a resource asks for. A turn asks it for what the core
// cannot make, numbers and futures, and for memory where it knows of some. It is
// asked on the goroutine that runs the command; whoever drives several resources with
// one Driver may be asked by all of them at once.
type Driver[V any, F any] interface {
	// Fresh returns a Turn's Number.
	Fresh() uint64
	// Mint makes a pending future, whose flights carry the turn's Values.
	Mint(values any) F
	// Ready makes a future that this turn settles with a value before anybody can
	// wait for it.
	Ready() F
	// Room is where the version goes that a future settles with, zero so far. The
	// future may be none, or have settled.
	Room(F) *Version[V, F]
	// Air is memory for what is in the air, zero; TakeBack gets it back, zero again,
	// when nothing is. To keep it spares an allocation a flight.
	Air() *Air[F]
	TakeBack(*Air[F])
}

// settling makes a future that this turn settles with what is known. Only for
// an absence does anybody wait who was shown the version first.
func (t *Turn[V, F]) settling(what Known) F {
	if what != Present {
		return t.mint()
	}
	return t.Driver.Ready()
}

func (t *Turn[V, F]) mint() F { return t.Driver.Mint(t.Values) }

func (t *Turn[V, F]) number() uint64 {
	if t.Number == 0 {
		t.Number = t.Driver.Fresh()
	}
	return t.Number
}

func (t *Turn[V, F]) barrier() uint64 { return t.number() }
func (t *Turn[V, F]) stamp() uint64   { return t.number() + 1 }

// between are a barrier that everything handed out so far is void under, and
// the stamp of what stands above it, where something else takes off in the same
// turn: that has a stamp of its own.
func (t *Turn[V, F]) between() (barrier, stamp uint64) {
	return t.number() - 1, t.number()
}

func (t *Turn[V, F]) do(e Effect[V, F]) { *t.next(e.Do) = e }

// next is the next effect, to be filled in before anything else is asked for: what
// every load asks for is written once, where it stays. To copy what was written
// just before costs more than to write it.
func (t *Turn[V, F]) next(do Do) *Effect[V, F] {
	e := t.Effects.add()
	e.Do = do
	return e
}

// Effects are what a command asks for. Few are as a rule, and those lie in it: a
// turn on a driver's stack needs no other memory.
type Effects[V any, F any] struct {
	n           int
	publishes   int // how many of them are DoPublish,
	lastPublish int // and the last of those
	few         [3]Effect[V, F]
	many        []Effect[V, F] // the rest
}

// Len is how many there are.
func (s *Effects[V, F]) Len() int { return s.n }

// At is the i-th of them, counted from 0 and below Len. It is good until the turn asks
// for more.
func (s *Effects[V, F]) At(i int) *Effect[V, F] {
	if i < len(s.few) {
		return &s.few[i]
	}
	return &s.many[i-len(s.few)]
}

// Publishes is how many of them are DoPublish, and the last of those, nil if none.
func (s *Effects[V, F]) Publishes() (n int, last *Effect[V, F]) {
	if s.publishes == 0 {
		return 0, nil
	}
	return s.publishes, s.At(s.lastPublish)
}

// publish is the next effect, a DoPublish. There is no other way to one.
func (s *Effects[V, F]) publish() *Effect[V, F] {
	s.publishes, s.lastPublish = s.publishes+1, s.n
	e := s.add()
	e.Do = DoPublish
	return e
}

func (s *Effects[V, F]) add() *Effect[V, F] {
	if s.n >= len(s.few) {
		s.many = append(s.many, Effect[V, F]{})
	}
	s.n++
	return s.At(s.n - 1)
}

// Do is what an effect asks for.
type Do uint8

const (
	// DoAnswer answers the demand: with Future, or Err where the resource is
	// closed. Version is set where Future is settled with it.
	DoAnswer Do = iota
	// DoTakeOff starts a flight with Stamp for the group of Future, bounded by
	// Timeout (0: the cache's). Version is what a conditional request may
	// build on, nil if nothing.
	DoTakeOff
	// DoCancel cancels the flight with Stamp; Err is the cause.
	DoCancel
	// DoSettle settles Future: with Version's value or absence, or with Err.
	// Where Err and Version are both set the group was strict (F7): Err is its
	// answer, Version what a plain demand may fall back on.
	DoSettle
	// DoPublish shows Version and tells the event, in one critical section.
	DoPublish
	// DoAgain asks for the same command in another turn, with Equal and Older
	// computed anew: what they were computed against is no longer held, or a
	// tag was invalidated after Number was taken.
	DoAgain
	// DoLookUp asks the second tier for the group of Future before the origin
	// (D1), with Stamp; Looked brings what it had.
	DoLookUp
	// DoPersist gives Version, which the origin confirmed, to the second tier.
	DoPersist
	// DoErase takes the second tier's record out; Stamp is to come back with
	// Stored when that is acknowledged (D4).
	DoErase
	// DoReplay asks for the same command in another turn that brings Replay, run.
	DoReplay
	// DoCommit has the origin asked to apply Mutation, whose value is Value, with
	// Stamp; Committed or Rejected bring its answer.
	DoCommit
	// DoFinish ends Mutation for who waits for it: with Value as the origin has
	// it, or with Err, where Unknown says that the origin may have applied it.
	DoFinish
	// DoArm asks for Due at the instant At; Never disarms.
	DoArm
	// DoDie ends the resource: it answers nothing any more.
	DoDie
)

// Effect is one thing to do. Which fields count, Do says.
type Effect[V any, F any] struct {
	Do      Do
	Kind    Kind
	Reason  Reason
	Stamp   uint64
	Future  F
	Version *Version[V, F]
	Before  *V // DoPublish: what was shown before, nil: nothing
	Err     error
	Timeout time.Duration
	At      Instant

	Replay   *Replay[V]
	Mutation *Mutation[V]
	Value    *V // DoCommit, DoFinish; nil: none
	Unknown  bool
}

// Kind says what an event tells.
type Kind uint8

// The kinds: those of package streams, which says what each means.
const (
	Loaded Kind = iota
	Updated
	Revalidated
	Invalidated
	Expired
	Failed
	Missing
	Dropped
	Evicted
	Optimistic
	Committed
	RolledBack
	Created
	Deleted
)

// Reason tells events of one kind apart.
type Reason uint8

// The reasons; an event that needs none has NoReason.
const (
	NoReason Reason = iota

	ByFlight // where knowledge came from: an origin call,
	ByStore  // the second tier,
	BySet    // Set or Put,
	ByList   // a list that seeded its member

	BySize    // why a resource was evicted: to make room,
	ByRemoval // by Remove,
	ByAge     // useless for long, or not to be kept

	BySupersession // why a response was dropped: a newer flight or value,
	ByBarrier      // an invalidation,
	ByTimeout      // it came after its timeout,
	ByNewer        // a newer value is held (O9)

	ByUnknown // why a mutation was rolled back: the origin may have applied it (W3)
	ByMember  // why a list was updated: a record was created or deleted (W8)
)

var reasons = [...]string{
	NoReason: "", ByFlight: "flight", ByStore: "store", BySet: "set", ByList: "list",
	BySize: "size", ByRemoval: "removal", ByAge: "age",
	BySupersession: "supersession", ByBarrier: "barrier", ByTimeout: "timeout", ByNewer: "newer",
	ByUnknown: "unknown", ByMember: "member",
}

func (r Reason) String() string { return reasons[r] }

var kinds = [...]string{
	Loaded: "Loaded", Updated: "Updated", Revalidated: "Revalidated", Invalidated: "Invalidated",
	Expired: "Expired", Failed: "Failed", Missing: "Missing", Dropped: "Dropped", Evicted: "Evicted",
	Optimistic: "Optimistic", Committed: "Committed", RolledBack: "RolledBack", Created: "Created", Deleted: "Deleted",
}

func (k Kind) String() string { return kinds[k] }
