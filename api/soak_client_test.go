package api_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/store/storetest"
)

// floors are what no answer may be older than: a version for each key.
type floors [soakKeys]atomic.Uint64

// process is a cache as one process has it, with the barriers that are
// complete in it (O0). It can be started anew on its store.
type process struct {
	name   string
	make   func(freshet.Store) (*freshet.Cache[draught], error)
	store  *storetest.FaultyStore
	ledger *ledger

	running sync.RWMutex // held by whoever uses it; all of it to restart
	cache   atomic.Pointer[freshet.Cache[draught]]
	// lasting are the barriers that its store knows too; those of tags end
	// with the cache.
	lasting, tagged *floors
}

// bounds are what an answer may not be older than: an absence carries no tags.
type bounds struct{ value, absence uint64 }

// bounds are those of a call that begins now.
func (p *process) bounds(i int) bounds {
	lasting := p.lasting[i].Load()
	return bounds{max(lasting, p.tagged[i].Load()), lasting}
}

// restart closes the cache and starts another on the same store: a process
// that comes back. Whatever was owed to the store when it was well again
// has to be there (D4), so the barriers outlive the cache.
func (p *process) restart(t *testing.T, patience time.Duration) (clean bool) {
	p.running.Lock()
	defer p.running.Unlock()
	p.store.Plan(nil)
	time.Sleep(patience) // what began in worse weather is over
	old := p.cache.Load()
	errs := old.Stats().StoreErrors
	ctx, cancel := context.WithTimeout(bg, time.Minute)
	defer cancel()
	if err := old.Close(ctx); err != nil {
		t.Errorf("C5: %s: %v", p.name, err)
	}
	clean = old.Stats().StoreErrors == errs
	if !clean {
		p.lasting = &floors{} // a machine so slow that the store ran into its timeout
	}
	p.tagged = &floors{}
	cache, err := p.make(p.store)
	if err != nil {
		t.Errorf("%s: %v", p.name, err)
		return clean
	}
	p.cache.Store(cache)
	return clean
}

// soaker is one client.
type soaker struct {
	dice
	t  *testing.T
	w  *lake
	ps []*process
	n  *soakCounts
}

type soakCounts struct {
	calls, values, absences, errs, barriers, sets, restarts, unclean, troubles atomic.Uint64
}

// check says what is wrong with an answer to a call that began when floor was
// the newest complete barrier.
func (s *soaker) check(call string, p *process, i int, floor bounds, v draught, err error) {
	key, newest := s.w.springs[i].key, s.w.springs[i].version
	var absent *gone
	switch {
	case err == nil:
		s.n.values.Add(1)
		if v.Key != key || v.Version < floor.value || v.Version > newest() {
			s.t.Errorf("O0: %s of %s in %s gave version %d of %q; the newest barrier before it was at version %d%v",
				call, key, p.name, v.Version, v.Key, floor.value, &s.w.springs[i].tale)
		}
	case errors.As(err, &absent):
		s.n.absences.Add(1)
		if absent.key != key || absent.version < floor.absence || absent.version > newest() {
			s.t.Errorf("O0: %s of %s in %s gave the absence of %q at version %d; the newest barrier before it was at version %d%v",
				call, key, p.name, absent.key, absent.version, floor.absence, &s.w.springs[i].tale)
		}
	case errors.Is(err, freshet.ErrClosed), errors.Is(err, freshet.ErrPending), errors.Is(err, freshet.ErrSuperseded):
		s.t.Errorf("%s of %s in %s: %v", call, key, p.name, err)
	default:
		s.n.errs.Add(1)
	}
}

// swim does one thing in one cache, or in all of them.
func (s *soaker) swim() {
	s.n.calls.Add(1)
	i := s.IntN(soakKeys)
	if s.in(2) { // some keys are dearer than others
		i = s.IntN(8)
	}
	p := s.ps[s.IntN(len(s.ps))]
	switch n := s.IntN(100); {
	case n < 70:
		p.running.RLock()
		defer p.running.RUnlock()
		s.read(p, i)
	case n < 95:
		p.running.RLock()
		defer p.running.RUnlock()
		s.write(p, i)
	default: // one change, told to all
		for _, p := range s.ps {
			p.running.RLock()
			defer p.running.RUnlock()
		}
		version := s.w.springs[i].write()
		for _, p := range s.ps {
			s.barrier(p, "Invalidate", i, version, p.cache.Load().Invalidate(bg, s.w.springs[i].key))
		}
	}
}

