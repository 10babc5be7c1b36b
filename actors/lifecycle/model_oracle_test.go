package lifecycle_test

import (
	"errors"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// keyModel is one key of TestModel: what drives it, and the oracle of what it
// has to know and show.
type keyModel struct {
	*world
	m           *model
	key         int
	incarnation int

	// What is known (O0), and the mutations over it (W1).
	base    known
	barrier uint64
	wrote   uint64 // when the last write landed
	unsure  bool   // a write may have been applied, and nothing was read since
	layers  []*pendingWrite
	commit  uint64 // in the air
	// floorChange is the oldest change of the origin that may be shown as
	// usable: older ones are from before a barrier or a write that is complete.
	floorChange int

	current, newest uint64 // the flight or look-up in the air
	air             air    // before this step
	landed          known  // what a landing brought that is not kept
	observers       int
	asks            map[string][]modelAsk
	waited          map[string]int // how many commits each future has waited for
	done            map[string]bool

	stored *record // what the second tier has
	debt   debt    // and is owed
	tomb   uint64  // nothing older is kept there

	expect   map[*mutation]finish // how mutations have to end in this step
	finished map[*mutation]bool
	told     int     // the mutations that were pending at the last event
	after    *string // what that event showed
}

// known is knowledge with the number that it has in the cache.
type known struct {
	record
	seq      uint64
	freshEnd instant // of an absence
	passing  bool    // it was not to be kept
}

type pendingWrite struct {
	what *mutation
	told bool
}

type finish struct {
	err     error
	unknown bool
}

// modelAsk is what a waiter must not be answered with.
type modelAsk struct {
	barrier uint64
	change  int
}

// debt is what the second tier is owed.
type debt struct {
	record *record
	seq    uint64
	erase  uint64
}

func newKeyModel(m *model, key int) *keyModel {
	k := &keyModel{
		world: newWorld(m.rules, m.floor), m: m, key: key, barrier: m.floor, asks: map[string][]modelAsk{},
		waited: map[string]int{}, done: map[string]bool{}, finished: map[*mutation]bool{},
	}
	return k
}

func (k *keyModel) truth() record { return k.m.origin.records[k.key] }

// void: knowledge is usable iff its stamp is above the barrier (O0).
func (k *keyModel) void() bool { return k.base.known != lifecycle.Nothing && k.base.seq <= k.barrier }

func (k *keyModel) usable() bool { return k.base.known != lifecycle.Nothing && !k.void() }

// forgotten: the absence is no longer remembered (F4).
func (b *known) forgotten(now instant) bool {
	return b.known == lifecycle.Absent && now >= b.freshEnd
}

// outcome is what the resource shows with one more layer.
type outcome struct {
	known lifecycle.Known
	value string
	ready bool
	err   error
	firm  bool // it does not depend on the base
}

// over applies the layers to base, from nothing, as W1 says it.
func (k *keyModel) over(base known, usable bool) []outcome {
	o := outcome{known: base.known, value: base.value}
	if o.known == lifecycle.Nothing {
		usable = false
	}
	var all []outcome
	for i, l := range k.layers {
		o.err, o.ready = nil, true
		switch l.what.Kind {
		case lifecycle.Replace:
			o.known, o.value, o.firm, usable = lifecycle.Present, l.what.Value, true, true
		case lifecycle.Delete:
			o.known, o.value, o.firm, usable = lifecycle.Absent, "", true, true
		case lifecycle.Alter:
			switch o.known {
			case lifecycle.Nothing:
			case lifecycle.Absent:
				o.err = lifecycle.ErrNotFound
			default:
				var v string
				if v, o.err = l.what.Apply(o.value); o.err == nil {
					o.value = v
				}
			}
			committing := i == 0 && k.commit != 0 // it shows nothing, and stays
			o.ready = o.known != lifecycle.Nothing && (usable || l.told) && (o.err == nil || committing)
			if usable && committing {
				o.err = nil
			}
			if !usable {
				o.err = nil // it waits for something to start from
			}
		}
		all = append(all, o)
	}
	return all
}

// visible is what has to be shown over base.
func (k *keyModel) visible(base known, usable bool) outcome {
	all := k.over(base, usable)
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].ready && k.layers[i].told {
			return all[i]
		}
	}
	return outcome{known: base.known, value: base.value}
}

// mayCommit says whether the first layer has all that its commit needs.
func (k *keyModel) mayCommit() bool {
	if len(k.layers) == 0 || k.unsure {
		return false
	}
	first := k.over(k.base, k.usable())[0]
	return first.ready && (first.firm || k.usable())
}

// rebase takes out the layers that cannot be applied to the base, and shows
// those that can be at last. brought says that the base is news.
func (k *keyModel) rebase(brought bool) {
	for {
		fell := -1
		usable := k.usable() && (brought || !k.base.forgotten(k.m.now))
		for i, o := range k.over(k.base, usable) {
			switch {
			case o.err != nil && fell < 0:
				fell = i
			case fell < 0 && o.ready:
				k.layers[i].told = true
			}
		}
		if fell < 0 {
			break
		}
		o := k.over(k.base, usable)[fell]
		k.ends(fell, finish{err: o.err})
	}
	if len(k.layers) == 0 && k.base.passing {
		k.base = known{}
	}
}

