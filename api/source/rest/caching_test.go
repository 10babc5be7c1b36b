package rest_test

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/source/rest"
)

// What headers say of Response.TTL and Response.Age, with an exchange that
// takes 250 ms.
func TestF5_FreshnessIsThatOfAPrivateCache(t *testing.T) {
	const took = 250 * time.Millisecond
	epoch := "Sat, 01 Jan 2000 00:00:00 GMT" // when a bubble's clock begins
	for name, c := range map[string]struct {
		header   http.Header
		ignore   bool
		ttl, age time.Duration
	}{
		"nothing said":           {http.Header{}, false, 0, 0},
		"max-age":                {http.Header{"Cache-Control": {"max-age=60"}}, false, time.Minute, took},
		"max-age, quoted":        {http.Header{"Cache-Control": {`private, Max-Age="60"`}}, false, time.Minute, took},
		"of two the shorter":     {http.Header{"Cache-Control": {"max-age=60", "max-age=30"}}, false, 30 * time.Second, took},
		"s-maxage is for shared": {http.Header{"Cache-Control": {"s-maxage=60"}}, false, 0, 0},
		"max-age 0":              {http.Header{"Cache-Control": {"max-age=0"}}, false, 1, 1},
		"max-age of nonsense":    {http.Header{"Cache-Control": {"max-age=soon"}}, false, 1, 1},
		"max-age without value":  {http.Header{"Cache-Control": {"max-age"}}, false, 1, 1},
		"max-age, negative":      {http.Header{"Cache-Control": {"max-age=-5"}}, false, 1, 1},
		"max-age beyond int64":   {http.Header{"Cache-Control": {"max-age=99999999999999999999"}}, false, (1<<31 - 1) * time.Second, took},
		"within quotes":          {http.Header{"Cache-Control": {`ext="a, no-store, max-age=1", max-age=60`}}, false, time.Minute, took},
		"no-cache wins":          {http.Header{"Cache-Control": {"max-age=60, no-cache"}}, false, 1, 1},
		"no-cache of fields":     {http.Header{"Cache-Control": {`max-age=60, no-cache="Set-Cookie"`}}, false, 1, 1},
		"no-store wins":          {http.Header{"Cache-Control": {"no-cache, no-store, max-age=60"}}, false, -1, 0},
		"Vary of everything":     {http.Header{"Cache-Control": {"max-age=60"}, "Vary": {"*"}}, false, 1, 1},
		"Vary, in a list":        {http.Header{"Cache-Control": {"max-age=60"}, "Vary": {"Accept, *"}}, false, 1, 1},
		"Vary, on a later line":  {http.Header{"Cache-Control": {"max-age=60"}, "Vary": {"Accept", "*"}}, false, 1, 1},
		"a quote left open":      {http.Header{"Cache-Control": {`max-age=60, ext="`, "no-store"}}, false, -1, 0},
		"Age":                    {http.Header{"Cache-Control": {"max-age=60"}, "Age": {"10"}}, false, time.Minute, 10*time.Second + took},
		"Age beyond max-age":     {http.Header{"Cache-Control": {"max-age=60"}, "Age": {"100"}}, false, time.Minute, 100*time.Second + took},
		"Age of nonsense":        {http.Header{"Cache-Control": {"max-age=60"}, "Age": {"-1"}}, false, time.Minute, took},
		"Age alone":              {http.Header{"Age": {"10, 20"}}, false, 0, 10 * time.Second},
		"Expires":                {http.Header{"Expires": {"Sat, 01 Jan 2000 00:01:00 GMT"}, "Date": {epoch}}, false, time.Minute, took},
		"Expires on the origin's clock": {http.Header{"Expires": {"Tue, 01 Jan 1980 00:01:00 GMT"},
			"Date": {"Tue, 01 Jan 1980 00:00:00 GMT"}}, false, time.Minute, took},
		"Expires 0":             {http.Header{"Expires": {"0"}}, false, 1, 1},
		"Expires before Date":   {http.Header{"Expires": {"Fri, 31 Dec 1999 00:00:00 GMT"}, "Date": {epoch}}, false, 1, 1},
		"max-age over Expires":  {http.Header{"Expires": {"0"}, "Cache-Control": {"max-age=60"}}, false, time.Minute, took},
		"ignored":               {http.Header{"Cache-Control": {"max-age=0, must-revalidate"}, "Age": {"3"}}, true, 0, 3 * time.Second},
		"no-store, not ignored": {http.Header{"Cache-Control": {"no-store"}}, true, -1, 0},
		"swr, sie are not ours": {http.Header{"Cache-Control": {"stale-while-revalidate=60, stale-if-error=60"}}, false, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, func(w http.ResponseWriter, _ *http.Request) {
				time.Sleep(took)
				for name, values := range c.header {
					w.Header()[name] = values
				}
				answer(w, User{ID: "42"})
			}, config{IgnoreCacheControl: c.ignore}, func(t *testing.T, o *rest.Origin[User]) {
				r, err := fetch(o, "42")
				require.NoError(t, err)
				require.Equal(t, c.ttl, r.TTL, "TTL")
				require.Equal(t, c.age, r.Age, "Age")
			})
		})
	}
}

