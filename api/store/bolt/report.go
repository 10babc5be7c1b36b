package bolt

import (
	"context"
	"log/slog"

	"github.com/freshet-go/freshet/api/store/internal/usercode"
)

// report is of something that was not readable.
type report struct {
	cache, key string
	err        error
	times      int64
}

// reports are what a transaction came upon. Log and OnCorrupt are user code, which
// may call the DB: they are told when the transaction is over.
type reports struct {
	db   *DB
	list []report
}

func (r *reports) add(cache, key string, err error) {
	r.list = append(r.list, report{cache: cache, key: key, err: err, times: r.db.corrupt.Add(1)})
}

// tell tells, and returns when all have been told.
func (r *reports) tell() {
	for _, one := range r.list {
		r.db.tell(one)
	}
}

// leave has a goroutine tell, for those on whom others wait. There is one, and what
// it has to tell is bounded: an OnCorrupt that does not return costs the reports.
func (r *reports) leave() {
	d := r.db
	d.telling.Lock()
	defer d.telling.Unlock()
	room := maxReports - len(d.untold)
	d.untold = append(d.untold, r.list[:min(room, len(r.list))]...)
	if len(d.untold) > 0 && !d.teller {
		d.teller = true
		go d.tellAll()
	}
}

func (d *DB) tellAll() {
	for {
		d.telling.Lock()
		if len(d.untold) == 0 {
			d.teller, d.untold = false, nil
			d.telling.Unlock()
			return
		}
		next := d.untold[0]
		d.untold = d.untold[1:]
		d.telling.Unlock()
		d.tell(next)
	}
}

// tell tells the log, now and then, and OnCorrupt.
func (d *DB) tell(r report) {
	if r.times%1000 == 1 {
		_ = usercode.Contained(func() {
			d.opts.Logger.LogAttrs(context.Background(), slog.LevelWarn, "freshet: bolt: a record is not readable and counts as a miss",
				slog.Any("file", d.path), slog.Any("cache", r.cache), slog.Any("key", r.key), slog.Any("error", r.err), slog.Any("times", r.times))
		})
	}
	if d.opts.OnCorrupt == nil {
		return
	}
	if why := usercode.Contained(func() { d.opts.OnCorrupt(r.cache, r.key, r.err) }); why != "" {
		_ = usercode.Contained(func() {
			d.opts.Logger.LogAttrs(context.Background(), slog.LevelError, "freshet: bolt: OnCorrupt failed",
				slog.Any("file", d.path), slog.Any("cache", r.cache), slog.Any("key", r.key), slog.Any("error", why))
		})
	}
}
