package actors

import (
	"github.com/freshet-go/freshet/actors/lifecycle"
	"github.com/freshet-go/freshet/streams"
)

// publish shows a version and tells its event: allotting the revision, showing
// and appending are one critical section (S0).
func (c *cell[V]) publish(turn *lifecycle.Turn[V, *Future[V]], e *lifecycle.Effect[V, *Future[V]], m *message[V]) {
	t := c.table
	switch e.Kind {
	case lifecycle.Loaded, lifecycle.Updated, lifecycle.Missing, lifecycle.Optimistic, lifecycle.Committed,
		lifecycle.RolledBack, lifecycle.Created, lifecycle.Deleted:
		// A mutation may show a value over an absence, or hide one.
		weight := m.weight
		switch writes := m.op == opCommitted || m.op == opCreated; {
		case e.Version.Known != lifecycle.Present:
			weight = 0
		case writes && m.replay == nil && e.Version.Confirmed().Seq != m.stamp:
			weight = m.held // the answer did not become what is held
		}
		t.policy.reweigh(c, weight)
	case lifecycle.Evicted:
		if e.Version.Known != lifecycle.Present { // else a mutation goes on showing what it did
			t.policy.reweigh(c, 0)
		}
	case lifecycle.Failed:
		t.tallies.count(cFailures)
	case lifecycle.Dropped:
		t.tallies.count(cDropped)
	}
	ev := streams.Event[V]{
		Key: c.key, Kind: told[e.Kind], Seq: e.Stamp, Before: e.Before, After: e.Version.Shown(),
		Reason: reasonTold(e.Reason), Err: e.Err, At: t.clock.Time(turn.Now),
	}
	if e.Version.FreshEnd != lifecycle.Never || e.Version.Void {
		t.sweeper.wanted()
	}
	var weight uint32
	if ev.After != nil {
		weight = c.rank.weight
	}
	t.log.Append(&ev, weight, func(revision uint64) {
		e.Version.Revision = revision
		if !t.closed.Load() { // a write that is awaited lands in a closed cache, which answers no hit (C5)
			t.cells.show(c, e.Version)
		}
	})
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

// reasonTold is a reason of the core as the stream knows it.
func reasonTold(r lifecycle.Reason) string {
	if r == lifecycle.BySupersession {
		return streams.ReasonSuperseded
	}
	return r.String()
}
