package api_test

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	freshet "github.com/freshet-go/freshet/api"
)

// draught is the value of the soak: a version of a record at the origin.
type draught struct {
	Key     string
	Version uint64
	Pad     string
}

// gone is what the origin says of a version in which there is no record: an
// absence has a version too, and is checked as a value is.
type gone struct {
	key     string
	version uint64
}

func (g *gone) Error() string        { return fmt.Sprintf("%s: version %d is an absence", g.key, g.version) }
func (g *gone) Is(target error) bool { return target == freshet.ErrNotFound }

func isGone(version uint64) bool { return version%11 == 10 }

// spring is one record of the well.
type spring struct {
	key string
	tag string // "" where it has none

	turn sync.Mutex // of whoever writes
	tale tale

	mu      sync.RWMutex
	written []time.Time // when which version was; the first is version 1
}

// tale is what happened to a key lately, for whoever has to understand a
// failure.
type tale struct {
	mu    sync.Mutex
	lines []string
}

const taleLength = 60

func (t *tale) tell(format string, args ...any) {
	line := time.Now().Format("05.000000 ") + fmt.Sprintf(format, args...)
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lines) >= taleLength {
		t.lines = append(t.lines[:0], t.lines[taleLength/2:]...)
	}
	t.lines = append(t.lines, line)
}

func (t *tale) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return "\n" + strings.Join(t.lines, "\n")
}

// write makes a new version.
func (s *spring) write() uint64 {
	s.turn.Lock()
	defer s.turn.Unlock()
	return s.next()
}

// next is write for whoever has the turn. Who saw an older version saw it
// before the time that is noted here.
func (s *spring) next() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written = append(s.written, time.Now())
	return uint64(len(s.written))
}

func (s *spring) version() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return uint64(len(s.written))
}

// versionAt is the version that was written last at or before at: who saw an
// older one saw it before at.
func (s *spring) versionAt(at time.Time) uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return uint64(sort.Search(len(s.written), func(i int) bool { return s.written[i].After(at) }))
}

func (s *spring) draught(version uint64) draught {
	return draught{Key: s.key, Version: version, Pad: strings.Repeat("~", int(version%64))}
}

func (s *spring) response(d dice, version uint64) freshet.Response[draught] {
	r := freshet.Response[draught]{
		Value: s.draught(version), Validator: fmt.Sprint("v", version),
		TTL: some[time.Duration](d, 0, 0, 0, 0, -1, 10*time.Millisecond),
		Age: some[time.Duration](d, 0, 0, 5*time.Millisecond),
	}
	if s.tag != "" {
		r.Tags = []string{s.tag}
	}
	return r
}

// weather is what befalls the origin for a while.
type weather int32

const (
	fair   weather = iota
	stormy         // errors, delays and hangs among the answers
	down           // nothing but errors
	frozen         // nothing but hangs until cancelled
	weathers
)

// lake is the origin of the soak: a version for each key.
type lake struct {
	seed    uint64
	springs []*spring
	of      map[string]*spring
	weather atomic.Int32
	calls   atomic.Uint64
	failed  atomic.Uint64
	hung    atomic.Uint64
	same    atomic.Uint64 // conditional requests that were answered with Unchanged
}

const (
	soakKeys   = 48
	soakGroups = 6
	soakTags   = 4
)

func newLake(seed uint64) *lake {
	w := &lake{seed: seed, of: map[string]*spring{}}
	for i := range soakKeys {
		s := &spring{key: fmt.Sprintf("g%d/k%d", i%soakGroups, i)}
		if tag := i / soakGroups % soakTags; tag > 0 {
			s.tag = fmt.Sprint("tag", tag)
		}
		s.write()
		w.springs, w.of[s.key] = append(w.springs, s), s
	}
	return w
}

var errLake = errors.New("the lake is dry")

// pass takes some time, or fails.
func (w *lake) pass(ctx context.Context, d dice) error {
	wait, fail, hang := time.Duration(d.IntN(800))*time.Microsecond, false, false
	switch weather(w.weather.Load()) {
	case stormy:
		wait *= time.Duration(some(d, 1, 1, 4, 40))
		fail, hang = d.in(4), d.in(20)
	case down:
		fail = true
	case frozen:
		hang = true
	}
	if hang {
		w.hung.Add(1)
		<-ctx.Done()
		return context.Cause(ctx)
	}
	select {
	case <-time.After(wait):
	case <-ctx.Done():
		if !d.in(4) { // else it is deaf, and answers late
			return context.Cause(ctx)
		}
	}
	if fail {
		w.failed.Add(1)
		return errLake
	}
	return nil
}

// Fetch reads the version first and dawdles then, or the other way round.
func (w *lake) Fetch(ctx context.Context, r freshet.Request[draught]) (freshet.Response[draught], error) {
	d, s := newDice(w.seed, 1<<32+w.calls.Add(1)), w.of[r.Key]
	version := s.version()
	s.tale.tell("origin: flight %d begins at version %d", r.Seq, version)
	err := w.pass(ctx, d)
	if err != nil {
		return freshet.Response[draught]{}, err
	}
	if d.in(2) {
		version = s.version()
	}
	s.tale.tell("origin: flight %d is answered with version %d", r.Seq, version)
	if isGone(version) {
		return freshet.Response[draught]{}, &gone{s.key, version}
	}
	resp := s.response(d, version)
	if r.Last != nil && r.Last.Validator == resp.Validator {
		w.same.Add(1)
		resp.Unchanged, resp.Value = true, draught{}
	}
	return resp, nil
}

// deepLake can fetch many at once. It leaves some out.
type deepLake struct{ *lake }

func (w deepLake) FetchMany(ctx context.Context, rs []freshet.Request[draught]) (map[string]freshet.Response[draught], error) {
	found, many := map[string]freshet.Response[draught]{}, &freshet.ManyError{Errs: map[string]error{}}
	for i, r := range rs {
		if i%7 == 6 {
			continue
		}
		resp, err := w.Fetch(ctx, r)
		if err != nil {
			many.Errs[r.Key] = err
		} else {
			found[r.Key] = resp
		}
	}
	return found, many
}
