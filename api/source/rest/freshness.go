package rest

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// directives are those of Cache-Control that matter to a private cache.
type directives struct {
	noStore, noCache bool
	maxAge           time.Duration
	hasMaxAge        bool
}

// parseCacheControl reads RFC 9111, 5.2. Names are case-insensitive, values
// may be quoted, commas may be within quotes. What cannot be understood counts
// as if the response were stale (4.2.1).
func parseCacheControl(lines []string) directives {
	var d directives
	for _, part := range splitList(strings.Join(lines, ",")) {
		name, value, hasValue := strings.Cut(part, "=")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "no-store":
			d.noStore = true
		case "no-cache":
			d.noCache = true // with names of fields too: to revalidate all is the safe reading
		case "max-age":
			age, ok := deltaSeconds(strings.Trim(strings.TrimSpace(value), `"`))
			if !ok || !hasValue {
				age = 0
			}
			if d.hasMaxAge {
				age = min(age, d.maxAge) // said twice: the shorter
			}
			d.maxAge, d.hasMaxAge = age, true
		}
	}
	return d
}

// splitList splits at commas that are not within quotes. Where a quote is not
// closed none is one: what follows it is not to be swallowed.
func splitList(s string) []string {
	var parts []string
	quoted, start := false, 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ',' && !quoted:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	if quoted {
		return strings.Split(s, ",")
	}
	return append(parts, s[start:])
}

// deltaSeconds reads RFC 9111, 1.2.2; what is too large is very long.
func deltaSeconds(s string) (time.Duration, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n > math.MaxInt32 {
		n = math.MaxInt32
	}
	return time.Duration(n) * time.Second, true
}

// freshness is what the headers say of TTL and age, in the terms of
// freshet.Response. took is how long the exchange lasted.
func freshness(h http.Header, now time.Time, took time.Duration, ignore bool) (ttl, age time.Duration) {
	// Of several values the first counts, of a bad one nothing (RFC 9111, 5.1).
	first, _, _ := strings.Cut(h.Get("Age"), ",")
	age, _ = deltaSeconds(strings.TrimSpace(first))
	d := parseCacheControl(h.Values("Cache-Control"))
	if d.noStore {
		return -1, age
	}
	if ignore {
		return 0, age
	}
	known := true
	switch expires := h.Values("Expires"); {
	case d.noCache, variesByAnything(h):
		ttl = 0
	case d.hasMaxAge:
		ttl = d.maxAge
	case len(expires) > 0:
		ttl = expiry(expires[0], h.Get("Date"), now)
	default:
		known = false
	}
	switch {
	case !known:
		return 0, age
	case ttl <= 0:
		// A TTL of 0 would mean the configured one: this is stale when it comes.
		return 1, max(age, 1)
	}
	return ttl, age + took
}

// variesByAnything says whether a "*" is among the members of Vary (RFC 9111, 4.1).
func variesByAnything(h http.Header) bool {
	for field := range strings.SplitSeq(strings.Join(h.Values("Vary"), ","), ",") {
		if strings.TrimSpace(field) == "*" {
			return true
		}
	}
	return false
}

// expiry is Expires less Date, less now where there is no Date.
func expiry(expires, date string, now time.Time) time.Duration {
	end, err := http.ParseTime(expires)
	if err != nil {
		return 0 // "0" above all: it has expired
	}
	if sent, err := http.ParseTime(date); err == nil {
		now = sent
	}
	return end.Sub(now)
}

// validator is the strongest there is: the ETag, else Last-Modified. They
// cannot be confused: one ends with a quote, the other with GMT.
func validator(h http.Header) string {
	if etag := strings.TrimSpace(h.Get("Etag")); isETag(etag) {
		return etag
	}
	if modified := strings.TrimSpace(h.Get("Last-Modified")); isDate(modified) {
		return modified
	}
	return ""
}

// condition is the header of a conditional request. A validator that is
// neither, from a Store that was tampered with say, is none.
func condition(validator string) (name, value string) {
	switch {
	case isETag(validator):
		return "If-None-Match", validator
	case isDate(validator):
		return "If-Modified-Since", validator
	}
	return "", ""
}

func isETag(s string) bool {
	s = strings.TrimPrefix(s, "W/")
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return false
	}
	for _, c := range []byte(s[1 : len(s)-1]) {
		if c == '"' || c < 0x21 || c == 0x7f {
			return false
		}
	}
	return true
}

func isDate(s string) bool {
	_, err := http.ParseTime(s)
	return err == nil
}

// retryAfter reads RFC 9110, 10.2.3: seconds or a date.
func retryAfter(h http.Header, now time.Time) time.Duration {
	s := strings.TrimSpace(h.Get("Retry-After"))
	if d, ok := deltaSeconds(s); ok {
		return d
	}
	if at, err := http.ParseTime(s); err == nil {
		if sent, err := http.ParseTime(h.Get("Date")); err == nil {
			now = sent // by the origin's clock, as it was meant
		}
		return max(at.Sub(now), 0)
	}
	return 0
}
