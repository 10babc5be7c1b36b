package lifecycle

import "time"

// Known says what a resource knows.
type Known uint8

const (
	// Nothing was learned yet, or it was forgotten.
	Nothing Known = iota
	// Present says that there is a value.
	Present
	// Absent says that the origin said that there is no such record (F4).
	Absent
)

// Version is what a resource shows at one moment. It is immutable once it was
// published, but for Revision, which the driver sets while it publishes.
type Version[V any, F any] struct {
	// HitEnd is the first instant at which Admit must be asked; before it a
	// plain demand is a hit and nothing else. It and what a hit needs beside it
	// come first, in one cache line.
	HitEnd Instant
	Known  Known
	// Void: the stamp is not above the barrier. What is void is kept for
	// conditional requests and comparison, and answers no demand.
	Void  bool
	Value V
	// Future is settled with what this version knows: F2 hands it out.
	Future F
	// Seq is the stamp of the knowledge.
	Seq uint64
	// Revision is that of the event that told of this version.
	Revision uint64
	// At is when the knowledge was true at the origin: learned, less its age.
	At Instant
	// FreshEnd is the first instant at which it is not fresh (F5).
	FreshEnd Instant
	// Notes are what few versions have.
	Notes *Notes[V, F]
}

// Notes are the rarer properties of a version. Immutable.
type Notes[V any, F any] struct {
	Validator string
	Tags      []string
	// Failure is the last one since the knowledge was learned, nil if none.
	Failure *Failure[F]
	// Pending counts the mutations that were not confirmed when the version was
	// shown, those included that did not show yet; Base is what they are applied
	// to, nil where there are none.
	Pending int
	Base    *Version[V, F]
	// Passing says that the knowledge is not to be kept (a negative TTL): it goes
	// with the last mutation that stands on it.
	Passing bool
}

// over is n for a version with that many mutations over base.
func (n *Notes[V, F]) over(base *Version[V, F], pending int) *Notes[V, F] {
	if pending == 0 {
		return n
	}
	next := Notes[V, F]{}
	if n != nil {
		next = *n
	}
	next.Pending, next.Base = pending, base
	return &next
}

// Failure is a flight that failed after the version's knowledge was learned.
type Failure[F any] struct {
	Err    error
	Future F       // settled with Err and no old value; counts before Until
	Until  Instant // remembered until then (Freshness.Failure)
}

// Validator returns what the origin gave to ask whether the value changed.
func (v *Version[V, F]) Validator() string {
	if v == nil || v.Notes == nil {
		return ""
	}
	return v.Notes.Validator
}

// Tags returns the tags under which the knowledge can be invalidated.
func (v *Version[V, F]) Tags() []string {
	if v == nil || v.Notes == nil {
		return nil
	}
	return v.Notes.Tags
}

// Failure returns the last failure since the knowledge was learned, or nil.
func (v *Version[V, F]) Failure() *Failure[F] {
	if v == nil || v.Notes == nil {
		return nil
	}
	return v.Notes.Failure
}

// Pending returns how many mutations the origin has not confirmed.
func (v *Version[V, F]) Pending() int {
	if v == nil || v.Notes == nil {
		return 0
	}
	return v.Notes.Pending
}

// Confirmed is v without the mutations over it: what knowledge is compared with.
func (v *Version[V, F]) Confirmed() *Version[V, F] {
	if v == nil || v.Notes == nil || v.Notes.Base == nil {
		return v
	}
	return v.Notes.Base
}

// Ended is v once its resource has closed: it shows nothing, and holds what the
// answer of a commit in the air is compared with.
func (v *Version[V, F]) Ended() *Version[V, F] {
	if v.Pending() == 0 {
		return nil
	}
	return &Version[V, F]{Notes: &Notes[V, F]{Base: v.Confirmed()}}
}

// passing says that v is not to be kept.
func (v *Version[V, F]) passing() bool { return v.Notes != nil && v.Notes.Passing }

// Shown is the value's address, nil where there is none: an event's Before
// and After.
func (v *Version[V, F]) Shown() *V {
	if v == nil || v.Known != Present {
		return nil
	}
	return &v.Value
}

// Verdict is what Admit says of a version.
type Verdict uint8

const (
	// Refuse says that this version does not answer the demand.
	Refuse Verdict = iota
	// Serve says that its Future answers the demand.
	Serve
	// ServeAndRefresh is Serve, and a refresh should be in the air
	// (F6, F8).
	ServeAndRefresh
	// ServeFailure says that the remembered failure's Future answers (F3).
	ServeFailure
)

// Admit decides F0(a): whether v answers demand d at the instant now. It is
// the one place where that is decided; readers ask it without a message.
func (v *Version[V, F]) Admit(now Instant, rules *Rules, d *Demand[F]) Verdict {
	if v == nil || d.Kind == ForceReload {
		return Refuse
	}
	if d.Kind == MaxAge {
		// An absence is remembered as long as F4 says, not as long as d does.
		kept := v.Known == Present || (v.Known == Absent && now < v.FreshEnd)
		if kept && !v.Void && now.Sub(v.At) < d.MaxAge {
			return Serve
		}
		return Refuse
	}
	failure := v.Failure()
	quiet := failure != nil && now < failure.Until
	if v.Known != Nothing && !v.Void {
		if now < v.FreshEnd {
			if now < v.HitEnd || quiet {
				return Serve
			}
			return ServeAndRefresh
		}
		if v.Known == Present {
			if now < v.FreshEnd.Plus(rules.Stale) {
				if quiet {
					return Serve
				}
				return ServeAndRefresh
			}
			if quiet && now < v.FreshEnd.Plus(rules.StaleOnError) {
				return Serve
			}
		}
	}
	if quiet {
		return ServeFailure
	}
	return Refuse
}

// Sub is i - j, saturating at Forever where the difference does not fit.
func (i Instant) Sub(j Instant) time.Duration {
	d := i - j
	if (d < i) == (j > 0) {
		return time.Duration(d)
	}
	if i < j {
		return -Forever
	}
	return Forever
}

// carriesOn says whether a plain demand's failed flight settles with v's value
// all the same (F7). A failed refresh-ahead finds the value still fresh.
func (v *Version[V, F]) carriesOn(now Instant, rules *Rules) bool {
	return v != nil && v.Known == Present && !v.Void && now < v.FreshEnd.Plus(rules.StaleOnError)
}