// versions is an origin whose record has a version, that counts what it
// answered.
type versions struct {
	version  atomic.Int64
	full     atomic.Int64
	revalid  atomic.Int64
	header   http.Header
	modified bool // Last-Modified instead of ETag
}

func (v *versions) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := v.version.Load()
	etag := fmt.Sprintf(`W/"v%d"`, n)
	date := time.Unix(1e9+n, 0).UTC().Format(http.TimeFormat)
	for name, values := range v.header {
		w.Header()[name] = values
	}
	var unchanged bool
	if v.modified {
		w.Header().Set("Last-Modified", date)
		unchanged = r.Header.Get("If-Modified-Since") == date
	} else {
		w.Header().Set("Etag", etag)
		w.Header().Set("Last-Modified", date)
		unchanged = r.Header.Get("If-None-Match") == etag
	}
	if unchanged {
		v.revalid.Add(1)
		w.WriteHeader(http.StatusNotModified)
		return
	}
	v.full.Add(1)
	answer(w, User{ID: "42", Name: fmt.Sprint("v", n)})
}

// F9 through a cache: after its lifetime a record is asked for with its
// validator, and a 304 makes it fresh for another lifetime.
func TestF9_NotModifiedRenewsFreshness(t *testing.T) {
	for _, modified := range []bool{false, true} {
		t.Run(fmt.Sprint("Last-Modified=", modified), func(t *testing.T) {
			v := &versions{header: http.Header{"Cache-Control": {"max-age=60"}}, modified: modified}
			within(t, v.ServeHTTP, config{}, func(t *testing.T, o *rest.Origin[User]) {
				c := cacheOf(t, o, freshet.Config[User]{Freshness: freshet.Freshness{TTL: time.Hour}})
				get := func(want string, full, revalid int64) {
					t.Helper()
					u, err := c.Get(bg, "42")
					require.NoError(t, err)
					require.Equal(t, want, u.Name)
					require.Equal(t, []int64{full, revalid}, []int64{v.full.Load(), v.revalid.Load()}, "200s, 304s")
				}
				get("v0", 1, 0)
				time.Sleep(time.Minute - 1)
				get("v0", 1, 0) // the origin's max-age, not the cache's hour
				time.Sleep(1)
				get("v0", 1, 1)
				time.Sleep(time.Minute)
				get("v0", 1, 2) // the validator outlived the first 304
				v.version.Add(1)
				time.Sleep(time.Minute)
				get("v1", 2, 2)
				require.NoError(t, c.Remove(bg, "42"))
				get("v1", 3, 2) // nothing held, nothing to ask about
			})
		})
	}
}

// A 304 says nothing of the ETag of the value that is held: that stays, whatever
// the 304 brings (RFC 9111, 4.3.4).
func TestF9_AnETagStaysWithItsValue(t *testing.T) {
	for name, header := range map[string]http.Header{
		"another ETag":  {"Etag": {`"new"`}},
		"a weaker one":  {"Etag": {`W/"old"`}},
		"only the date": {"Last-Modified": {"Sat, 01 Jan 2000 00:00:00 GMT"}},
		"nothing":       {},
	} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			for name, values := range header {
				w.Header()[name] = values
			}
			w.WriteHeader(http.StatusNotModified)
		})
		r, err := origin(t, s, config{}).Fetch(bg, freshet.Request[User]{Key: "42",
			Last: &freshet.Snapshot[User]{State: freshet.Stale, Validator: `"old"`}})
		require.NoError(t, err, name)
		require.True(t, r.Unchanged, name)
		require.Equal(t, `"old"`, r.Validator, name)
	}
}

func TestF5_NoStoreIsNotKept(t *testing.T) {
	v := &versions{header: http.Header{"Cache-Control": {"no-store"}}}
	within(t, v.ServeHTTP, config{}, func(t *testing.T, o *rest.Origin[User]) {
		c := cacheOf(t, o, freshet.Config[User]{Freshness: freshet.Freshness{TTL: time.Hour}})
		for n := range int64(3) {
			_, err := c.Get(bg, "42")
			require.NoError(t, err)
			require.Equal(t, n+1, v.full.Load())
			_, known := c.Peek("42")
			require.False(t, known)
		}
	})
}

