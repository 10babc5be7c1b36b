package api_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"time"

	freshet "github.com/freshet-go/freshet/api"
)

// tick is the unit of all durations in the histories: so coarse that many
// things fall on the same instant and then race.
const tick = time.Millisecond

// well is an origin whose records have versions. Each call waits a while,
// reads the version, and waits again.
type well struct {
	clock    atomic.Int64
	calls    atomic.Uint64
	seed     uint64
	always   bool // every read finds a new version; otherwise writes make them
	tagged   bool
	absences bool
	versions [len(linearKeys)]atomic.Int64
}

// absence is a record that is gone: knowledge too, and it has a version.
type absence struct{ version int64 }

func (absence) Error() string { return "gone" }
func (absence) Unwrap() error { return freshet.ErrNotFound }

var errDry = errors.New("the well is dry")

// at is a version below which no read that begins now can be.
func (w *well) at(key int) int64 {
	if w.always {
		return w.clock.Load()
	}
	return w.versions[key].Load()
}

func (w *well) write(key int) {
	version := w.clock.Add(1)
	for have := w.versions[key].Load(); have < version && !w.versions[key].CompareAndSwap(have, version); {
		have = w.versions[key].Load()
	}
}

func (w *well) read(key int) int64 {
	if w.always {
		return w.clock.Add(1)
	}
	return w.versions[key].Load()
}

// dawdle takes some time, or only the processor's attention. Where the context
// is heeded it says why it ended.
func dawdle(ctx context.Context, d dice, deaf bool) error {
	switch d.IntN(4) {
	case 0:
		return nil
	case 1:
		for range d.IntN(20) {
			runtime.Gosched()
		}
		return nil
	}
	wait := time.NewTimer(time.Duration(1+d.IntN(4)) * tick)
	defer wait.Stop()
	if deaf {
		<-wait.C
		return nil
	}
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (w *well) Fetch(ctx context.Context, r freshet.Request[reading]) (freshet.Response[reading], error) {
	d := newDice(w.seed, 1_000+w.calls.Add(1))
	deaf := d.in(2)
	if err := dawdle(ctx, d, deaf); err != nil {
		return freshet.Response[reading]{}, err
	}
	return w.draw(ctx, d, deaf, r)
}

// draw reads one record, and dawdles before it says so.
func (w *well) draw(ctx context.Context, d dice, deaf bool, r freshet.Request[reading]) (a freshet.Response[reading], err error) {
	version := w.read(linearKey(r.Key))
	if err := dawdle(ctx, d, deaf); err != nil {
		return a, err
	}
	switch {
	case d.in(8):
		return a, errDry
	case w.absences && d.in(6):
		return a, absence{version}
	case r.Last != nil && r.Last.Value == reading{Version: version}:
		a.Unchanged = true
	default:
		a.Value.Version = version
	}
	if w.tagged {
		a.Tags = []string{"all"}
	}
	if d.in(10) {
		a.TTL = -1
	}
	return a, nil
}

// bulkWell can also fetch several at once, and forgets some of them.
type bulkWell struct{ *well }

func (w bulkWell) FetchMany(ctx context.Context, rs []freshet.Request[reading]) (map[string]freshet.Response[reading], error) {
	d := newDice(w.seed, 1_000+w.calls.Add(1))
	deaf := d.in(2)
	if err := dawdle(ctx, d, deaf); err != nil {
		return nil, err
	}
	found := make(map[string]freshet.Response[reading])
	many := &freshet.ManyError{Errs: make(map[string]error)}
	for _, r := range rs {
		a, err := w.draw(ctx, d, deaf, r)
		switch {
		case d.in(6):
		case err != nil:
			many.Errs[r.Key] = err
		default:
			found[r.Key] = a
		}
	}
	return found, many
}
