package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	freshet "github.com/freshet-go/freshet/api"
)

// Option changes what Run supposes about a store.
type Option func(*suite)

// Clock tells the suite the time that the store goes by, and how to let d of
// it pass. Without it the suite takes the wall clock and waits, some 100 ms in all.
func Clock(now func() time.Time, pass func(d time.Duration)) Option {
	return func(s *suite) { s.now, s.pass = now, pass }
}

// MaxValue is the largest value that the suite stores, in bytes. Without it: 8 MiB.
func MaxValue(n int) Option { return func(s *suite) { s.maxValue = n } }

// Without leaves the named groups out: "Record", "Expiry", "Order", "Tombstones",
// "Outliving", "Prefixes", "Keys", "Lifetime", "Walk". What is left out is skipped
// with why as its reason, so that the log says what the store does not give. A
// group that there is none of fails the test.
func Without(why string, groups ...string) Option {
	return func(s *suite) {
		for _, g := range groups {
			s.without[g] = why
		}
	}
}

// suite is one run. epoch is a whole second in the store's present: ReadAt
// times of the tests are small offsets from it.
type suite struct {
	open     func(*testing.T) freshet.Store
	now      func() time.Time
	pass     func(time.Duration)
	maxValue int
	without  map[string]string
}

// Run runs the suite. open returns an empty store for each test; the suite
// closes it.
func Run(t *testing.T, open func(t *testing.T) freshet.Store, opts ...Option) {
	t.Helper()
	s := &suite{open: open, now: time.Now, pass: wait, maxValue: 8 << 20, without: map[string]string{}}
	for _, o := range opts {
		o(s)
	}
	for name := range s.without {
		if !slices.ContainsFunc(groups, func(g group) bool { return g.name == name }) {
			t.Fatalf("storetest: Without: there is no group %q", name)
		}
	}
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			if why, ok := s.without[g.name]; ok {
				t.Skipf("the store does not give this: %s", why)
			}
			for _, test := range g.tests {
				t.Run(test.name, func(t *testing.T) { test.run(s.start(t)) })
			}
		})
	}
}

type group struct {
	name  string
	tests []test
}

var groups = []group{
	{"Record", recordTests},
	{"Expiry", expiryTests},
	{"Order", orderTests},
	{"Tombstones", tombstoneTests},
	{"Outliving", outlivingTests},
	{"Prefixes", prefixTests},
	{"Keys", keyTests},
	{"Lifetime", lifetimeTests},
	{"Walk", walkTests},
}

type test struct {
	name string
	run  func(*probe)
}

// wait lets real time pass for a store whose clock is the wall's.
func wait(d time.Duration) { <-time.After(d) }

// probe is one store under one test.
type probe struct {
	*testing.T
	*suite
	freshet.Store
	epoch time.Time
}

func (s *suite) start(t *testing.T) *probe {
	p := &probe{T: t, suite: s, Store: s.open(t), epoch: s.now().Truncate(time.Second)}
	t.Cleanup(func() {
		if err := p.Store.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return p
}

// at is n milliseconds after the epoch of the test.
func (p *probe) at(n int) time.Time { return p.epoch.Add(time.Duration(n) * time.Millisecond) }

// read is a record read at n whose value names it.
func (p *probe) read(n int, value string) freshet.Record {
	return freshet.Record{Value: []byte(value), ReadAt: p.at(n)}
}

func (p *probe) set(key string, r freshet.Record) {
	p.Helper()
	if err := p.Set(p.Context(), key, r); err != nil {
		p.Fatalf("Set(%.80q): %v", key, err)
	}
}

func (p *probe) erase(key string, n int) {
	p.Helper()
	if err := p.Delete(p.Context(), key, p.at(n)); err != nil {
		p.Fatalf("Delete(%.80q): %v", key, err)
	}
}

func (p *probe) erasePrefix(prefix string, n int) {
	p.Helper()
	if err := p.DeletePrefix(p.Context(), prefix, p.at(n)); err != nil {
		p.Fatalf("DeletePrefix(%.80q): %v", prefix, err)
	}
}

func (p *probe) wantValue(key, value string) {
	p.Helper()
	r, err := p.Get(p.Context(), key)
	if err != nil {
		p.Fatalf("Get(%.80q): %v, want the value %.80q", key, err, value)
	}
	if string(r.Value) != value {
		p.Fatalf("Get(%.80q) is %.80q, want %.80q", key, r.Value, value)
	}
}

// wantUntil is wantValue while the record has not expired, which on a slow
// machine it may have.
func (p *probe) wantUntil(expiry time.Time, key, value string) {
	p.Helper()
	if _, err := p.Get(p.Context(), key); errors.Is(err, freshet.ErrNotFound) && !p.now().Before(expiry) {
		return
	}
	if p.now().Before(expiry.Add(-20 * time.Millisecond)) {
		p.wantValue(key, value)
	}
}

func (p *probe) wantNone(key string) {
	p.Helper()
	r, err := p.Get(p.Context(), key)
	if err == nil {
		p.Fatalf("Get(%.80q) is %.80q, read %v after the epoch; want ErrNotFound", key, r.Value, r.ReadAt.Sub(p.epoch))
	}
	if !errors.Is(err, freshet.ErrNotFound) {
		p.Fatalf("Get(%.80q): %v, want ErrNotFound", key, err)
	}
}

func (p *probe) wantRecord(key string, want freshet.Record) {
	p.Helper()
	got, err := p.Get(p.Context(), key)
	if err != nil {
		p.Fatalf("Get(%.80q): %v", key, err)
	}
	if !slices.Equal(got.Value, want.Value) || !got.ReadAt.Equal(want.ReadAt) || !got.ExpiresAt.Equal(want.ExpiresAt) ||
		got.Validator != want.Validator || !slices.Equal(got.Tags, want.Tags) {
		p.Fatalf("D3: Get(%.80q) is %s, want %s", key, show(got), show(want))
	}
}

// calls are the four calls of a store, for what holds of all alike.
func (p *probe) calls(ctx context.Context, key string) map[string]error {
	_, err := p.Get(ctx, key)
	return map[string]error{
		"Get":          err,
		"Set":          p.Set(ctx, key, p.read(1, "x")),
		"Delete":       p.Delete(ctx, key, p.at(1)),
		"DeletePrefix": p.DeletePrefix(ctx, key, p.at(1)),
	}
}
