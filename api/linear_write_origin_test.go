package api_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	freshet "github.com/freshet-go/freshet/api"
)

// sheet is the value of the cache that is written through. It tells all that
// happened to it: which version of the record it is, and which mutations show
// over that.
type sheet struct {
	Version int64 // of the record at the origin; of a Set value: its number
	Set     bool
	Count   int64
	Layers  string // the ids of the mutations over it, the oldest first: ";7;12"
	Whole   bool   // the first of them replaced what there was
}

// over is s with the mutation of that id over it.
func (s sheet) over(id int64) sheet {
	s.Layers += fmt.Sprintf(";%d", id)
	return s
}

var (
	errRefused = errors.New("the registry refuses")
)

// registry is an origin that can be written. Its records have versions, numbered
// by one clock with everything else, and a count.
type registry struct {
	clock atomic.Int64
	calls atomic.Uint64
	seed  uint64
	sole  bool // nobody else writes, and nothing is applied after it was given up

	mu      sync.Mutex
	records [len(linearKeys)]entry
	commits map[int64]commit
}

type entry struct {
	version, count int64
	gone           bool
}

// commit is what is known of the origin call of a mutation.
type commit struct {
	answered int64 // when; 0: not yet
	applied  int64 // the version it made; 0: it was refused, or not applied yet
}

// id is the context key of a mutation's id.
type id struct{}

// at is the version of key now.
func (l *registry) at(key int) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.records[key].version
}

// apply changes a record and returns it.
func (l *registry) apply(key int, change func(*entry)) entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := &l.records[key]
	if e.gone {
		*e = entry{}
	}
	e.version = l.clock.Add(1)
	change(e)
	return *e
}

// Fetch reads a record somewhere between its beginning and its end.
func (l *registry) Fetch(ctx context.Context, r freshet.Request[sheet]) (a freshet.Response[sheet], err error) {
	d := newDice(l.seed, 1_000+l.calls.Add(1))
	deaf := d.in(2)
	if err := dawdle(ctx, d, deaf); err != nil {
		return a, err
	}
	l.mu.Lock()
	e := l.records[linearKey(r.Key)]
	l.mu.Unlock()
	if err := dawdle(ctx, d, deaf); err != nil {
		return a, err
	}
	switch {
	case d.in(10):
		return a, errDry
	case e.gone:
		return a, absence{e.version}
	case r.Last != nil && r.Last.Value == e.sheet():
		a.Unchanged = true
	default:
		a.Value = e.sheet()
	}
	if d.in(10) {
		a.TTL = -1
	}
	return a, nil
}

func (e entry) sheet() sheet { return sheet{Version: e.version, Count: e.count} }

// write is one origin call: it takes a while, is refused or applied, and takes
// a while to say so, or does not say.
func (l *registry) write(ctx context.Context, key int, change func(*entry)) (e entry, err error) {
	d := newDice(l.seed, 1_000+l.calls.Add(1))
	number, _ := ctx.Value(id{}).(int64)
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.commits[number] = commit{answered: l.clock.Add(1), applied: e.version}
	}()
	deaf := !l.sole && d.in(2)
	if err := dawdle(ctx, d, deaf); err != nil {
		return e, err
	}
	switch {
	case d.in(6):
		return e, errRefused
	case d.in(12):
		return e, freshet.ErrUnknown
	case d.in(16):
		panic("the registry burns")
	}
	made := l.apply(key, change)
	_ = dawdle(ctx, d, l.sole || deaf)
	if ctx.Err() != nil && !deaf {
		return e, ctx.Err()
	}
	switch {
	case d.in(12):
		return e, freshet.ErrUnknown
	case d.in(16):
		panic("the registry burns too late")
	}
	return made, nil
}

// Create puts a record where the dice say, whether there was one or not.
func (l *registry) Create(ctx context.Context, v sheet) (string, sheet, error) {
	key := int(v.Count) % len(linearKeys)
	e, err := l.write(ctx, key, func(e *entry) { e.count = v.Count })
	return linearKeys[key], e.sheet(), err
}

func (l *registry) Update(ctx context.Context, key string, v sheet) (sheet, error) {
	e, err := l.write(ctx, linearKey(key), func(e *entry) { e.count = v.Count })
	return e.sheet(), err
}

func (l *registry) Delete(ctx context.Context, key string) error {
	_, err := l.write(ctx, linearKey(key), func(e *entry) { e.gone, e.count = true, 0 })
	return err
}

// add is a Commit that does not depend on what the cache knows.
func (l *registry) add(key int) func(context.Context, sheet) (sheet, error) {
	return func(ctx context.Context, _ sheet) (sheet, error) {
		e, err := l.write(ctx, key, func(e *entry) { e.count++ })
		return e.sheet(), err
	}
}
