package actors

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// lists are the collections of a table (W8): a table of their own, whose
// resources are the ordered keys of what a query selects. It shares the
// numbers of the members' table, so that a list's stamp can be compared with a
// member's barrier, and its gate.
type lists[V any] struct {
	members *Table[V]
	lister  Lister[V]
	table   *Table[[]string]
}

const (
	// listsUnbounded is how many lists there may be where the bound is a weight:
	// what keys weigh nobody says.
	listsUnbounded = 1024
	// listsHistory is how many keys the history of the lists may hold: each
	// event has a whole list, and they can be long.
	listsHistory = 1 << 20
)

func newLists[V any](members *Table[V], c Config[V]) (*lists[V], error) {
	s := &lists[V]{members: members, lister: c.Lister}
	most := c.MaxEntries
	if most == 0 && c.MaxWeight > 0 {
		most = listsUnbounded
	}
	var err error
	s.table, err = newTable(Config[[]string]{
		Name: c.Name, Source: s, Runtime: c.Runtime, Freshness: c.Freshness, Timeout: c.Timeout,
		Reload: c.Reload, MaxSupersede: c.MaxSupersede, AbortAbandoned: c.AbortAbandoned,
		MaxEntries: most, Equal: slices.Equal[[]string], History: c.History,
		MaxWeight: historyShare * listsHistory,
		Weigh:     func(_ string, keys []string) uint32 { return uint32(len(keys)) },
	}, members.numbers, members.gate)
	if err != nil {
		return nil, err
	}
	s.table.policy.maxWeight = 0 // of the history alone
	return s, nil
}

// ListKey is the key of a query's list in Lists: not empty, and not to be taken
// for a member's in an error or an event.
func ListKey(query string) string { return "?" + query }

// Fetch is the load of a list, which seeds its members in one go.
func (s *lists[V]) Fetch(ctx context.Context, r Request[[]string]) (Response[[]string], error) {
	t := s.members
	var began lifecycle.Instant
	if t.tier != nil {
		began = t.tier.readTick()
	}
	items, err := s.lister.List(ctx, r.Key[1:])
	if err != nil {
		return Response[[]string]{}, err
	}
	// What comes late will be dropped, and so is what it would seed (O2). Those who wait
	// hear of a timeout before the context does.
	seeding := t.clock.Now()
	until, timed := ctx.Deadline()
	late := ctx.Err() != nil || timed && !t.clock.Time(seeding).Before(until)
	keys := make([]string, 0, len(items))
	seen := make(map[string]struct{}, len(items))
	for i, item := range items {
		if err := checkKey(item.Key); err != nil {
			return Response[[]string]{}, fmt.Errorf("freshet: item %d of the list: %w", i, err)
		}
		if _, twice := seen[item.Key]; twice {
			continue
		}
		seen[item.Key] = struct{}{}
		keys = append(keys, item.Key)
		if !late {
			t.seed(item, r.Seq, began)
			t.makeRoom()
		}
	}
	// A list that was fresh for longer than its members would have each of them
	// fetched by itself: it is as old as the first, and what landing takes.
	return Response[[]string]{Value: keys, Age: 2 * t.clock.Now().Sub(seeding)}, nil
}

// seed offers item to its cell as knowledge with the stamp of the list. None is
// made that would refuse it, nor before user code has returned.
func (t *Table[V]) seed(item Item[V], stamp uint64, began lifecycle.Instant) {
	for !t.closed.Load() {
		var held *lifecycle.Version[V, *Future[V]]
		c := t.cells.find(item.Key)
		if c != nil {
			held = c.shown.Load().Confirmed()
		} else if stamp <= t.floor.Load() {
			return
		}
		m := message[V]{op: opSeeded, stamp: stamp, began: began}
		t.know(&m.knowledge, &m.weight, item.Key, &Response[V]{Value: item.Value}, nil, held)
		if c == nil {
			c, _, _ = t.enter(item.Key) // the key was checked
		}
		if c.send(&m); !m.gone && !m.again {
			return
		}
	}
}

// applied sees to the lists when the origin has applied w, and has stored now.
func (s *lists[V]) applied(w *write[V], stored V) {
	if s == nil {
		return
	}
	rule, told := s.lister.(Membership[V])
	switch {
	case checkKey(w.key) != nil:
		s.invalidate() // no list can have that
	case w.Kind == lifecycle.Delete:
		s.left(w.key)
	case told:
		s.changed(rule, Item[V]{Key: w.key, Value: stored})
		if w.cell == nil && w.overtaken() {
			s.invalidate() // a later write of the key may have told them before
		}
	case w.cell == nil || absent(w.cell.shown.Load().Confirmed()):
		s.invalidate() // there is a record more
	case w.Kind == lifecycle.Replace && unsure(w.cell.shown.Load().Confirmed()):
		s.invalidateBut(func(list *cell[[]string]) bool { return needsNoRead(list, w.key) }) // there may be
	}
}