func (s *soaker) read(p *process, i int) {
	c, key, floor := p.cache.Load(), s.w.springs[i].key, p.bounds(i)
	ctx := bg
	if s.in(6) {
		short, cancel := context.WithTimeout(bg, time.Duration(s.IntN(5_000))*time.Microsecond)
		defer cancel()
		ctx = short
	}
	switch n := s.IntN(20); {
	case n < 9:
		v, err := c.Get(ctx, key)
		s.check("Get", p, i, floor, v, err)
	case n < 10:
		v, err := c.Get(ctx, key, freshet.MaxAge(5*time.Millisecond), freshet.WithTimeout(20*time.Millisecond))
		s.check("Get with MaxAge", p, i, floor, v, err)
	case n < 12:
		snap, err := c.Lookup(ctx, key)
		s.check("Lookup", p, i, floor, snap.Value, err)
	case n < 13:
		v, err := c.Get(ctx, key, freshet.CachedOnly())
		s.check("Get with CachedOnly", p, i, floor, v, err)
	case n < 15: // nothing from before the call will do
		now := s.w.springs[i].version()
		floor = bounds{now, now}
		v, err := c.Get(ctx, key, freshet.ForceReload())
		s.check("Get with ForceReload", p, i, floor, v, err)
	case n < 17:
		f := c.Fetch(ctx, key)
		s.pause()
		v, err := f.Await(ctx)
		if !errors.Is(err, freshet.ErrSuperseded) { // nobody awaited it when a barrier was raised
			s.check("Fetch", p, i, floor, v, err)
		}
	default:
		s.readMany(ctx, p)
	}
}

func (s *soaker) readMany(ctx context.Context, p *process) {
	var (
		keys   []string
		before [soakKeys]bounds
		group  = s.IntN(soakGroups)
	)
	for i := group; i < soakKeys; i += soakGroups {
		keys, before[i] = append(keys, s.w.springs[i].key), p.bounds(i)
	}
	found, err := p.cache.Load().GetMany(ctx, keys)
	var many *freshet.ManyError
	if err != nil && !errors.As(err, &many) {
		s.t.Errorf("GetMany: %v", err)
		return
	}
	for i := group; i < soakKeys; i += soakGroups {
		v, ok := found[s.w.springs[i].key]
		if ok {
			err = nil
		} else if err = many.Errs[s.w.springs[i].key]; err == nil {
			s.t.Errorf("GetMany says nothing of %s", s.w.springs[i].key)
			continue
		}
		s.check("GetMany", p, i, before[i], v, err)
	}
}

// barrier enters that one is complete.
func (s *soaker) barrier(p *process, what string, i int, version uint64, err error) {
	s.w.springs[i].tale.tell("%s: %s of version %d returned", p.name, what, version)
	if err != nil {
		s.t.Errorf("%s: %v", p.name, err)
		return
	}
	s.n.barriers.Add(1)
	raise(&p.lasting[i], version)
}

func (s *soaker) write(p *process, i int) {
	c, o := p.cache.Load(), s.w.springs[i]
	switch n := s.IntN(20); {
	case n < 7: // an event says that it changed
		version := o.write()
		s.barrier(p, "Invalidate", i, version, c.Invalidate(bg, o.key))
	case n < 9:
		version := o.write()
		s.barrier(p, "Remove", i, version, c.Remove(bg, o.key))
	case n < 14:
		s.set(p, i)
	case n < 16:
		prefix, versions := o.key[:strings.IndexByte(o.key, '/')+1], s.versions()
		_, err := c.InvalidatePrefix(bg, prefix)
		for j, o := range s.w.springs {
			if strings.HasPrefix(o.key, prefix) {
				s.barrier(p, "InvalidatePrefix", j, versions[j], err)
			}
		}
	case n < 18 && o.tag != "":
		versions := s.versions()
		if _, err := c.InvalidateTag(bg, o.tag); err != nil {
			s.t.Errorf("%s: %v", p.name, err)
		}
		s.n.barriers.Add(1)
		for j, other := range s.w.springs {
			if other.tag == o.tag {
				other.tale.tell("%s: InvalidateTag at version %d returned", p.name, versions[j])
				raise(&p.tagged[j], versions[j])
			}
		}
	case n < 19:
		_ = c.Expire(bg, o.key)
	default: // nobody is told
		o.write()
	}
}

func (s *soaker) versions() (v [soakKeys]uint64) {
	for i, o := range s.w.springs {
		v[i] = o.version()
	}
	return v
}

// set is a write that is known to the cache at once. The key is not written
// meanwhile: or what is set could be older than what was set, by us.
func (s *soaker) set(p *process, i int) {
	o := s.w.springs[i]
	o.turn.Lock()
	defer o.turn.Unlock()
	version := o.next()
	for isGone(version) {
		version = o.next()
	}
	s.n.sets.Add(1)
	if o.tag == "" && s.in(2) {
		s.barrier(p, "Set", i, version, p.cache.Load().Set(bg, o.key, o.draught(version)))
		return
	}
	s.barrier(p, "Put", i, version, p.cache.Load().Put(bg, o.key, o.response(s.dice, version)))
}

func (s *soaker) pause() {
	if s.in(2) {
		time.Sleep(time.Duration(s.IntN(1_000)) * time.Microsecond)
	}
}
