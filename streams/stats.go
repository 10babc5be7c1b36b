package streams

import (
	"cmp"
	"slices"
)

// LogStats is what a [Log] looks like at one moment.
type LogStats struct {
	Revision      uint64 // the newest
	Oldest        uint64 // the oldest that is kept; Revision+1 when none is
	Weight        uint64 // of the events that are kept
	Subscriptions int    // open ones
	Parked        int    // those of them that sleep in Next or Events
	Lag           uint64 // revisions that the furthest-behind subscription is behind
	Laps          uint64 // how often any subscription was lapped, since the log was made
}

// SubscriptionStats is what one subscription looks like at one moment.
type SubscriptionStats struct {
	Number uint64 // in the order of subscribing, from 1
	Keys   int    // how many it names; 0: all, or those with Prefix
	Prefix string
	Lag    uint64 // revisions it is behind; see [Subscription.Lag]
	Laps   uint64 // how often it was lapped
	Woken  uint64 // how often a sleep of it ended: by an append, a context, or to tell it where it is (S12)
	Parked bool   // it sleeps in Next or Events
}

// Stats is a summary. It takes time for each subscription and disturbs no writer.
func (l *Log[V]) Stats() LogStats {
	revision := l.ring.head.Load()
	st := LogStats{
		Revision: l.Revision(),
		Oldest:   min(l.ring.oldest(revision), revision+1),
		Weight:   l.Weight(),
		Laps:     l.laps.Load(),
	}
	for _, s := range l.open() {
		one := s.stats()
		st.Subscriptions++
		st.Lag = max(st.Lag, one.Lag)
		if one.Parked {
			st.Parked++
		}
	}
	return st
}

// Subscriptions tells of every open subscription, in the order of subscribing.
func (l *Log[V]) Subscriptions() []SubscriptionStats {
	var all []SubscriptionStats
	for _, s := range l.open() {
		all = append(all, s.stats())
	}
	slices.SortFunc(all, func(a, b SubscriptionStats) int { return cmp.Compare(a.Number, b.Number) })
	return all
}

func (l *Log[V]) open() []*Subscription[V] {
	l.subsMu.Lock()
	defer l.subsMu.Unlock()
	all := make([]*Subscription[V], 0, len(l.subs))
	for s := range l.subs {
		all = append(all, s)
	}
	return all
}

func (s *Subscription[V]) stats() SubscriptionStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return SubscriptionStats{
		Number: s.number,
		Keys:   len(s.set.keys),
		Prefix: s.set.prefix,
		Lag:    s.lagLocked(),
		Laps:   s.laps,
		Woken:  s.woken,
		Parked: s.parked,
	}
}