// failed sees to the lists when the origin has refused w, or may have applied it
// all the same: then who is in them is unknown too.
func (s *lists[V]) failed(w *write[V], what lifecycle.Refusal) {
	switch {
	case s == nil:
	case what == lifecycle.Unclear:
		s.invalidate()
	case w.cell != nil && what == lifecycle.NoSuch:
		s.left(w.key)
	}
}

// changed sees to the lists when the origin has made or changed item. Belongs is
// user code: a list of which it does not tell, because it panics or takes longer
// than an origin may, is read anew.
func (s *lists[V]) changed(rule Membership[V], item Item[V]) {
	defer s.table.makeRoom() // a load that was given up kept its list
	limit := time.NewTimer(s.members.timeout)
	defer limit.Stop()
	cells := slices.Collect(s.table.cells.all())
	verdicts := s.ask(rule, item, cells, true)
	for len(cells) > 0 {
		if verdicts == nil {
			verdicts = s.ask(rule, item, cells, false) // one warning a write is enough
		}
		select {
		case belongs, told := <-verdicts:
			if told {
				s.amend(cells[0], item.Key, belongs)
			} else {
				s.table.withBarrier(cells[0].key, &message[[]string]{op: opInvalidate})
				verdicts = nil
			}
			cells = cells[1:]
		case <-limit.C:
			s.invalidate()
			return
		}
	}
}

// ask has rule say of each cell's list whether item belongs to it, until it does
// not return; with warn that is logged.
func (s *lists[V]) ask(rule Membership[V], item Item[V], cells []*cell[[]string], warn bool) <-chan bool {
	verdicts := make(chan bool, len(cells)) // it must not wait for who gave it up
	s.table.working.add()
	go func() {
		defer s.table.working.done()
		asked := 0
		defer func() {
			wild := caught(recover())
			close(verdicts)
			if asked < len(cells) && warn {
				s.members.warn("freshet: Belongs did not return; the list is read anew",
					"cache", s.members.name, "list", cells[asked].key, "key", item.Key, "err", wild)
			}
		}()
		for ; asked < len(cells); asked++ {
			verdicts <- rule.Belongs(cells[asked].key[1:], item)
		}
	}()
	return verdicts
}

func absent[V any](v *lifecycle.Version[V, *Future[V]]) bool {
	return v != nil && v.Known == lifecycle.Absent
}

// unsure says that v does not tell whether there is a record.
func unsure[V any](v *lifecycle.Version[V, *Future[V]]) bool { return v.Held() == 0 || v.Void }

// needsNoRead says that list has key already, or that nothing is known of it: its
// first load is not thrown away for what most likely was there all the time.
func needsNoRead(list *cell[[]string], key string) bool {
	flying := list.flight.Load() != nil // before what it shows: it may land in between
	v := list.shown.Load()
	if v.Held() == 0 {
		return !absent(v)
	}
	return !flying && !v.Void && slices.Contains(v.Value, key)
}

// left takes a record that the origin has deleted out of the lists.
func (s *lists[V]) left(key string) {
	defer s.table.makeRoom()
	for c := range s.table.cells.all() {
		s.amend(c, key, false)
	}
}

// invalidate has every list read anew. Each gets a barrier of its own: a list
// that is amended while this walks has the amendment's stamp, and is for all that
// no younger than the load it is made of.
func (s *lists[V]) invalidate() {
	s.invalidateBut(func(*cell[[]string]) bool { return false })
}

// invalidateBut is invalidate of all lists but those that are spared.
func (s *lists[V]) invalidateBut(spared func(list *cell[[]string]) bool) {
	t := s.table
	t.raiseFloor(t.numbers.Add(1)) // before the walk: a cell that comes too late for it starts above
	for c := range t.cells.all() {
		if !spared(c) {
			t.raise(c, opInvalidate, 0)
		}
	}
	t.makeRoom()
}

// amend has key in the list of c, or not. A load in the air may not have seen
// the write: it is flown again.
func (s *lists[V]) amend(c *cell[[]string], key string, member bool) {
	for {
		flying := c.flight.Load() != nil // before what it shows: it may land in between
		v := c.shown.Load()
		if member && absent(v) {
			s.table.withBarrier(c.key, &message[[]string]{op: opInvalidate})
			return
		}
		held, at := v.Held() != 0, -1
		if held {
			at = slices.Index(v.Value, key)
		}
		same := !held || member == (at >= 0)
		if same && !flying {
			return
		}
		m := message[[]string]{op: opAmend, knowledge: lifecycle.Knowledge[[]string]{
			Known: lifecycle.Present, Against: v.Held(), Equal: same,
		}}
		switch {
		case same:
		case member:
			m.knowledge.Value = append(slices.Clone(v.Value), key)
		default:
			m.knowledge.Value = slices.Delete(slices.Clone(v.Value), at, at+1)
		}
		m.weight = uint32(len(m.knowledge.Value))
		if c.send(&m); !m.again {
			return
		}
	}
}

// Lists is the table of lists: of the keys of what each query selects, under
// ListKey. nil without a Lister.
func (t *Table[V]) Lists() *Table[[]string] {
	if t.lists == nil {
		return nil
	}
	return t.lists.table
}
