// Package stream puts freshet's log of events and what a user would fan out
// with instead behind one small interface, one file each.
package stream

import (
	"github.com/freshet-go/freshet/bench/internal/peer"
	"github.com/freshet-go/freshet/streams"
)

// Event is what all of them carry, so that all copy the same bytes.
type Event = streams.Event[uint64]

// Broadcast is one writer's end.
type Broadcast interface {
	// Send hands an event to every reader. It may block where the peer does.
	Send(e *Event)
	// Subscribe starts a reader and returns when it listens. got is called with
	// every event, always by the same goroutine. A reader with a key wants that
	// key's events alone, where the peer can tell them apart; "" is all.
	Subscribe(key string, got func(Event)) error
	// Parked is how many readers sleep, -1 where the peer can't tell.
	Parked() int
	// Laps is how often a reader lost events to being slow.
	Laps() int
	// Close ends all readers and returns when they have ended.
	Close()
}

// Peer is a way to make a Broadcast.
type Peer struct {
	Name, Module string
	New          func() (Broadcast, error)
}

// buffer is how many events a reader may be behind before its peer blocks,
// where that is a matter of choice; freshet's history is as long.
const buffer = 4096

// Channels is the name of the peer that is made of plain channels.
const Channels = "channels"

// All are the peers in the order in which reports list them.
func All() []Peer {
	return []Peer{
		{Name: peer.Ours, Module: "github.com/freshet-go/freshet", New: newLog},
		{Name: peer.Ours + " through rxgo", Module: "github.com/freshet-go/freshet", New: newFace},
		{Name: "rxgo", Module: "github.com/reactivex/rxgo/v2", New: newRxgo},
		{Name: "rxgo, buffered", Module: "github.com/reactivex/rxgo/v2", New: newBufferedRxgo},
		{Name: "ro", Module: "github.com/samber/ro", New: newRo},
		{Name: Channels, New: newChannels},
	}
}
