package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/codec/cbor"
	"github.com/freshet-go/freshet/api/store/redis"
	"github.com/freshet-go/freshet/api/store/storetest"
)

var soakFlag = flag.Duration("freshet.soak", 0, "how long TestSoak runs; 0: FRESHET_SOAK, or two seconds")

var silent = slog.New(slog.NewTextHandler(io.Discard, nil))

const (
	soakClients  = 50
	storeTimeout = 100 * time.Millisecond
)

// jsonOf is the default codec, as the ledger reads it.
type jsonOf[V any] struct{}

func (jsonOf[V]) Marshal(v V) ([]byte, error) { return json.Marshal(v) }

func (jsonOf[V]) Unmarshal(b []byte) (v V, err error) {
	err = json.Unmarshal(b, &v)
	return v, err
}

func soakTime(t *testing.T) time.Duration {
	if *soakFlag > 0 {
		return *soakFlag
	}
	if s := os.Getenv("FRESHET_SOAK"); s != "" {
		d, err := time.ParseDuration(s)
		require.NoError(t, err, "FRESHET_SOAK")
		return d
	}
	return 2 * time.Second
}

func soakSeed(t *testing.T) uint64 {
	seed := rand.Uint64()
	if s := os.Getenv("FRESHET_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		require.NoError(t, err, "FRESHET_SEED")
		seed = n
	}
	t.Logf("FRESHET_SEED=%d", seed)
	return seed
}

// TestSoak lets fifty clients read and change 48 keys through three caches while
// the origin and their stores fail, hang, are killed and come back: two caches
// share a Redis as two processes do, the third has a bolt file, and caches are
// restarted. Every answer is compared with the newest barrier that was complete in
// its cache before the call (O0), every record that a store gives with the newest
// erase that it acknowledged to anyone (D5).
func TestSoak(t *testing.T) {
	leaks := goleak.IgnoreCurrent()
	budget, seed := soakTime(t), soakSeed(t)
	server := startRedis(t)
	s := newSoak(t, seed, server)
	s.run(budget)
	s.afterwards()
	s.report(budget >= 10*time.Second)
	server.stop()
	// rueidis waits for a second before it looks for its servers again, and does not
	// hear of Close meanwhile.
	goleak.VerifyNone(t, leaks, goleak.IgnoreAnyFunction("github.com/redis/rueidis.(*call).DelayDo.func1"))
}

// soak is what one run consists of.
type soak struct {
	t         *testing.T
	seed      uint64
	lake      *lake
	server    redisServer
	clients   []*redis.Client
	file      *boltFile
	processes []*process
	counts    soakCounts
}

func newSoak(t *testing.T, seed uint64, server redisServer) *soak {
	s := &soak{t: t, seed: seed, lake: newLake(seed), server: server, file: openBolt(t)}
	shared := newLedger(t, "redis", s.lake, jsonOf[draught]{})
	for i, name := range []string{"first on redis", "second on redis"} {
		client, err := redis.Open(redis.Options{
			Addrs: []string{server.addr()}, Timeout: 2 * storeTimeout, DialTimeout: 2 * storeTimeout,
			RetryEvery: 10 * time.Millisecond, Logger: silent,
		})
		require.NoError(t, err)
		store, err := client.Store("soak")
		require.NoError(t, err)
		s.clients = append(s.clients, client)
		s.process(uint64(i), name, shared, store, nil)
	}
	own := newLedger(t, "bolt", s.lake, cbor.New[draught]())
	s.process(2, "on bolt", own, s.file, cbor.New[draught]())
	return s
}

