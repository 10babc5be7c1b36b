package bolt

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/freshet-go/freshet/api/store/internal/record"
)

// sweep reclaims what is over, a step at a time, one table after the other.
func (d *DB) sweep() {
	ticker := time.NewTicker(d.opts.SweepEvery)
	defer ticker.Stop()
	passes := map[*table]*pass{}
	for {
		select {
		case <-d.closing:
			return
		case <-ticker.C:
		}
		for _, t := range d.known() {
			if passes[t] == nil {
				passes[t] = t.begin()
			}
			for range sweepRush {
				removed, err := passes[t].step()
				if err != nil {
					found := reports{db: d}
					found.add(t.name, "", err)
					found.leave()
					passes[t] = t.begin()
					break
				}
				if passes[t].over {
					passes[t] = t.begin()
					break
				}
				if removed < sweepStep/4 || d.isClosing() {
					break
				}
			}
		}
	}
}

func (d *DB) known() []*table {
	d.mu.Lock()
	defer d.mu.Unlock()
	tables := make([]*table, 0, len(d.tables))
	for _, t := range d.tables {
		tables = append(tables, t)
	}
	return tables
}

// pass goes once over all records of a table. A prefix tombstone may go only
// after a pass that began with it there has seen every record: then nothing that it
// covers is left to come back.
type pass struct {
	table    *table
	prefixes record.Prefixes // when the pass began
	next     []byte          // the first key not looked at; nil: the first of all
	over     bool
}

func (t *table) begin() *pass { return &pass{table: t, prefixes: *t.prefixes.Load()} }

// step looks at the next sweepStep records and removes what is over. It looks in a
// read transaction, and writes only where there is something to remove.
func (p *pass) step() (removed int, err error) {
	t := p.table
	var dead []string
	var next []byte
	found := reports{db: t.db}
	defer found.leave() // an OnCorrupt that calls Close waits for this goroutine
	err = guard(func() error {
		return t.db.file.View(func(tx *bbolt.Tx) error {
			now, c, looked := t.db.opts.Now(), t.records(tx).Cursor(), 0
			for k, v := c.Seek(p.next); k != nil; k, v = c.Next() {
				if looked == sweepStep {
					next = slices.Clone(k)
					break
				}
				looked++
				if _, changed := t.trim(string(k), v, now, &found); changed {
					dead = append(dead, string(k))
				}
			}
			return nil
		})
	})
	if err != nil {
		return 0, err
	}
	p.next, p.over = next, next == nil
	if len(dead) > 0 {
		if err := t.write(func(tx *bbolt.Tx, found *reports) error { return t.remove(tx, dead, found) }); err != nil {
			return 0, err
		}
	}
	if p.over {
		err = p.drop()
	}
	return len(dead), err
}

// trim is what has to stay of the bytes under key, nil for nothing. What is not
// readable has to go.
func (t *table) trim(key string, raw []byte, now time.Time, found *reports) (stays []byte, changed bool) {
	e, err := record.Decode(key, raw)
	if errors.Is(err, record.ErrVersion) {
		return raw, false // of a newer program, which may come back
	}
	if err != nil {
		found.add(t.name, key, err)
		return nil, true
	}
	trimmed, keep := e.Trim(now)
	if trimmed.Record != nil && t.prefixes.Load().Cover(key, trimmed.Record.ReadAt) {
		trimmed.Record, keep = nil, !trimmed.Erased.IsZero()
	}
	switch {
	case !keep:
		return nil, true
	case (trimmed.Record == nil) == (e.Record == nil) && trimmed.Erased == e.Erased:
		return raw, false
	}
	return record.Encode(key, trimmed), true
}

// remove looks again, since much may have happened, and removes what is over.
func (t *table) remove(tx *bbolt.Tx, keys []string, found *reports) error {
	now, b := t.db.opts.Now(), t.records(tx)
	for _, key := range keys {
		raw := b.Get([]byte(key))
		if raw == nil {
			continue
		}
		stays, changed := t.trim(key, raw, now, found)
		if !changed {
			continue
		}
		err := b.Delete([]byte(key))
		if stays != nil {
			err = b.Put([]byte(key), stays)
		}
		if err != nil {
			return err
		}
		point("swept")
	}
	return nil
}

// drop removes the prefix tombstones that this pass has made superfluous.
func (p *pass) drop() error {
	t := p.table
	over := func(now time.Time) (old *record.Prefixes, left record.Prefixes) {
		old = t.prefixes.Load()
		return old, old.Drop(p.prefixes, now)
	}
	if old, left := over(t.db.opts.Now()); left.Len() == old.Len() {
		return nil
	}
	return t.write(func(tx *bbolt.Tx, _ *reports) error {
		old, left := over(t.db.opts.Now())
		if err := t.writePrefixes(tx, old, &left); err != nil {
			return err
		}
		t.prefixes.Store(&left)
		return nil
	})
}

// write has the committer do one change for the sweep.
func (t *table) write(apply func(*bbolt.Tx, *reports) error) error {
	w := &write{table: t, ctx: context.Background(), apply: apply, done: make(chan error, 1)}
	t.db.writes <- w // the committer runs until after the sweep has ended
	return <-w.done
}
