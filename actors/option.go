package actors

import (
	"errors"
	"fmt"
	"time"

	"github.com/freshet-go/freshet/actors/lifecycle"
)

// FetchOption says which answer one call takes. It is a small value; the zero
// FetchOption changes nothing.
type FetchOption struct {
	kind optionKind
	d    time.Duration
}

type optionKind uint8

const (
	noOption optionKind = iota
	forceReload
	maxAge
	cachedOnly
	withTimeout
)

// ForceReload takes only what takes off after this call began (O3).
func ForceReload() FetchOption { return FetchOption{kind: forceReload} }

// MaxAge takes a value whose age is below d, fresh or not, or joins a flight
// in the air, or flies (F10). A Store's value has to be fresh too, or stale
// within F6. MaxAge(0) is ForceReload that may join.
func MaxAge(d time.Duration) FetchOption { return FetchOption{kind: maxAge, d: d} }

// CachedOnly takes what is admissible without a flight, else ErrNotCached (F10).
func CachedOnly() FetchOption { return FetchOption{kind: cachedOnly} }

// WithTimeout bounds the flight that this call starts, if it starts one (C2). d
// is more than 0.
func WithTimeout(d time.Duration) FetchOption { return FetchOption{kind: withTimeout, d: d} }

// MemberOptions are those of a collection's options that its members are fetched
// with: the others are about the list.
func MemberOptions(opts []FetchOption) (of []FetchOption) {
	for _, o := range opts {
		if o.kind == cachedOnly || o.kind == withTimeout {
			of = append(of, o)
		}
	}
	return of
}

// wish is what the options of one call add up to.
type wish[V any] struct {
	demand     lifecycle.Demand[*Future[V]]
	cachedOnly bool
}

// heed adds opts.
func (w *wish[V]) heed(opts []FetchOption) (err error) {
	set := func(kind lifecycle.DemandKind) {
		if w.demand.Kind != lifecycle.Plain && w.demand.Kind != kind {
			err = errors.Join(err, errors.New("freshet: ForceReload and MaxAge exclude each other"))
		}
		w.demand.Kind = kind
	}
	for _, o := range opts {
		if o.d < 0 {
			err = errors.Join(err, fmt.Errorf("freshet: fetch option with the negative duration %v", o.d))
			continue
		}
		switch o.kind {
		case noOption:
		case forceReload:
			set(lifecycle.ForceReload)
		case maxAge:
			set(lifecycle.MaxAge)
			w.demand.MaxAge = o.d
		case cachedOnly:
			w.cachedOnly = true
		case withTimeout:
			if o.d == 0 {
				err = errors.Join(err, errors.New("freshet: WithTimeout(0) leaves the origin no time"))
			}
			w.demand.Timeout = o.d
		}
	}
	if w.cachedOnly && w.demand.Kind == lifecycle.ForceReload {
		err = errors.Join(err, errors.New("freshet: CachedOnly and ForceReload exclude each other"))
	}
	return err
}
