package bolt

import (
	"context"
	"errors"

	"go.etcd.io/bbolt"

	"github.com/freshet-go/freshet/api/store/internal/record"
)

// write is one change that waits for a commit.
type write struct {
	table *table
	ctx   context.Context
	size  int
	apply func(*bbolt.Tx, *reports) error
	gone  error      // why it was not applied
	done  chan error // buffered: the committer waits for nobody
}

// point is where the crash test kills its process.
var point = func(string) {}

// commit is the committer: the one goroutine that writes. While a commit is on its
// way to the disk others gather, and share the next one.
func (d *DB) commit() {
	for first := range d.writes {
		batch, size := []*write{first}, first.size
	gather:
		for len(batch) < maxBatch && size < maxBatchBytes {
			select {
			case w, ok := <-d.writes:
				if !ok {
					break gather
				}
				batch, size = append(batch, w), size+w.size
			default:
				break gather
			}
		}
		d.commitBatch(batch)
	}
}

// commitBatch applies the writes and answers them. Where one of them hits a
// broken page the others are not to suffer: each gets a commit of its own.
func (d *DB) commitBatch(batch []*write) {
	err := d.transact(batch)
	point("committed")
	if errors.Is(err, ErrCorrupt) && len(batch) > 1 {
		for _, w := range batch {
			w.answer(d.transact([]*write{w}))
		}
		return
	}
	for _, w := range batch {
		w.answer(err)
		point("answered")
	}
}

func (w *write) answer(err error) {
	if err == nil {
		err = w.gone
	}
	w.done <- err
}

// transact applies the writes in the order they came, in one transaction: all of
// them are on disk, or none.
func (d *DB) transact(batch []*write) error {
	before := map[*table]*record.Prefixes{}
	for _, w := range batch {
		before[w.table] = w.table.prefixes.Load()
	}
	found := reports{db: d}
	defer found.leave() // an OnCorrupt that writes waits for this goroutine
	err := guard(func() error {
		return d.file.Update(func(tx *bbolt.Tx) error {
			for _, w := range batch {
				if w.gone = w.ctx.Err(); w.gone != nil {
					continue // nobody waits for it
				}
				if err := w.apply(tx, &found); err != nil {
					return err
				}
				point("applied")
			}
			point("before commit")
			return nil
		})
	})
	if err != nil {
		for t, prefixes := range before {
			t.prefixes.Store(prefixes)
		}
	}
	return err
}
