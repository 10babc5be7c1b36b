package bolt

import (
	"fmt"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"github.com/freshet-go/freshet/api/store/internal/record"

	freshet "github.com/freshet-go/freshet/api"
)

// table is the records of one cache. Only the committer writes it, so what a
// transaction decides by is what it sees.
type table struct {
	db     *DB
	name   string
	bucket []byte

	// prefixes are those on disk and those of a commit on its way. Only the
	// committer stores them.
	prefixes atomic.Pointer[record.Prefixes]
}

// load reads the prefix tombstones, and makes the buckets where they are missing.
func (t *table) load(found *reports) error {
	erased := map[string]record.Tombstone{}
	err := t.db.file.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(t.bucket)
		if err != nil {
			return err
		}
		if _, err := b.CreateBucketIfNotExists(recordsBucket); err != nil {
			return err
		}
		prefixes, err := b.CreateBucketIfNotExists(prefixesBucket)
		if err != nil {
			return err
		}
		return prefixes.ForEach(func(k, v []byte) error {
			prefix := string(k[1:])
			e, err := record.Decode(prefix, v)
			if err != nil {
				// What it erased is not known, so all of that prefix is, up to now.
				now := t.db.opts.Now()
				e.Erased = record.Tombstone{At: now, Until: now.Add(t.db.opts.Tombstones)}
				found.add(t.name, prefix, err)
			}
			erased[prefix] = e.Erased
			return nil
		})
	})
	p := record.NewPrefixes(erased)
	t.prefixes.Store(&p)
	return err
}

func (t *table) records(tx *bbolt.Tx) *bbolt.Bucket {
	return tx.Bucket(t.bucket).Bucket(recordsBucket)
}

func (t *table) get(tx *bbolt.Tx, key string, found *reports) (freshet.Record, error) {
	raw := t.records(tx).Get([]byte(key))
	if raw == nil {
		return freshet.Record{}, freshet.ErrNotFound
	}
	e, err := record.Decode(key, raw)
	if err != nil {
		found.add(t.name, key, err)
		return freshet.Record{}, freshet.ErrNotFound
	}
	r, ok := e.Live(t.db.opts.Now())
	if !ok || t.prefixes.Load().Cover(key, r.ReadAt) {
		return freshet.Record{}, freshet.ErrNotFound
	}
	return record.Clone(r), nil
}

// entry is what is there of key; what is not readable or over is nothing.
func (t *table) entry(b *bbolt.Bucket, key string, found *reports) record.Entry {
	raw := b.Get([]byte(key))
	if raw == nil {
		return record.Entry{}
	}
	e, err := record.Decode(key, raw)
	if err != nil {
		found.add(t.name, key, err)
		return record.Entry{}
	}
	e, _ = e.Trim(t.db.opts.Now())
	return e
}

// set puts raw, the bytes of a record read at readAt without a tombstone, unless
// D5 says otherwise.
func (t *table) set(tx *bbolt.Tx, key string, readAt time.Time, raw []byte, found *reports) error {
	if t.prefixes.Load().Cover(key, readAt) {
		return nil
	}
	b := t.records(tx)
	e, kept := t.entry(b, key, found).Set(freshet.Record{ReadAt: readAt})
	if !kept {
		return nil
	}
	if !e.Erased.IsZero() {
		fresh, err := record.Decode(key, raw)
		if err != nil {
			return err
		}
		raw = record.Encode(key, record.Entry{Record: fresh.Record, Erased: e.Erased})
	}
	return b.Put([]byte(key), raw)
}

func (t *table) erase(tx *bbolt.Tx, key string, at time.Time, found *reports) error {
	b := t.records(tx)
	e := t.entry(b, key, found).Erase(t.tombstone(at))
	return b.Put([]byte(key), record.Encode(key, e))
}

func (t *table) erasePrefix(tx *bbolt.Tx, prefix string, at time.Time) error {
	old := t.prefixes.Load()
	p := old.Add(prefix, t.tombstone(at), maxPrefixes)
	t.prefixes.Store(&p)
	return t.writePrefixes(tx, old, &p)
}

// writePrefixes makes the file that had old have p.
func (t *table) writePrefixes(tx *bbolt.Tx, old, p *record.Prefixes) error {
	b := tx.Bucket(t.bucket).Bucket(prefixesBucket)
	for prefix := range old.All() {
		if _, ok := p.All()[prefix]; !ok {
			if err := b.Delete(prefixKey(prefix)); err != nil {
				return err
			}
		}
	}
	for prefix, tomb := range p.All() {
		if old.All()[prefix] != tomb {
			if err := b.Put(prefixKey(prefix), record.Encode(prefix, record.Entry{Erased: tomb})); err != nil {
				return err
			}
		}
	}
	return nil
}

// prefixKey is never empty, which bbolt would refuse.
func prefixKey(prefix string) []byte { return append([]byte{'p'}, prefix...) }

func (t *table) tombstone(at time.Time) record.Tombstone {
	return record.Tombstone{At: at.Round(0).UTC(), Until: t.db.opts.Now().Add(t.db.opts.Tombstones).Round(0).UTC()}
}

func (t *table) wrap(verb, key string, err error) error {
	if key == "" {
		return fmt.Errorf("freshet: bolt: %s: cannot %s: %w", t.name, verb, err)
	}
	return fmt.Errorf("freshet: bolt: %s: cannot %s %.200q: %w", t.name, verb, key, err)
}
