package lifecycle

import "time"

// Knowledge is what somebody learned of the resource: a response, a value set
// by hand.
type Knowledge[V any] struct {
	Known     Known // Present or Absent
	Value     V
	Unchanged bool          // the origin says that the held value, which Value repeats, still holds
	TTL       time.Duration // 0: the configured one; negative: do not keep
	Age       time.Duration // how old it already is at the origin
	Validator string
	Tags      []string
	Err       error   // what an absence answers; nil: ErrNotFound
	Draw      float64 // a random number in [0,1) for the jitter (F5)

	// Against is the Seq of the held value that Equal and Older were computed
	// against (Held), 0 where none was held. User code ran for them, so they
	// come with the command; when the held value has changed since, the
	// command does nothing and asks to be tried again.
	Against uint64
	Equal   bool // equal to the held value: renews freshness only (F9)
	Older   bool // not newer than the held value: never replaces it (O9)
	// Cover is the highest barrier of a tag in Tags; of a Create's answer the newest
	// knowledge, too, that may have been held of its key and is not any more.
	Cover uint64
}

// Held is the Seq of the value that knowledge is compared with, 0 if none.
func (v *Version[V, F]) Held() uint64 {
	if v == nil || v.Known != Present {
		return 0
	}
	return v.Seq
}

// stale says that k was compared with a value that is no longer held.
func (r *Resource[V, F]) stale(k *Knowledge[V]) bool {
	return k.Known == Present && k.Against != r.Base().Held()
}

// overtaken says that one of k's tags was invalidated after the turn took its
// numbers. What they order would be void at once, and a reader who joined what
// is in the air since the invalidation must not be answered with it (O6). A turn
// that takes them when they are needed does so after Cover was found.
func (t *Turn[V, F]) overtaken(k *Knowledge[V]) bool {
	return k.Cover > 0 && k.Cover > t.stamp()
}

// version is k as a version with the given stamp: what is shown if it is kept.
func (r *Resource[V, F]) version(t *Turn[V, F], k *Knowledge[V], stamp uint64, future F) *Version[V, F] {
	v := t.Driver.Room(future)
	v.Known, v.Value, v.Seq, v.Future, v.At = k.Known, k.Value, stamp, future, t.Now-Instant(max(k.Age, 0))
	validator, tags := k.Validator, k.Tags
	if held := r.Base(); k.Known == Present && held.Held() != 0 && (k.Unchanged || k.Equal || k.Older) {
		// What is held stays: F9 renews its freshness, O9 forbids to replace it.
		v.Value = held.Value
		if k.Older || (k.Unchanged && validator == "") {
			validator = held.Validator()
		}
		if k.Older || (k.Unchanged && tags == nil) {
			tags = held.Tags()
		}
	}
	if passing := k.Known == Present && k.TTL < 0; passing || validator != "" || len(tags) > 0 {
		v.Notes = &Notes[V, F]{Validator: validator, Tags: tags, Passing: passing}
	}
	v.FreshEnd, v.HitEnd = lifetime(t.Rules, k, v.At)
	return v
}

// lifetime says until when k is fresh and until when a demand for it is a hit
// and nothing else. Jitter only shortens (F5).
func lifetime[V any](rules *Rules, k *Knowledge[V], at Instant) (freshEnd, hitEnd Instant) {
	if k.Known == Absent {
		return at.Plus(rules.Missing), at.Plus(rules.Missing)
	}
	ttl := k.TTL
	if ttl == 0 {
		ttl = rules.TTL
	}
	switch {
	case ttl < 0:
		return at, at
	case ttl == 0 || ttl == Forever:
		return Never, Never
	}
	ttl -= part(ttl, rules.Jitter*k.Draw)
	return at.Plus(ttl), at.Plus(ttl - part(ttl, rules.Ahead))
}

// part is the given fraction of d. Floats round: it is never more than d.
func part(d time.Duration, fraction float64) time.Duration {
	p := float64(d) * fraction
	if p >= float64(d) {
		return d
	}
	return min(time.Duration(p), d)
}

// told is what an event says of what was learned; the zero told is what follows
// from what was held before.
type told struct {
	kind   Kind
	seq    uint64
	forced bool
}

// learn makes v, which carries k, the base, unless k is not to be kept, and
// returns what answers those who waited. With mutations pending over brought
// them replayed, and what they stand on is kept as long as they do.
func (r *Resource[V, F]) learn(t *Turn[V, F], k *Knowledge[V], v *Version[V, F], from Reason, as told) (answer *Version[V, F]) {
	held, pending := r.Base(), r.writes != nil
	r.unsure = false
	if v.passing() && !pending {
		r.erase(t, v.Seq)
		if held != nil && (held.Known != Nothing || held.Failure() != nil) {
			r.publish(t, &Version[V, F]{}, Evicted, ByAge, v.Seq, nil)
		}
		r.arm(t)
		return v
	}
	out := r.rebase(t, v)
	if !as.forced {
		as = told{kind: kindOf(k, held), seq: v.Seq}
	}
	var err error
	if as.kind == Missing {
		err = k.Err
	}
	r.publish(t, v, as.kind, from, as.seq, err)
	r.tellFallen(t, out)
	r.tellNew(t)
	if from != ByStore {
		r.keep(t, v, from == BySet || as.forced)
	}
	if w := r.watch(); w != nil {
		if k.Known == Absent {
			w.failures++ // ask again, but less and less often
		} else {
			w.failures = 0
		}
	}
	r.arm(t)
	if pending && r.shown.Known != Nothing {
		return r.shown
	}
	return v
}

// kindOf is what learning k tells where held was held.
func kindOf[V any, F any](k *Knowledge[V], held *Version[V, F]) Kind {
	switch {
	case k.Known == Absent && held != nil && held.Known == Absent:
		return Revalidated
	case k.Known == Absent:
		return Missing
	case held.Held() == 0:
		return Loaded
	case k.Unchanged || k.Equal || k.Older:
		return Revalidated
	default:
		return Updated
	}
}

// settle settles future with what v knows.
func (t *Turn[V, F]) settle(future F, v *Version[V, F], absence error) {
	t.next(DoSettle).settle(future, v, absence)
}

// settled is the effect that settles future with what v knows.
func settled[V any, F any](future F, v *Version[V, F], absence error) (e Effect[V, F]) {
	e.Do = DoSettle
	e.settle(future, v, absence)
	return e
}

func (e *Effect[V, F]) settle(future F, v *Version[V, F], absence error) {
	e.Future, e.Version, e.Stamp = future, v, v.Seq
	if v.Known == Absent {
		e.Err = absence
		if e.Err == nil {
			e.Err = ErrNotFound
		}
	}
}
