package streams

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Option says what a subscription is to deliver and how. The same option may be given more than once: Keys and Kinds
// add up, of the others the last one holds.
type Option func(*settings)

// Overflow is what happens to a subscriber that falls behind the history (S9).
type Overflow uint8

const (
	// Disconnect ends the subscription with ErrLagged. It is the default: nobody goes on with a hole without having
	// said so.
	Disconnect Overflow = iota
	// DropOldest tells of the loss by a Gap event and goes on with the oldest event that is kept.
	DropOldest
	// Resync tells of the loss by a Gap event, at which the reader drops the state it built, and goes on with a
	// snapshot as in S5.
	Resync
)

// String is the policy's name.
func (o Overflow) String() string {
	switch o {
	case Disconnect:
		return "Disconnect"
	case DropOldest:
		return "DropOldest"
	case Resync:
		return "Resync"
	}
	return fmt.Sprintf("Overflow(%d)", uint8(o))
}

// Keys delivers the events of these keys alone. Up to 64 keys such a subscription is not woken by the traffic of other
// keys, and however many keys, it is not lapped by it (S9). At least one key; a key given twice counts once.
func Keys(keys ...string) Option {
	return func(s *settings) {
		s.named = true
		s.keys = append(s.keys, keys...)
	}
}

// only is Keys(key), beside which there is no other choice.
func only(key string) Option {
	return func(s *settings) {
		if s.named {
			s.refuse("Keys: this stream is of one key, which is given")
		}
		if s.prefixed {
			s.refuse("Prefix: this stream is of one key, which is given")
		}
		s.named, s.keys, s.prefixed = true, []string{key}, false
	}
}

// Prefix delivers the events of the keys that begin with prefix; the empty one is every key.
func Prefix(prefix string) Option {
	return func(s *settings) { s.prefix, s.prefixed = prefix, true }
}

// Kinds delivers the events of these kinds alone. Control kinds come in any case, and so do the values of a snapshot.
func Kinds(kinds ...Kind) Option {
	return func(s *settings) {
		if len(kinds) == 0 {
			s.refuse("Kinds: none given")
		}
		for _, k := range kinds {
			if k == 0 || k >= kindEnd {
				s.refuse("Kinds: %v is no kind", k)
				continue
			}
			s.kinds |= 1 << k
		}
	}
}

// Since delivers what happened after the token's place (S4). The empty token is from now on.
func Since(t Token) Option { return func(s *settings) { s.since = t } }

// WithSnapshot delivers first what the cache holds, then Synced, then what happens (S5).
func WithSnapshot() Option { return func(s *settings) { s.snapshot = true } }

// Live observes the subscription's keys for as long as it lasts: they are fetched if absent, fetched again when
// invalidated and at the end of their TTL, and stay resident (S11). It needs Keys.
func Live() Option { return func(s *settings) { s.live = true } }

// Refresh makes Live fetch its keys again at least every d, whatever their TTL. It needs Live; d is more than 0.
func Refresh(d time.Duration) Option {
	return func(s *settings) {
		if d <= 0 {
			s.refuse("Refresh: %v is not more than 0", d)
		}
		s.refresh = d
	}
}

// OnOverflow says what happens when the subscriber falls behind the history; the default is Disconnect.
func OnOverflow(o Overflow) Option {
	return func(s *settings) {
		if o > Resync {
			s.refuse("OnOverflow: %v is no policy", o)
		}
		s.overflow = o
	}
}

type settings struct {
	keys     []string
	named    bool // Keys was given, be it with none
	prefix   string
	prefixed bool
	kinds    kindSet
	since    Token
	snapshot bool
	live     bool
	refresh  time.Duration
	overflow Overflow
	wrong    []error
}

func (s *settings) refuse(format string, args ...any) {
	s.wrong = append(s.wrong, fmt.Errorf(format, args...))
}

// settle runs the options and names everything that is wrong with them in one error.
func settle(opts []Option, canScan, canObserve bool, checkKey func(string) error) (*settings, error) {
	s := &settings{}
	for i, opt := range opts {
		if opt == nil {
			s.refuse("option %d is nil", i)
			continue
		}
		opt(s)
	}
	if s.named && len(s.keys) == 0 {
		s.refuse("Keys: none given")
	}
	s.keys = distinct(s.keys)
	for _, key := range s.keys {
		if err := checkKey(key); err != nil {
			s.refuse("Keys: %w", err)
		}
	}
	if s.named && s.prefixed {
		s.refuse("Keys and Prefix exclude each other")
	}
	if s.snapshot && s.since != "" {
		s.refuse("WithSnapshot and Since exclude each other: a snapshot begins anew")
	}
	if s.snapshot && !canScan {
		s.refuse("WithSnapshot: this log has no values to scan")
	}
	if s.overflow == Resync && !canScan {
		s.refuse("OnOverflow(Resync): this log has no values to scan")
	}
	if s.live && !s.named {
		s.wrong = append(s.wrong, ErrLiveNeedsKeys)
	}
	if s.live && !canObserve {
		s.refuse("Live: this log has nobody who could fetch")
	}
	if s.refresh != 0 && !s.live {
		s.refuse("Refresh needs Live")
	}
	return s, errors.Join(s.wrong...)
}

// checkKey is LogConfig.CheckKey where nobody gave one.
func checkKey(key string) error {
	if key == "" {
		return errors.New("the empty key is no key")
	}
	return nil
}

// filter is nil where everything is wanted.
func (s *settings) filter() *filter {
	if !s.named && s.prefix == "" && s.kinds == 0 {
		return nil
	}
	f := &filter{prefix: strings.Clone(s.prefix), kinds: s.kinds}
	if s.named {
		f.keys = s.keys
		f.set = make(map[string]int, len(s.keys))
		for i, key := range s.keys {
			f.set[key] = i
		}
	}
	return f
}

// distinct is a copy without repetitions, in the order of first appearance: the caller's slice stays the caller's.
func distinct(keys []string) []string {
	if len(keys) == 0 {
		return nil
	}
	seen := make(map[string]struct{}, len(keys))
	out := make([]string, 0, len(keys))
	for _, key := range keys {
		if _, again := seen[key]; !again {
			seen[key] = struct{}{}
			out = append(out, key)
		}
	}
	return out
}
