package actors

import (
	"context"
	"errors"
	"fmt"
	"slices"

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

// listsUnbounded is how many lists there may be where the bound is a weight:
// what keys weigh nobody says.
const listsUnbounded = 1024

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
	}, members.numbers, members.gate)
	return s, err
}

// ListKey is the key of a query's list in Lists: not empty, and not to be taken
// for a member's in an error or an event.
func ListKey(query string) string { return "?" + query }

// Fetch is the load of a list, which seeds its members in one go.
func (s *lists[V]) Fetch(ctx context.Context, r Request[[]string]) (Response[[]string], error) {
	t := s.members
	var began lifecycle.Instant
	if t.tier != nil {
		began = t.tier.tick()
	}
	items, err := s.lister.List(ctx, r.Key[1:])
	if err != nil {
		return Response[[]string]{}, err
	}
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
		t.seed(item, r.Seq, began)
		t.makeRoom()
	}
	return Response[[]string]{Value: keys}, nil
}

// seed offers item to its cell as knowledge with the stamp of the list. None is
// made that would refuse it.
func (t *Table[V]) seed(item Item[V], stamp uint64, began lifecycle.Instant) {
	for !t.closed.Load() {
		if stamp <= t.floor.Load() && t.cells.find(item.Key) == nil {
			return
		}
		c, _, err := t.enter(item.Key)
		if err != nil {
			return
		}
		m := message[V]{op: opSeeded, stamp: stamp, began: began}
		m.knowledge = t.learned(item.Key, Response[V]{Value: item.Value}, nil, c.shown.Load().Confirmed(), &m.weight)
		if c.send(&m); !m.gone && !m.again {
			return
		}
	}
}

// changed sees to the lists after the origin has made or changed item.
func (s *lists[V]) changed(item Item[V], made bool) {
	rule, told := s.lister.(Membership[V])
	if !told {
		if made {
			s.invalidate()
		}
		return
	}
	for c := range s.table.cells.all() {
		var belongs bool
		if err := contained(func() { belongs = rule.Belongs(c.key[1:], item) }); err != nil {
			s.table.withBarrier(c.key, &message[[]string]{op: opInvalidate})
			continue
		}
		s.amend(c, item.Key, belongs)
	}
}

// left takes a record that the origin has deleted out of the lists.
func (s *lists[V]) left(key string) {
	for c := range s.table.cells.all() {
		s.amend(c, key, false)
	}
}

// invalidate has every list read anew.
func (s *lists[V]) invalidate() {
	_, _ = s.table.InvalidatePrefix(context.Background(), "")
}

// amend has key in the list of c, or not. A load in the air may not have seen
// the write: it is flown again.
func (s *lists[V]) amend(c *cell[[]string], key string, member bool) {
	for {
		flying := c.flight.Load() != nil // before what it shows: it may land in between
		v := c.shown.Load()
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

// MembersHit returns the items of keys, and which of them were no hit: their
// items are zero.
func (t *Table[V]) MembersHit(keys []string) (items []Item[V], missing []string) {
	items = make([]Item[V], len(keys))
	for i, key := range keys {
		if v := t.hit(key); v != nil {
			items[i] = Item[V]{Key: key, Value: v.Value}
		} else {
			missing = append(missing, key)
		}
	}
	return items, missing
}

// Members returns the items of keys, in their order. Those that are not
// admissible are fetched, in one call where the source can; a record that does
// not exist is left out. What could not be had is named in a *ManyError, and
// the rest is returned beside it.
func (t *Table[V]) Members(ctx context.Context, keys []string, opts ...FetchOption) ([]Item[V], error) {
	items, missing := t.MembersHit(keys)
	if len(missing) == 0 {
		return items, nil
	}
	fetched, err := t.GetMany(ctx, missing, opts...)
	var many *ManyError
	if err != nil && !errors.As(err, &many) {
		return nil, err
	}
	left := items[:0]
	for i, key := range keys {
		item := items[i]
		if item.Key == "" {
			v, ok := fetched[key]
			if !ok {
				continue
			}
			item = Item[V]{Key: key, Value: v}
		}
		left = append(left, item)
	}
	failed := make(map[string]error)
	if many != nil {
		for key, err := range many.Errs {
			if !errors.Is(err, ErrNotFound) {
				failed[key] = err
			}
		}
	}
	if len(failed) > 0 {
		return left, &ManyError{Errs: failed}
	}
	return left, nil
}

// Go runs f on a goroutine that Close waits for, or says false where the table
// is closed.
func (t *Table[V]) Go(f func()) bool {
	t.working.add()
	if t.closed.Load() {
		t.working.done()
		return false
	}
	go func() {
		defer t.working.done()
		f()
	}()
	return true
}
