package actors

import (
	"context"
	"time"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// op is what a message asks of the cell: the commands of package lifecycle.
type op uint8

const (
	opDemand op = iota
	opLeave
	opArrived
	opFailed
	opInvalidate
	opVoid
	opLooked
	opStored
	opExpire
	opSet
	opRemove
	opEvict
	opObserve
	opUnobserve
	opDue
	opClose
	opMutate
	opCommitted
	opRejected
	opCreated
	opSeeded
	opAmend
)

// message is a command for a cell, and its results.
type message[V any] struct {
	op        op
	ctx       context.Context // whose values a flight that it starts carries; nil: those that its future was made with
	demand    lifecycle.Demand[*Future[V]]
	hold      uint64                 // opDemand: oneWaiter or oneOwed of the future it is answered with
	bulk      *bulk[V]               // opDemand, opLooked: where a flight waits to fly with others
	knowledge lifecycle.Knowledge[V] // opArrived, opSet, opLooked, opCommitted, opCreated, opSeeded, opAmend
	weight    uint32                 // of what is shown then
	held      uint32                 // opCommitted, opCreated: of what was held, which may stay
	stamp     uint64                 // the flight's, the commit's, the list's; opInvalidate, opVoid: the barrier, 0: a fresh one; opStored: the erase
	late      bool                   // opArrived: after its timeout
	found     bool                   // opLooked
	began     lifecycle.Instant      // opSeeded: when the list was asked for, with a Store
	refusal   lifecycle.Refusal      // opRejected
	err       error                  // opFailed, opRejected
	mutation  *lifecycle.Mutation[V] // opMutate
	replay    *lifecycle.Replay[V]   // what was run for this message, or is to be (sendReplayed)
	future    *Future[V]             // opLeave
	refresh   time.Duration          // opObserve, opUnobserve
	reason    lifecycle.Reason       // opEvict

	answer *Future[V]
	served *lifecycle.Version[V, *Future[V]] // what answer is settled with, where that was shown; again: what is held
	flew   bool                              // a flight or a look-up took off
	again  bool                              // compare anew and send again
	gone   bool                              // the cell is dead: look up again
	failed error                             // what the caller gets instead: ErrClosed
}
