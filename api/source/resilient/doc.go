// Package resilient puts the policies of failsafe-go around a source or a
// writer: retries, a circuit breaker, a bulkhead, a rate limiter, hedges.
//
//	source := resilient.Source(origin, resilient.Defaults[User]()...)
//	cache, err := freshet.New(freshet.Config[User]{Name: "users", Source: source,
//		Freshness: freshet.Freshness{TTL: time.Minute, StaleOnError: time.Hour}})
//
// # In which order
//
// The first policy is the outermost: each sees what those after it return.
//
//	fallback, hedge   outermost: they stand for the whole, retries included
//	retry             a try that fails is followed by another; it must be outside
//	                  of whatever is to be asked again for each try
//	bulkhead          a place for each try: a retry that waits holds none
//	rate limiter      the same: each try counts
//	circuit breaker   inside the bulkhead: a full bulkhead says nothing of the
//	                  origin and must not close or open it; outside of the
//	                  timeout, which tells it that the origin hangs
//	timeout           innermost: of one try
//
// [Defaults] is retry, bulkhead, breaker. A timeout per try is not among them:
// how slow is too slow only the user knows; without one a try may use up the
// whole of the flight's time (Config.Timeout of the cache). Neither is a hedge:
// it doubles the load of an origin that is slow because of its load.
//
// Every key of the cache goes through the same policies: make one stack per
// origin. A breaker that is open fails a flight at once, and where the cache
// has Freshness.StaleOnError, its old value carries on (F7): see the example.
// What a policy says, circuitbreaker.ErrOpen say, errors.Is finds.
//
// # What is tried again
//
// [Retryable] decides, for the retries and for the breaker of Defaults. It is
// false for what another try does not change: ErrNotFound, ErrBadKey, a panic,
// a call that was cut short because nobody wanted it, a policy's own refusal,
// and for errors that say so by a method Retryable() bool: the rest source's
// do, for 4xx but 408 and 429. Between tries Defaults wait twice as long each
// time, at random between half and all of it, and never shorter than an error
// says by a method RetryIn() time.Duration (Retry-After). Where that is longer
// than the time that is left the error is returned at once.
//
// # Writes
//
// A write that failed may have been applied, and a second one is not what was
// asked for: [WriteDefaults] never retry. Whoever adds a retry policy to
// [Writer] says that his writes may be repeated. Where one try's outcome was
// unknown and a later one failed, the error wraps ErrUnknown, whatever the
// later one's says (W3); so does the one of a timeout policy.
//
// # What is made of the source
//
// Each try runs on a goroutine of its own, so that a panic or runtime.Goexit in
// the source fails that try alone: failsafe-go would keep the bulkhead's place
// and the breaker's probe for ever, and a panic under a hedge would end the
// process. A BulkSource stays one: FetchMany is one execution, and an answer in
// which some keys failed is an answer; only where every key
// failed for a reason worth another try is the call a failure.
package resilient
