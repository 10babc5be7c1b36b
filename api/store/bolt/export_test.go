package bolt

import (
	"os"

	"go.etcd.io/bbolt"
)

// At has f called at every named point of the committer, the sweep and the callers.
func At(f func(name string)) { point = f }

// OpenWith makes opts open its file with f.
func OpenWith(opts Options, f func(string, int, os.FileMode) (*os.File, error)) Options {
	opts.openFile = f
	return opts
}

// SweepPass goes once over all records of s, as the sweep does.
func (s *Store) SweepPass() (removed, steps int, err error) {
	for p := s.table.begin(); !p.over; steps++ {
		n, err := p.step()
		if err != nil {
			return removed, steps, err
		}
		removed += n
	}
	return removed, steps, nil
}

// Queued is how many writes wait for the committer.
func (d *DB) Queued() int { return len(d.writes) }

// Commits is how many times the transactions wrote to the disk.
func (d *DB) Commits() int { s := d.file.Stats(); return int(s.TxStats.GetWrite()) }

// Held is how many records, tombstones and prefixes are in the file.
func (s *Store) Held() (records, prefixes int) {
	_ = s.table.db.file.View(func(tx *bbolt.Tx) error {
		records = s.table.records(tx).Stats().KeyN
		prefixes = tx.Bucket(s.table.bucket).Bucket(prefixesBucket).Stats().KeyN
		return nil
	})
	return records, prefixes
}

// Raw changes the bytes of key.
func (s *Store) Raw(key string, change func([]byte) []byte) error {
	return s.table.db.file.Update(func(tx *bbolt.Tx) error {
		b := s.table.records(tx)
		return b.Put([]byte(key), change(append([]byte(nil), b.Get([]byte(key))...)))
	})
}

// RawAll changes the bytes of every key.
func (s *Store) RawAll(change func([]byte) []byte) error {
	return s.table.db.file.Update(func(tx *bbolt.Tx) error {
		b := s.table.records(tx)
		for k, v := b.Cursor().First(); k != nil; k, v = b.Cursor().Seek(append(k, 0)) {
			k = append([]byte(nil), k...)
			if err := b.Put(k, change(append([]byte(nil), v...))); err != nil {
				return err
			}
		}
		return nil
	})
}
