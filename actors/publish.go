package actors

import (
	"github.com/freshet-go/freshet/actors/lifecycle"
	"github.com/freshet-go/freshet/streams"
)

// publish shows what a step came to and tells its events: allotting the
// revisions, showing and appending are one critical section (S0). What lies
// between the events of one step nobody sees: not a base without the mutations
// that waited for it (W1).
func (c *cell[V]) publish(turn *turn[V], m *message[V]) {
	n, only := turn.Effects.Publishes()
	switch n {
	case 0:
	case 1:
		var ev streams.Event[V]
		weight := c.event(&ev, turn, only, m)
		stage := c.table.cells.stage(c)
		c.table.log.Append(&ev, weight, func(revision uint64) {
			only.Version.Revision = revision
			stage.show(c.visible(only.Version), turn.Now)
		})
	default:
		c.publishAll(turn, m, n)
	}
}

func (c *cell[V]) publishAll(turn *turn[V], m *message[V], n int) {
	events, weights := make([]streams.Event[V], n), make([]uint32, 0, n)
	versions := make([]*lifecycle.Version[V, *Future[V]], 0, n)
	for i := range turn.Effects.Len() {
		if e := turn.Effects.At(i); e.Do == lifecycle.DoPublish {
			weights = append(weights, c.event(&events[len(versions)], turn, e, m))
			versions = append(versions, e.Version)
		}
	}
	stage := c.table.cells.stage(c)
	c.table.log.AppendAll(events, weights, func(first uint64) {
		for i, v := range versions {
			v.Revision = first + uint64(i)
		}
		stage.show(c.visible(versions[n-1]), turn.Now)
	})
}

// visible is what readers see of v. A closed cache answers no hit (C5), also where
// a write that is awaited lands in it, or Close has yet to come to this cell: what v
// takes the place of must not answer one either (O6).
func (c *cell[V]) visible(v *lifecycle.Version[V, *Future[V]]) *lifecycle.Version[V, *Future[V]] {
	if c.table.closed.Load() {
		return v.Ended()
	}
	return v
}

// event has ev say what e tells. It returns what its value weighs.
func (c *cell[V]) event(ev *streams.Event[V], turn *turn[V], e *lifecycle.Effect[V, *Future[V]], m *message[V]) (weight uint32) {
	t := c.table
	switch e.Kind {
	case lifecycle.Loaded, lifecycle.Updated, lifecycle.Missing, lifecycle.Optimistic, lifecycle.Committed,
		lifecycle.RolledBack, lifecycle.Created, lifecycle.Deleted:
		// A mutation may show a value over an absence, or hide one.
		now := m.weight
		switch writes := m.op == opCommitted || m.op == opCreated; {
		case e.Version.Known != lifecycle.Present:
			now = 0
		case writes && m.replay == nil && e.Version.Confirmed().Seq != m.stamp:
			now = m.held // the answer did not become what is held
		}
		t.policy.reweigh(c, now)
	case lifecycle.Evicted:
		if e.Version.Known != lifecycle.Present { // else a mutation goes on showing what it did
			t.policy.reweigh(c, 0)
		}
	case lifecycle.Failed:
		t.tallies.count(cFailures)
	case lifecycle.Dropped:
		t.tallies.count(cDropped)
	}
	ev.Key, ev.Kind, ev.Seq, ev.Before, ev.After = c.key, told[e.Kind], e.Stamp, e.Before, e.Version.Shown()
	ev.Reason, ev.Err, ev.At = e.Reason.String(), e.Err, t.clock.Time(turn.Now)
	if e.Version.FreshEnd != lifecycle.Never || e.Version.Void {
		t.sweeper.wanted()
	}
	if ev.After != nil {
		weight = c.rank.weight
	}
	return weight
}

// told are the events of the core as the stream knows them.
var told = [...]streams.Kind{
	lifecycle.Loaded: streams.Loaded, lifecycle.Updated: streams.Updated,
	lifecycle.Revalidated: streams.Revalidated, lifecycle.Invalidated: streams.Invalidated,
	lifecycle.Expired: streams.Expired, lifecycle.Failed: streams.Failed,
	lifecycle.Missing: streams.Missing, lifecycle.Dropped: streams.Dropped,
	lifecycle.Evicted: streams.Evicted, lifecycle.Optimistic: streams.Optimistic,
	lifecycle.Committed: streams.Committed, lifecycle.RolledBack: streams.RolledBack,
	lifecycle.Created: streams.Created, lifecycle.Deleted: streams.Deleted,
}
