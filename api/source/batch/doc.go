// Package batch makes one call of an origin of what many keys demand within a
// moment.
//
//	source, err := batch.New(batch.Config[User]{
//		Fetch: batch.Keys(func(ctx context.Context, keys []string) (map[string]User, error) {
//			return db.UsersByID(ctx, keys) // SELECT ... WHERE id = ANY($1)
//		}),
//		AbsentIsMissing: true,
//	})
//	cache, err := freshet.New(freshet.Config[User]{Name: "users", Source: source})
//
// The first demand opens a batch; those that come within Config.Window join
// it; when the window ends, or Config.Max keys are in it, it becomes one call.
// A demand thus waits up to a window longer than it would alone. A demand that
// comes when the call has begun is in the next one: what is answered was
// always read after it was asked for (O0). GetMany has its keys together and
// waits for no window: [Source.FetchMany] goes straight through, in calls of
// at most Max keys, side by side.
//
// # What is answered
//
//   - A key in the map has its response.
//   - A key that a *ManyError names has its error.
//   - A key that the answer leaves out does not exist, with
//     Config.AbsentIsMissing (F4). Otherwise it is asked for once more, with the
//     others that were left out, and then fails with [ErrUnanswered].
//   - Any other error is taken for one bad key's: the batch is halved until the
//     key that fails is alone, so that it does not fail the rest. That costs at
//     most Config.Extra calls more; when they are spent, what is left has the
//     error. Not halved is what is no key's fault: the end of the context, and
//     what says by a method Retryable() bool that it is the origin's, as a 503
//     of the rest source does.
//   - A panic and runtime.Goexit fail the keys of their call alone (C4).
//
// # Who leaves
//
// A caller whose context ends leaves; the rest of the batch does not notice.
// When all have left the call's context ends. It has the latest of their
// deadlines and none of their values: they belong to one caller each.
//
// # What it costs
//
// A batch costs one goroutine and one timer, an idle source neither. Measured
// on two cores with 100 keys in a batch (BenchmarkPerKey), being gathered
// costs a key 2.4 us and 3 allocations more than a call of a function; of an
// origin that takes one call at a time a key then costs 15 us where it cost
// 1.1 ms alone.
//
// NOTE: every member holds its flight while it waits. A cache with MaxFlights
// below Max never fills a batch. Where policies of package resilient are
// wanted too, they belong inside of Config.Fetch, around the one call.
package batch
