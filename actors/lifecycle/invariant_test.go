package lifecycle_test

import (
	"reflect"
	"time"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// check is what holds after every step.
func (o *oracle) check() {
	r, w := o.w.r, o.w
	o.checkAir()
	v := r.Shown()
	o.must(o.closed || r.Barrier() == o.barrier, "O0: barrier %d, want %d", r.Barrier(), o.barrier)
	if !o.closed {
		o.checkShown(v)
		o.checkObserved()
	}
	if v != nil && w.now < v.HitEnd {
		value, refresh, _ := o.admits(demand{})
		o.must(o.closed || value && !refresh, "F2: a hit until %s that is none at %s", say(v.HitEnd), say(w.now))
	}
	for _, p := range o.published {
		have := *p.v
		have.Revision = p.copy.Revision
		o.must(reflect.DeepEqual(have, p.copy), "a published version has changed: %v", p.v)
		o.must(p.v.Notes == nil || reflect.DeepEqual(*p.v.Notes, p.note), "a published version's notes have changed")
	}
}

func (o *oracle) checkAir() {
	r, w := o.w.r, o.w
	group, queued := r.Pending()
	o.must(r.Flying() == o.current, "O1: #%d is in the air, want #%d", r.Flying(), o.current)
	o.must((o.current != 0) == (group != ""), "F1: flight #%d, group %q", o.current, group)
	o.must(group == "" || w.pending[group], "F1: group %s was settled", group)
	o.must(queued == "" || w.pending[queued], "F1: queue %s was settled", queued)
	n := 0
	for _, f := range []string{group, queued} {
		if f != "" {
			n++
		}
	}
	o.must(len(w.pending) == n, "C6: pending %v, in the air %q and %q", w.pending, group, queued)
	o.must(len(w.settled)+len(w.pending) == w.minted, "C6: %d futures, %d settled, %d pending", w.minted, len(w.settled), len(w.pending))
	o.must(queued == "" || o.guarded(), "O4: %s queues, and nothing guards", queued)
	future, ok := r.Joinable(&w.rules)
	o.must(!ok || w.pending[future], "F1: %s can be joined and is not in the air", future)
	o.must(ok || o.current <= o.barrier || o.guarded(), "F1: a flight that nobody can join without asking")
}

func (o *oracle) checkShown(v *version) {
	if v == nil {
		o.must(o.known == lifecycle.Nothing, "nothing is shown")
		return
	}
	o.must(v.Known == o.known && v.Value == o.value && v.Seq == o.seq, "O2: shown %s, want %v %q #%d", sayKnown(v), o.known, o.value, o.seq)
	if o.known == lifecycle.Nothing {
		return
	}
	o.must(v.Void == (v.Seq <= o.barrier), "O0: #%d is void: %v, barrier %d", v.Seq, v.Void, o.barrier)
	o.must(v.At == o.at && v.FreshEnd == o.freshEnd, "F5: fresh from %s to %s, want %s to %s", say(v.At), say(v.FreshEnd), say(o.at), say(o.freshEnd))
	o.must(len(v.Tags()) == len(o.tags) && (len(o.tags) == 0 || v.Tags()[0] == o.tags[0]), "tags %v, want %v", v.Tags(), o.tags)
	if !v.Void {
		s, ok := o.w.settled[v.Future]
		o.must(ok && s.Version != nil && s.Version.Seq == v.Seq, "F2: %s is not the future that was settled with #%d", v.Future, v.Seq)
	}
}

// checkObserved: what is observed has a flight in the air or waits for an
// instant, and not for too long a one (S11).
func (o *oracle) checkObserved() {
	w := o.w
	if len(o.observers) == 0 {
		o.must(w.armed == lifecycle.Never, "S11: nobody observes, and Due comes at %s", say(w.armed))
		return
	}
	if o.current != 0 {
		return
	}
	latest := w.now + instant(time.Minute)
	if o.usable() {
		latest = max(latest, o.freshEnd)
		for _, refresh := range o.observers {
			if refresh > 0 && o.known == lifecycle.Present && o.freshEnd == lifecycle.Never {
				latest = max(w.now+instant(time.Minute), o.at.Plus(refresh))
			}
		}
	}
	o.must(w.armed <= latest, "S11: Due at %s, want by %s", say(w.armed), say(latest))
}
