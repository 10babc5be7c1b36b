package kv

import (
	"context"
	"slices"
	"time"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/store/internal/record"
)

// The prefixes that were erased are one value of the client: a record whose tags
// are the prefixes and whose value is their times, one after the other.

const (
	maxPrefixes = 128
	timeSize    = 12
)

// forever is the end of a prefix's tombstone: without a list of keys nobody can
// say that nothing is left for it to keep out.
var forever = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

func (s *Store) prefixes() string { return s.name + ":p" }

// DeletePrefix implements freshet.Store; the empty prefix is every key.
func (s *Store) DeletePrefix(ctx context.Context, prefix string, at time.Time) error {
	if err := s.check(ctx, record.CheckPrefix("kv", prefix)); err != nil {
		return err
	}
	return s.wording("erase", prefix, s.update(ctx, s.prefixes(), func(raw []byte) ([]byte, time.Duration, bool) {
		erased, _ := s.decodePrefixes(raw)
		return s.encodePrefixes(erased.Add(prefix, record.Tombstone{At: at, Until: forever}, maxPrefixes)), 0, true
	}))
}

// erased are the prefixes that were.
func (s *Store) erased(ctx context.Context) (p record.Prefixes, err error) {
	raw, err := s.fetch(ctx, s.prefixes())
	if err != nil {
		return p, err
	}
	p, readable := s.decodePrefixes(raw)
	if !readable { // written down, or the present that it is erased up to would go on
		err = s.update(ctx, s.prefixes(), func(raw []byte) ([]byte, time.Duration, bool) {
			p, readable = s.decodePrefixes(raw)
			return s.encodePrefixes(p), 0, !readable
		})
	}
	return p, err
}

// decodePrefixes are the prefixes in raw. Where that is not readable nobody knows
// what was erased: so everything was, up to now.
func (s *Store) decodePrefixes(raw []byte) (p record.Prefixes, readable bool) {
	if raw == nil {
		return p, true
	}
	e, err := record.Decode(s.prefixes(), raw)
	if err != nil || e.Record == nil || len(e.Record.Value) != timeSize*len(e.Record.Tags) {
		s.opts.Logger.Warn("freshet: kv: the erased prefixes are not readable: everything is a miss", "cache", s.name, "error", err)
		return p.Add("", record.Tombstone{At: s.opts.Now(), Until: forever}, maxPrefixes), false
	}
	erased := make(map[string]record.Tombstone, len(e.Record.Tags))
	for i, prefix := range e.Record.Tags {
		erased[prefix] = record.Tombstone{At: record.Time(e.Record.Value[timeSize*i:]), Until: forever}
	}
	return record.NewPrefixes(erased), true
}

func (s *Store) encodePrefixes(p record.Prefixes) []byte {
	var r freshet.Record
	for prefix := range p.All() {
		r.Tags = append(r.Tags, prefix)
	}
	slices.Sort(r.Tags) // so that a Swap can be repeated
	for _, prefix := range r.Tags {
		r.Value = record.AppendTime(r.Value, p.All()[prefix].At)
	}
	return record.Encode(s.prefixes(), record.Entry{Record: &r})
}