// no-cache and max-age=0: every demand asks, with the validator.
func TestF5_NoCacheIsKeptForRevalidationOnly(t *testing.T) {
	v := &versions{header: http.Header{"Cache-Control": {"no-cache"}}}
	within(t, v.ServeHTTP, config{}, func(t *testing.T, o *rest.Origin[User]) {
		c := cacheOf(t, o, freshet.Config[User]{Freshness: freshet.Freshness{TTL: time.Hour}})
		for n := range int64(3) {
			_, err := c.Get(bg, "42") // virtual time stands still: not even 1 ns
			require.NoError(t, err)
			require.Equal(t, int64(1), v.full.Load())
			require.Equal(t, n, v.revalid.Load())
		}
	})
}

func TestF4_NotFoundAndGoneAreMissing(t *testing.T) {
	var calls, status atomic.Int64
	within(t, func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.WriteHeader(int(status.Load()))
	}, config{}, func(t *testing.T, o *rest.Origin[User]) {
		c := cacheOf(t, o, freshet.Config[User]{Freshness: freshet.Freshness{Missing: time.Minute}})
		for i, code := range []int64{http.StatusNotFound, http.StatusGone} {
			status.Store(code)
			for range 2 {
				_, err := c.Get(bg, fmt.Sprint(code))
				require.ErrorIs(t, err, freshet.ErrNotFound)
				require.Equal(t, int64(i+1), calls.Load())
			}
		}
	})
}

func TestAConditionIsOnlyMadeOfAValidator(t *testing.T) {
	var asked atomic.Value
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.Header.Get("If-None-Match") + r.Header.Get("If-Modified-Since"))
		answer(w, User{ID: "42"})
	})
	o := origin(t, s, config{})
	for validator, want := range map[string]string{
		`"a"`: `"a"`, `W/"a,b"`: `W/"a,b"`, "Sat, 01 Jan 2000 00:00:00 GMT": "Sat, 01 Jan 2000 00:00:00 GMT",
		"": "", "a": "", "*": "", `"`: "", "\"a\r\nX: y\"": "", `"a" "b"`: "", "tomorrow": "",
	} {
		_, err := o.Fetch(bg, freshet.Request[User]{Key: "42", Last: &freshet.Snapshot[User]{State: freshet.Stale, Validator: validator}})
		require.NoError(t, err)
		require.Equal(t, want, asked.Load())
	}
	_, err := o.Fetch(bg, freshet.Request[User]{Key: "42", Last: &freshet.Snapshot[User]{State: freshet.Missing, Validator: `"a"`}})
	require.NoError(t, err)
	require.Empty(t, asked.Load(), "there is nothing that could be unchanged")
}

// A 304 that nobody asked for is no answer.
func TestNotModifiedWithoutConditionIsAnError(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) })
	_, err := fetch(origin(t, s, config{}), "42")
	var status *rest.StatusError
	require.ErrorAs(t, err, &status)
	require.Equal(t, http.StatusNotModified, status.Status)
}

func TestRetryAfterIsHonoured(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"7": 7 * time.Second, "Sat, 01 Jan 2000 00:01:00 GMT": time.Minute, "": 0, "soon": 0, "-3": 0,
		"Fri, 31 Dec 1999 00:00:00 GMT": 0,
	} {
		within(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", header)
			w.WriteHeader(http.StatusServiceUnavailable)
		}, config{}, func(t *testing.T, o *rest.Origin[User]) {
			_, err := fetch(o, "42")
			var status *rest.StatusError
			require.ErrorAs(t, err, &status)
			require.Equal(t, want, status.RetryAfter, header)
			require.True(t, status.Retryable())
		})
	}
}

// A date of Retry-After is by the origin's clock.
func TestRetryAfterIsByTheOriginsClock(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", "Sat, 01 Jan 2000 00:00:00 GMT")
		w.Header().Set("Retry-After", "Sat, 01 Jan 2000 00:00:30 GMT")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	_, err := fetch(origin(t, s, config{}), "42")
	var status *rest.StatusError
	require.ErrorAs(t, err, &status)
	require.Equal(t, 30*time.Second, status.RetryAfter)
}

func TestTagsComeFromTheRecordAndItsHeaders(t *testing.T) {
	v := &versions{header: http.Header{"Cache-Tag": {"team:7"}}}
	s := serve(t, v.ServeHTTP)
	o := origin(t, s, config{Tags: func(u User, h http.Header) []string { return []string{"name:" + u.Name, h.Get("Cache-Tag")} }})
	c := cacheOf(t, o, freshet.Config[User]{})
	_, err := c.Get(bg, "42")
	require.NoError(t, err)
	n, err := c.InvalidateTag(bg, "team:7")
	require.NoError(t, err)
	require.Equal(t, 1, n)
	_, err = c.Get(bg, "42") // 304: its tags stay
	require.NoError(t, err)
	require.Equal(t, int64(1), v.revalid.Load())
	n, err = c.InvalidateTag(bg, "name:v0")
	require.NoError(t, err)
	require.Equal(t, 1, n)
}