// ends takes layer i out and expects its mutation to be told so.
func (k *keyModel) ends(i int, how finish) {
	k.expect[k.layers[i].what] = how
	k.layers = append(k.layers[:i:i], k.layers[i+1:]...)
}

// learn makes r the base.
func (k *keyModel) learn(r record, stamp uint64, ttlNegative bool) {
	k.landed = known{record: r, seq: stamp}
	k.unsure = false
	passing := ttlNegative && r.known == lifecycle.Present
	if passing && len(k.layers) == 0 {
		k.base = known{}
		return
	}
	k.base = known{record: r, seq: stamp, freshEnd: k.m.now + instant(k.m.rules.Missing), passing: passing}
	k.rebase(true)
}

// completed says that what the origin had before change may no longer answer.
func (k *keyModel) completed(change int) { k.floorChange = max(k.floorChange, change) }

func (k *keyModel) mutated(what *mutation, n uint64) {
	if k.m.closed {
		k.expect[what] = finish{err: lifecycle.ErrClosed}
		return
	}
	l := &pendingWrite{what: what, told: true}
	if what.Kind == lifecycle.Alter {
		top := outcome{known: k.base.known, value: k.base.value, ready: k.usable() && !k.base.forgotten(k.m.now)}
		if all := k.over(k.base, k.usable()); len(all) > 0 {
			top = all[len(all)-1]
			top.ready = top.ready && k.layers[len(all)-1].told
		}
		var err error
		switch {
		case !top.ready:
			l.told = false
		case top.known == lifecycle.Absent:
			err = lifecycle.ErrNotFound
		default:
			_, err = what.Apply(top.value)
		}
		if err != nil {
			k.expect[what] = finish{err: err}
			return
		}
	}
	k.layers = append(k.layers, l)
}

func (k *keyModel) committed(c *call, ttlNegative bool, n uint64) {
	r, b := *c.seen, k.base
	k.completed(r.change)
	k.wrote = n
	k.commit = 0
	k.ends(0, finish{})
	switch kept := c.stamp > k.barrier; {
	case kept:
		k.barrier, k.unsure = c.stamp-1, false
		fallthrough
	case b.known != lifecycle.Nothing && b.seq <= k.barrier && b.seq < c.stamp:
		k.base = known{record: r, seq: c.stamp, freshEnd: k.m.now + instant(k.m.rules.Missing)}
		k.base.passing = ttlNegative && r.known == lifecycle.Present
		k.rebase(true)
	default:
		k.rebase(false)
	}
}

func (k *keyModel) rejected(c *call, err error, unknown bool, n uint64) {
	k.commit = 0
	k.ends(0, finish{err, unknown})
	gone := errors.Is(err, lifecycle.ErrNotFound) && !unknown && c.stamp > k.barrier
	switch {
	case unknown:
		k.completed(k.truth().change)
		k.barrier, k.unsure = n, true
	case gone:
		k.completed(c.seen.change)
		k.barrier, k.wrote = c.stamp-1, n
		k.base = known{record: *c.seen, seq: c.stamp, freshEnd: k.m.now + instant(k.m.rules.Missing)}
	}
	k.rebase(gone)
}

func (k *keyModel) failed(stamp uint64, err error) {
	if k.current != stamp || stamp == 0 {
		return
	}
	k.current = 0
	if len(k.layers) > 0 && !k.mayCommit() {
		k.ends(0, finish{err: err})
		k.rebase(false)
	}
}

func (k *keyModel) arrived(c *call, ttlNegative bool) {
	if k.current != c.stamp {
		return // dropped
	}
	k.current = 0
	if c.stamp <= k.barrier {
		k.landed = known{record: *c.seen, seq: c.stamp}
		return
	}
	k.learn(*c.seen, c.stamp, ttlNegative)
}

func (k *keyModel) looked(c *call) {
	if k.current != c.stamp {
		return
	}
	k.current = 0
	if c.cached && c.stamp > k.barrier {
		k.learn(*c.seen, c.stamp, false)
	}
}

// air is what a key has in the air.
type air struct {
	group, queued string
	stamp         uint64 // 0: it is held
}

// flies says that something is in the air that took off after stamp, or will.
func (a air) flies(stamp uint64) bool {
	return a.group != "" && (a.stamp == 0 || a.stamp > stamp || a.queued != "")
}

// created: where anything came between, nobody knows what the origin had first.
func (k *keyModel) created(c *call, n uint64) {
	wrote := k.wrote
	k.wrote = n
	if c.stamp <= k.barrier || wrote > c.stamp || k.commit != 0 || k.base.seq > c.stamp || k.air.flies(c.stamp) {
		k.completed(k.truth().change)
		if k.base.seq < c.stamp {
			k.base = known{record: *c.seen, seq: c.stamp}
		}
		k.barrier = n
		k.rebase(true)
		return
	}
	k.completed(c.seen.change)
	k.barrier = c.stamp - 1
	k.learn(*c.seen, c.stamp, false)
}
