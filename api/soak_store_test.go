package api_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/store/bolt"
	"github.com/freshet-go/freshet/api/store/storetest"
)

// ledger is what one physical store promised, by whatever process: D5 is
// checked against it at every read.
type ledger struct {
	t      *testing.T
	name   string
	lake   *lake
	codec  freshet.Codec[draught]
	floors map[string]*atomic.Uint64

	gets, found, sets, erases, prefixes, refused atomic.Uint64
}

func newLedger(t *testing.T, name string, w *lake, codec freshet.Codec[draught]) *ledger {
	l := &ledger{t: t, name: name, lake: w, codec: codec, floors: map[string]*atomic.Uint64{}}
	for _, s := range w.springs {
		l.floors[s.key] = &atomic.Uint64{}
	}
	return l
}

// audited is a Store under a ledger: what it acknowledges is entered there,
// and what it answers is compared.
type audited struct {
	freshet.Store
	*ledger
	who string
}

// tell adds to the tale of a key.
func (a *audited) tell(call, key string, at time.Time, err error) {
	a.lake.of[key].tale.tell("%s: %s at %s: %v", a.who, call, at.Format("05.000000"), err)
}

// soakHeader is what package actors puts before the codec's bytes.
const soakHeader = 17

func (a *audited) Get(ctx context.Context, key string) (freshet.Record, error) {
	floor := a.floors[key].Load()
	r, err := a.Store.Get(ctx, key)
	a.gets.Add(1)
	switch {
	case errors.Is(err, freshet.ErrNotFound):
	case err != nil:
		a.refused.Add(1)
	default:
		a.found.Add(1)
		a.tell("Get", key, r.ReadAt, nil)
		v, err := a.codec.Unmarshal(r.Value[min(soakHeader, len(r.Value)):])
		switch {
		case err != nil:
			a.t.Errorf("D5: %s has a torn record of %s: %v", a.name, key, err)
		case v.Key != key:
			a.t.Errorf("D5: %s has a record of %s under %s", a.name, v.Key, key)
		case v.Version < floor:
			a.t.Errorf("D5: %s brought back version %d of %s, read at %v; the erase of what was before version %d was acknowledged%v",
				a.name, v.Version, key, r.ReadAt.Format(time.StampMicro), floor, &a.lake.of[key].tale)
		}
	}
	return r, err
}

func (a *audited) Set(ctx context.Context, key string, r freshet.Record) error {
	err := a.Store.Set(ctx, key, r)
	a.count(&a.sets, err)
	a.tell("Set", key, r.ReadAt, err)
	return err
}

func (a *audited) count(n *atomic.Uint64, err error) bool {
	if err != nil {
		a.refused.Add(1)
		return false
	}
	n.Add(1)
	return true
}

func (a *audited) Delete(ctx context.Context, key string, at time.Time) error {
	version := a.lake.of[key].versionAt(at)
	err := a.Store.Delete(ctx, key, at)
	a.tell("Delete", key, at, err)
	if a.count(&a.erases, err) {
		raise(a.floors[key], version)
	}
	return err
}

func (a *audited) DeletePrefix(ctx context.Context, prefix string, at time.Time) error {
	versions := map[string]uint64{}
	for _, s := range a.lake.springs {
		if strings.HasPrefix(s.key, prefix) {
			versions[s.key] = s.versionAt(at)
		}
	}
	err := a.Store.DeletePrefix(ctx, prefix, at)
	if a.count(&a.prefixes, err) {
		for key, version := range versions {
			a.tell("DeletePrefix", key, at, err)
			raise(a.floors[key], version)
		}
	}
	return err
}

// raise makes n at least to.
func raise(n *atomic.Uint64, to uint64) {
	for have := n.Load(); have < to; have = n.Load() {
		if n.CompareAndSwap(have, to) {
			return
		}
	}
}

// OnInvalidate passes on what the store beneath hears, if it can.
func (a *audited) OnInvalidate(tell func(freshet.Invalidation)) (stop func()) {
	if i, ok := a.Store.(freshet.Invalidator); ok {
		return i.OnInvalidate(tell)
	}
	return func() {}
}

// clouds is a plan of what befalls a store for a while.
func clouds(seed uint64, d dice) (string, storetest.Plan) {
	rain := func(n uint64, share float64, f storetest.Fault) storetest.Plan {
		return storetest.Sometimes(seed+n, share, f)
	}
	switch d.IntN(6) {
	case 0:
		return "down", storetest.On("", storetest.Fault{Err: storetest.ErrInjected})
	case 1:
		return "frozen", storetest.On("", storetest.Fault{Hang: true})
	case 2:
		return "deletes fail", storetest.First(storetest.On("Delete", storetest.Fault{Lost: d.in(2), Err: storetest.ErrInjected}),
			storetest.On("DeletePrefix", storetest.Fault{Err: storetest.ErrInjected}))
	case 3:
		return "slow", storetest.On(some(d, "", "Get", "Set"), storetest.Fault{Delay: time.Duration(1+d.IntN(40)) * time.Millisecond})
	default:
		return "stormy", storetest.First(
			rain(1, 0.15, storetest.Fault{Err: storetest.ErrInjected}),
			rain(2, 0.08, storetest.Fault{Lost: true}),
			rain(3, 0.03, storetest.Fault{Garbage: true}),
			rain(4, 0.02, storetest.Fault{Panic: true}),
			rain(5, 0.03, storetest.Fault{Hang: true}),
			rain(6, 0.20, storetest.Fault{Delay: 3 * time.Millisecond}),
			rain(7, 0.03, storetest.Fault{Delay: 60 * time.Millisecond, Lost: true}),
		)
	}
}

// boltFile is a bolt store whose file is closed and opened again under those
// who use it.
type boltFile struct {
	path  string
	db    *bolt.DB
	store atomic.Pointer[bolt.Store]
}

func openBolt(t *testing.T) *boltFile {
	b := &boltFile{path: filepath.Join(t.TempDir(), "soak.db")}
	require.NoError(t, b.open())
	return b
}

func (b *boltFile) open() error {
	db, err := bolt.Open(b.path, bolt.Options{LockTimeout: 10 * time.Second, SweepEvery: 50 * time.Millisecond, Logger: silent})
	if err != nil {
		return err
	}
	store, err := db.Store("soak")
	if err != nil {
		return errors.Join(err, db.Close())
	}
	b.db = db
	b.store.Store(store)
	return nil
}

func (b *boltFile) restart(pause time.Duration) error {
	if err := b.db.Close(); err != nil {
		return err
	}
	time.Sleep(pause)
	return b.open()
}

func (b *boltFile) Get(ctx context.Context, key string) (freshet.Record, error) {
	return b.store.Load().Get(ctx, key)
}

func (b *boltFile) Set(ctx context.Context, key string, r freshet.Record) error {
	return b.store.Load().Set(ctx, key, r)
}

func (b *boltFile) Delete(ctx context.Context, key string, at time.Time) error {
	return b.store.Load().Delete(ctx, key, at)
}

func (b *boltFile) DeletePrefix(ctx context.Context, prefix string, at time.Time) error {
	return b.store.Load().DeletePrefix(ctx, prefix, at)
}

func (b *boltFile) Close() error { return b.db.Close() }
