// Package rest makes a JSON origin over HTTP the Source, the Writer and the
// Lister of a cache. One [Origin] is one kind of record:
//
//	users, err := rest.New(rest.Config[User]{
//		Base: "https://api.example.com/v1",
//		Item: "/users/{key}",
//		Prepare: func(_ context.Context, r *http.Request) error {
//			r.Header.Set("Authorization", "Bearer "+token())
//			return nil
//		},
//	})
//	cache, err := freshet.New(freshet.Config[User]{Name: "users", Source: users, Writer: users, Lister: users})
//
// # HTTP caching
//
// To the origin the pair of Origin and cache is a private cache in the sense of
// RFC 9111: it obeys what holds for private caches and ignores s-maxage,
// public and private, which speak to shared ones.
//
//	ETag, Last-Modified  become Response.Validator. With it the next request is
//	                     conditional (If-None-Match, else If-Modified-Since) and
//	                     a 304 is Response.Unchanged (F9).
//	max-age, Expires     Response.TTL; max-age wins. What cannot be understood is
//	                     taken for 0. Nothing is guessed (no heuristics): without
//	                     either, Freshness.TTL counts.
//	max-age=0, no-cache  stale from the start, but kept, for conditional requests.
//	Vary: *              the same.
//	no-store             Response.TTL is negative: it answers who waits and is not
//	                     kept (F5).
//	Age                  Response.Age. Where the lifetime is the origin's, the
//	                     time that the exchange took is added (RFC 9111, 4.2.3).
//	404, 410             ErrNotFound; how long that is remembered is
//	                     Freshness.Missing (F4).
//	Retry-After          [StatusError.RetryAfter]; the retries of package
//	                     resilient wait that long.
//
// How long a stale value may be served is the cache's to say, not the
// response's: stale-while-revalidate is Freshness.Stale (F6), stale-if-error is
// Freshness.StaleOnError (F7). A response has no means to lengthen or shorten
// them, so the directives of these names, must-revalidate and, while those two
// are above 0, no-cache are NOT obeyed: leave both at 0 for an origin that
// forbids stale answers. Config.IgnoreCacheControl is for an origin whose
// headers are not meant (many frameworks send max-age=0 always).
//
// NOTE: caches between here and the origin answer with what they hold. After
// an Invalidate that is older than the invalidation: where there are such
// caches, set "Cache-Control: no-cache" in Config.Header.
//
// # Identity
//
// By default a key names a record and every caller gets the same one. The
// context that Prepare sees is that of whichever caller's demand took off: who
// asks meanwhile, or within the TTL, gets the same answer.
//
// WARNING: never set from that context what makes answers differ by caller, a
// user's token say. Put the identity into the key instead: with
// Config.Composite keys are those of [Key.String], which tell apart method,
// namespace, query and identity, and Config.Identity turns the identity of a
// key into headers. A key's answer is then fetched with that key's headers and
// no others, whoever asks.
//
// # What cannot happen
//
//   - No key leaves its path: it is escaped into the segments of its template,
//     and one that has a "." or ".." segment, which servers on the way might
//     resolve, or nothing but slashes, is ErrBadKey.
//   - No request leaves the allowed hosts, by a redirect, by a hook or
//     otherwise, nor goes to an address outside Config.AllowedAddrs where that
//     is set. A redirect to another allowed host never ends at a loopback or
//     link-local address, by whatever name, and loses every header that is
//     not harmless. That is checked on the address that is dialled, so a name
//     that resolves to another address later is no way round.
//   - No answer takes more than Config.MaxBody of memory.
//   - No error tells a header, userinfo, a value of a query or a body. Bodies
//     are in [StatusError.Body] for those who want them.
//
// # Writes
//
// Create is POST to the collection, Update is PUT, Delete is DELETE, and
// [Origin.Patch] is for a Mutation's Commit that sends only what changes. A
// write's answer that is empty stands for what was sent. A Delete of what does
// not exist has succeeded.
//
// A write fails with an error that wraps ErrUnknown where the origin may have
// applied it (W3): the connection broke or time ran out after a connection was
// there, it answered 500, 502, 504 or another 5xx but 501, 503 and 505, or 202,
// or with a redirect that turns the write into a GET, or the answer to a
// success cannot be read. Every other failure is a refusal: all of 4xx, 503,
// no connection at all.
//
// # Limits
//
// A list is read whole with every flight: it is not conditional and its
// freshness is the cache's. Pages are the query's business; a next link is not
// followed. There are no cookies.
package rest
