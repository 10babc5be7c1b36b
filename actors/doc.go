// Package actors is the resource actor and its table: the imperative shell
// around the pure state machine of package lifecycle. Programs use it through
// package api; what they need of it is aliased there.
//
// # One actor a key
//
// A cell is the actor of one key: an actor.Process whose mailbox is one word.
// A message to it is a command; the sender runs the mailbox itself where that
// is idle, and otherwise waits for its turn, so a command has taken effect when
// the call returns. The handler runs no user code, waits for nothing and enters
// no other cell: it steps the state machine and performs the effects.
//
// # Reads never enter the mailbox
//
// The actor publishes an immutable version through an atomic pointer of its own, it
// or a value of one word in its slot of the index, and the pending future. A hit is a
// search of the index, that load, and the comparison of a deadline with a coarse
// clock; a stampede joins the pending future with one atomic operation a caller.
//
// # Where user code runs
//
//	Source, Lister        on the goroutine of their flight (flight, lists)
//	Writer, Commit        on that of their commit (write)
//	Store, Codec          on those of the tier
//	Belongs               on one of its own (lists.ask)
//	Equal, Newer, Weigh   with whatever brings the value: a flight, a look-up, a
//	                      list, a commit, a Put
//	Apply                 with whoever sends a command that needs it (sendReplayed)
//
// Where a panic or Goexit must not end the goroutine of a caller, or of what has
// more to do, it runs on one of its own that is waited for (contained). What it
// says, it says of a version, and the command that needs it takes effect only if
// that version is still held (DoAgain, DoReplay).
//
// # Order
//
// The table has one counter; see package lifecycle for stamps and barriers.
// What is not resident has no barrier of its own: the table's floor is the
// barrier that a new cell starts with. It rises to the barrier of every cell
// that is evicted, of every invalidation that found no cell, and of every
// invalidation of a prefix. A cell reads the floor with its first message, after
// it was put into the table, so whoever raises the floor and then looks for the
// cell cannot miss both.
package actors
