// Package streams tells what changes in a cache: one ordered log for each cache, and subscribers that are cursors into
// it. It knows nothing of caches, actors or sources; they append, it delivers.
//
//	sub, err := log.Subscribe(ctx, streams.Prefix("users/"), streams.WithSnapshot())
//	for e, err := range sub.Events() {
//		if err != nil {
//			return err // the one cause of the end
//		}
//		switch e.Kind {
//		case streams.Gap: // drop what was built
//		case streams.Synced: // what was built is complete
//		default: // e.Key is e.After now
//		}
//		save(sub.Token())
//	}
//
// # Guarantees
//
// The numbers are those of the rules; tests and comments cite them.
//
//  1. Ordered (S0, S1). A cache's events have one total order, and their revisions have no holes: allotting a revision,
//     showing the value and appending the event are one critical section. Every subscriber sees the events it wants in
//     that order.
//  2. Unique (S2). A subscription delivers an event once. Goroutines that share a subscription share its events.
//  3. Reliable, or told (S3). Whatever a subscriber that fell behind has lost is told: by a Gap event that names the
//     revisions, or by the end with ErrLagged.
//  4. Resumable (S4). [Since] goes on after a Token as if the subscription had never ended, as far back as the history
//     goes. Otherwise there are three different answers: ErrCompacted with the oldest revision, ErrEpoch, ErrFuture.
//  5. Snapshot, then tail (S5). [WithSnapshot] fixes a boundary, delivers the values, then Synced, then every event that
//     the values do not contain, once. A snapshot that was lapped is taken again, three times at most; who has seen
//     values of an earlier attempt is told by a Gap before the next. Where the cache closes before Synced, the end is
//     told and no Synced: a closed cache shows nothing, and that is not what it held.
//  6. Registered (S6). What is appended after Subscribe returned, or after an Observable was made, is delivered.
//  7. Visible (S7). Whoever received event N reads the cache's state as of N or later.
//  8. Isolated (S8). No subscriber delays a writer or another subscriber, be it slow, stuck, panicking or gone. The
//     readers take no lock that a writer takes, but for a moment when they begin and end; waking costs the writer the
//     same however many sleep.
//  9. Bounded (S9). A subscription that nobody reads holds about 1.0 kB, and for each key that it names as much again
//     and a feed of that key's 16 newest events, up to 3.6 kB beside their values, which all its subscribers share: one
//     to one key about 2.2 kB and that feed. One that has events to hand out holds up to 64 of them; one that takes a
//     snapshot, the list of keys still to come. A subscription to [Keys] is neither woken (up to 64 keys) nor lapped by
//     the traffic of other keys.
//  10. Ends (S10). Leaving the loop, the context and Close free everything. There is exactly one cause, which Err tells.
//  11. Live (S11). [Live] observes its keys for as long as the subscription lasts.
//  12. Bookmarks (S12). A subscriber to whom nothing happens is told where he is: after History/4 or 1,000 events that
//     were filtered out, whichever comes first, and after 30 s of silence. A subscription to up to 64 keys that sleeps
//     is not woken for the former; its Token method is up to date at any time.
//
// # What is not guaranteed
//
//   - Delivery of every event to everybody. The history is finite; a subscriber that is slower than the cache for
//     longer than the history lasts loses events, and knows which.
//   - Every intermediate value of a resource. An event tells what became visible; two changes may be told by two events
//     whose values equal what a reader saw as one.
//   - Anything across caches: two caches have two orders.
//   - Survival of a restart. The history is in memory; a token of another life is answered with ErrEpoch.
//   - Once-only across subscriptions where the first took a snapshot. A value may be newer than the boundary, and a token
//     that was taken before the tail came to that value's revision brings what it contains again, in order.
//   - A state of one moment. A snapshot that is taken while things change is ahead of its boundary in places; with the
//     events that follow it becomes what the cache was.
//
// # What a subscriber owes
//
//   - To end: by its context, by Close, or by leaving the loop. A subscription that is neither read nor ended stays
//     registered.
//   - To read Before and After only. They are shared with the cache.
//   - To drop the state it built when a Gap comes with [Resync] or before Synced.
//   - To tolerate control kinds, and kinds and reasons it does not know.
//   - To keep the token of what it has worked off, not of what it has taken: a Token says where delivery is.
//
// Calls that look wrong are defined. Next from several goroutines: each event goes to exactly one of them. Events on
// several goroutines: the same, and the first that leaves closes the subscription for all. Closing twice, closing from
// within the loop or the handler, a handler that calls the cache, subscribes, panics or never returns: nobody else
// notices. A filter that matches nothing: Bookmarks.
//
// # Operators
//
// [Filter], [Map], [Take], [Scan], [Debounce], [Buffer] and [Merge] turn one iter.Seq2 into another, and leaving the
// loop at the end unwinds them all. Only Debounce, Buffer with a time, and Merge run goroutines, and none is left when
// the loop is. [Latest] is a live map, [Each] a loop with a handler. To group by key, keep a map in the loop.
//
// # rxgo
//
// [Log.Observable] is a face for programs that are built on rxgo. It costs a goroutine and a channel operation for each
// event for each observer, and as much again for each operator. On two cores, with 1 to 100 readers, an event costs its
// reader about 385 to 515 ns and one or two allocations through this face (BenchmarkDeliverRx; 310 to 840 ns on a machine
// that is shared), and 11 to 45 ns and none through Events (BenchmarkDeliver): 10 to 45 times less. Observe with
// rxgo.WithContext, always: rxgo knows no other way to leave.
//
// Not all of its operators are made for a hot stream. Each line below is proven by a test,
// TestRx_, with rxgo v2.5.0; "ends the program" is a panic on a goroutine of rxgo, where nobody can recover it:
//
//	operator                what to know
//	Map, Filter, Scan,      Safe: deliver all, end with the observer's context, also while its reader is away, any
//	  Skip, BufferWithCount number of observers.
//	Distinct                Safe, and remembers every key for ever; a key that can't be compared ends the program.
//	DistinctUntilChanged    Takes nil for the key before the first event; a key that can't be compared ends the program.
//	Debounce                Loses the last event at the end; one for all keys; does not end with the observer's context
//	                        while its reader is away; two observers share one channel, and when both have ended, so
//	                        has the program. Use streams.Debounce.
//	Take                    Waits for one event more than it takes; its source goes on. Use streams.Take.
//	Merge, CombineLatest,   Outlive the context, each with a goroutine that waits for a reader who left.
//	  Sample                Use streams.Merge.
//	BufferWithTimeOrCount   The same. Use streams.Buffer.
//	WindowWithCount, -Time, A window that nobody reads stops everything, and outlives the context.
//	  -TimeOrCount
//	GroupBy                 One group that nobody reads stops all of them.
//	Retry                   Begins again at the place where the Observable was made: after ErrLagged that place is gone.
//	BackOffRetry            The same; and when its own context ends, it ends the program.
//	Serialize               Not needed: events are in order. Over a filter it waits for ever for what is filtered out.
package streams