func (s *soak) process(who uint64, name string, l *ledger, store freshet.Store, codec freshet.Codec[draught]) *process {
	d := newDice(s.seed, 1<<40+who)
	config := freshet.Config[draught]{
		Name: "soak", Source: s.lake, Codec: codec, StoreTimeout: storeTimeout,
		Freshness: freshet.Freshness{
			TTL: some(d, 20*time.Millisecond, 100*time.Millisecond, 0), Stale: some(d, 0, 50*time.Millisecond),
			StaleOnError: some(d, 0, 200*time.Millisecond), Missing: some(d, 0, 20*time.Millisecond),
			Failure: some(d, 0, 5*time.Millisecond), Ahead: some(d, 0, 0.3), Jitter: some(d, 0, 0.2),
		},
		Timeout:        150 * time.Millisecond,
		Reload:         some(d, freshet.ReloadSupersede, freshet.ReloadQueue),
		MaxFlights:     some(d, 0, 16),
		AbortAbandoned: d.in(2),
		MaxEntries:     some(d, 12, 24, 36), // what is evicted is looked up in the store
	}
	if d.in(2) {
		config.Source = deepLake{s.lake}
	}
	p := &process{name: name, ledger: l, lasting: &floors{}, tagged: &floors{}}
	p.store = storetest.Faulty(&audited{store, l, name}, nil)
	p.make = func(store freshet.Store) (*freshet.Cache[draught], error) {
		config := config
		runtime, err := freshet.NewRuntime(freshet.RuntimeConfig{Logger: silent})
		if err != nil {
			return nil, err
		}
		s.t.Cleanup(func() { _ = runtime.Close(bg) })
		config.Store, config.Runtime = store, runtime
		return freshet.New(config)
	}
	cache, err := p.make(p.store)
	require.NoError(s.t, err)
	p.cache.Store(cache)
	s.processes = append(s.processes, p)
	return p
}

// run lets the clients loose, and what troubles them.
func (s *soak) run(budget time.Duration) {
	ctx, cancel := context.WithTimeout(bg, budget)
	defer cancel()
	var wg sync.WaitGroup
	for i := range uint64(soakClients) {
		c := &soaker{newDice(s.seed, i), s.t, s.lake, s.processes, &s.counts}
		wg.Go(func() {
			for ctx.Err() == nil && !s.t.Failed() {
				c.swim()
				c.pause()
			}
		})
	}
	for i, trouble := range []func(context.Context, dice){s.atTheOrigin, s.atTheStores, s.atRedis, s.atBolt} {
		d := newDice(s.seed, 1<<48+uint64(i))
		wg.Go(func() {
			for rest(ctx, d, 200*time.Millisecond) && !s.t.Failed() {
				trouble(ctx, d)
			}
		})
	}
	<-ctx.Done()
	within(s.t, wg.Wait)
}

