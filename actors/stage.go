package actors

import "github.com/freshet-go/freshet/actors/lifecycle"

// stage is where what a cell shows is about to change. Its shard is held until
// show, so that nobody moves the slot: what has to be found is found before the
// log's lock is taken, which all keys share.
type stage[V any] struct {
	cell    *cell[V]
	slot    *indexSlot // nil: the cell is not in
	shard   *indexShard
	content content
}

// stage makes ready for show, which must follow.
func (x *index[V]) stage(c *cell[V]) stage[V] {
	n := x.name(c.key)
	shard, from := x.place(n)
	s := stage[V]{cell: c, shard: &x.shards[shard], content: x.content}
	s.shard.mu.Lock()
	slots := x.slots[shard].Load()
	if i := slots.slotOf(c, n, from); i != none {
		s.slot = &slots.at[i]
	}
	return s
}

// show makes v what the cell shows, at the instant now. In between readers ask the
// cell: else one could be answered with the old version after another had seen the
// new one.
func (s stage[V]) show(v *lifecycle.Version[V, *Future[V]], now lifecycle.Instant) {
	if s.slot != nil {
		s.slot.hide()
	}
	s.cell.shown.Store(v)
	if s.slot != nil {
		showIn(s.slot, v, s.content, now)
	}
	s.shard.mu.Unlock()
}