// rest waits for up to twice d, and says false when it is over.
func rest(ctx context.Context, d dice, most time.Duration) bool {
	select {
	case <-time.After(time.Duration(d.Int64N(int64(2 * most)))):
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

func (s *soak) atTheOrigin(ctx context.Context, d dice) {
	s.lake.weather.Store(int32(d.IntN(int(weathers))))
	s.counts.troubles.Add(1)
	rest(ctx, d, 100*time.Millisecond)
	s.lake.weather.Store(int32(some(d, fair, fair, stormy)))
}

func (s *soak) atTheStores(ctx context.Context, d dice) {
	p := s.processes[d.IntN(len(s.processes))]
	_, plan := clouds(d.Uint64(), d)
	p.store.Plan(plan)
	s.counts.troubles.Add(1)
	rest(ctx, d, 100*time.Millisecond)
	p.store.Plan(nil)
}

func (s *soak) atRedis(ctx context.Context, d dice) {
	if d.in(4) {
		s.restart(s.processes[d.IntN(2)])
		return
	}
	what, err := s.server.trouble(d, time.Duration(d.IntN(250))*time.Millisecond)
	s.counts.troubles.Add(1)
	if err != nil {
		s.t.Errorf("%s: %v", what, err)
	}
	rest(ctx, d, 200*time.Millisecond)
}

func (s *soak) atBolt(ctx context.Context, d dice) {
	if d.in(3) {
		s.restart(s.processes[2])
		return
	}
	s.counts.troubles.Add(1)
	if err := s.file.restart(time.Duration(d.IntN(100)) * time.Millisecond); err != nil {
		s.t.Errorf("bolt does not come back: %v", err)
	}
	rest(ctx, d, 200*time.Millisecond)
}

// restart starts a process anew when its store is well.
func (s *soak) restart(p *process) {
	s.healthy()
	s.counts.restarts.Add(1)
	if !p.restart(s.t, 3*storeTimeout) {
		s.counts.unclean.Add(1)
	}
}

// healthy waits until both clients have found Redis again.
func (s *soak) healthy() {
	for _, c := range s.clients {
		for start := time.Now(); ; time.Sleep(time.Millisecond) {
			if err := c.Ping(bg); err == nil {
				break
			} else if time.Since(start) > 20*time.Second {
				s.t.Errorf("Redis is up and not found again: %v", err)
				return
			}
		}
	}
}

// afterwards everything is well again: then every cache says what the origin
// has, and so does one that starts on what they leave in their stores.
func (s *soak) afterwards() {
	s.lake.weather.Store(int32(fair))
	for _, p := range s.processes {
		p.store.Plan(nil)
	}
	s.healthy()
	time.Sleep(3 * storeTimeout)
	c := &soaker{newDice(s.seed, 1<<50), s.t, s.lake, s.processes, &s.counts}
	everything := func(call string) {
		for i, o := range s.lake.springs {
			for _, p := range s.processes {
				version := o.version()
				v, err := p.cache.Load().Get(bg, o.key)
				for start := time.Now(); err != nil && !errors.Is(err, freshet.ErrNotFound); v, err = p.cache.Load().Get(bg, o.key) {
					require.Less(s.t, time.Since(start), 20*time.Second, "%s: %v", call, err) // a busy machine
				}
				if isGone(version) {
					require.ErrorIs(s.t, err, freshet.ErrNotFound)
				} else {
					require.NoError(s.t, err, call)
				}
				c.check(call, p, i, bounds{version, version}, v, err)
			}
		}
	}
	for i, o := range s.lake.springs {
		version := o.write()
		for _, p := range s.processes {
			c.barrier(p, "Invalidate", i, version, p.cache.Load().Invalidate(bg, o.key))
		}
	}
	everything("Get when all is well")
	unclean := s.counts.unclean.Load()
	for _, p := range s.processes {
		s.restart(p)
	}
	if s.counts.unclean.Load() == unclean {
		everything("Get after a restart")
	}
	for _, p := range s.processes {
		require.NoError(s.t, p.cache.Load().Close(bg))
	}
	for _, client := range s.clients {
		require.NoError(s.t, client.Close())
	}
	require.NoError(s.t, s.file.Close())
}

// report says what there was, and fails where there was too little of it: a soak in
// which nothing happened proves nothing. A short run may have been spared by chance.
func (s *soak) report(long bool) {
	n := &s.counts
	s.t.Logf("%d calls: %d values, %d absences, %d errors; %d barriers, %d sets; %d troubles, %d restarts, %d of them unclean",
		n.calls.Load(), n.values.Load(), n.absences.Load(), n.errs.Load(), n.barriers.Load(), n.sets.Load(),
		n.troubles.Load(), n.restarts.Load(), n.unclean.Load())
	s.t.Logf("origin: %d calls, %d failed, %d hung, %d unchanged", s.lake.calls.Load(), s.lake.failed.Load(), s.lake.hung.Load(), s.lake.same.Load())
	for _, l := range []*ledger{s.processes[0].ledger, s.processes[2].ledger} {
		s.t.Logf("%s: %d reads, %d records found, %d sets, %d erases and %d of prefixes acknowledged, %d failed beneath what was injected",
			l.name, l.gets.Load(), l.found.Load(), l.sets.Load(), l.erases.Load(), l.prefixes.Load(), l.refused.Load())
		if s.t.Failed() || !long {
			continue
		}
		for what, count := range map[string]uint64{"records found": l.found.Load(), "sets": l.sets.Load(), "erases": l.erases.Load(), "prefixes": l.prefixes.Load()} {
			require.NotZero(s.t, count, "%s: %s", l.name, what)
		}
	}
	if s.t.Failed() {
		return
	}
	require.NotZero(s.t, n.values.Load())
	require.NotZero(s.t, n.barriers.Load())
	for what, count := range map[string]uint64{
		"absences": n.absences.Load(), "errors": n.errs.Load(), "origin calls that hung": s.lake.hung.Load(), "troubles": n.troubles.Load(),
		"origin calls that failed": s.lake.failed.Load(), "unchanged": s.lake.same.Load(), "restarts": n.restarts.Load(),
	} {
		if long {
			require.NotZero(s.t, count, what)
		}
	}
	for _, p := range s.processes {
		s.t.Log(p.name, fmt.Sprintf("%+v", p.cache.Load().Stats()))
	}
}
