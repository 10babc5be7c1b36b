package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"
)

// Errors that a caller can tell apart with errors.Is: the first three are Open's.
var (
	// ErrLocked says that the file is open already, in another process or in
	// this one: Open a file once, and give each cache a DB.Store of it.
	ErrLocked = errors.New("it is open already, in another process or in this one")
	// ErrSchema says that a newer version of this package wrote the file.
	ErrSchema = errors.New("it is of a newer version")
	// ErrDamaged says that the file is truncated, that its structure is broken, or that
	// it is not one of this package.
	ErrDamaged = errors.New("it is damaged or not a store of freshet")
	// ErrTooLarge says that a record exceeds Options.MaxRecord.
	ErrTooLarge = errors.New("the record is too large")
	// ErrCorrupt is told to OnCorrupt: bytes in the file are not what was
	// written.
	ErrCorrupt = errors.New("corrupt")
)

// Options of a DB. The zero value is good; what is out of bounds Open refuses, all of it in one error.
type Options struct {
	// LockTimeout is how long Open waits for another process to let go of the
	// file, as in a restart that overlaps. 0: 1 s.
	LockTimeout time.Duration
	// Tombstones is how long an erased key keeps older records out. It has to be
	// longer than a read that began before the erase can take to be written. 0: 10
	// minutes.
	Tombstones time.Duration
	// SweepEvery is the pause between two steps of the sweep. 0: 1 s; negative:
	// no sweep, the file keeps what expired until it is overwritten.
	SweepEvery time.Duration
	// MaxRecord bounds a record, tags and validator included, in bytes. 0: 64
	// MiB.
	MaxRecord int
	// OnCorrupt is told of what was not readable: the cache, the key ("" for the
	// structure of the file) and why. It may call the DB, to erase that key say, which
	// comes upon it once more. Who calls Get or DB.Store waits for it. What a write or the sweep comes upon it is told soon
	// after, one at a time, up to 1,024 that wait; Close does not wait for that.
	// It is called from many goroutines; a panic or runtime.Goexit in it is
	// logged. The log tells it too, the first time and then every 1,000th.
	OnCorrupt func(cache, key string, err error)
	// Logger for what happens in the background. nil: slog.Default().
	Logger *slog.Logger
	// Mode of a file that Open creates, permissions alone. 0: 0600.
	Mode fs.FileMode
	// Now is the clock that records expire by. nil: time.Now.
	Now func() time.Time

	openFile func(string, int, os.FileMode) (*os.File, error)
}

const (
	maxQueue      = 4096     // writes that wait for the committer
	maxBatch      = 1024     // writes of one commit
	maxBatchBytes = 16 << 20 // of one commit, unless one write alone has more
	maxPrefixes   = 1024
	maxReports    = 1024 // of the committer and the sweep, that wait to be told
	sweepStep     = 1000 // records that one step of the sweep looks at
	sweepRush     = 10   // steps in a row while there is much to remove
)

// check names everything that is wrong.
func (o *Options) check() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if o.LockTimeout < 0 {
		wrong("LockTimeout is negative: %v", o.LockTimeout)
	}
	if o.Tombstones < 0 {
		wrong("Tombstones is negative: %v", o.Tombstones)
	}
	if o.MaxRecord < 0 {
		wrong("MaxRecord is negative: %d", o.MaxRecord)
	}
	if o.Mode&^fs.ModePerm != 0 {
		wrong("Mode is more than permissions: %v", o.Mode)
	}
	if len(errs) > 0 {
		return fmt.Errorf("freshet: bolt: Options: %w", errors.Join(errs...))
	}
	return nil
}

func (o *Options) setDefaults() {
	if o.LockTimeout == 0 {
		o.LockTimeout = time.Second
	}
	if o.Tombstones == 0 {
		o.Tombstones = 10 * time.Minute
	}
	if o.SweepEvery == 0 {
		o.SweepEvery = time.Second
	}
	if o.MaxRecord == 0 {
		o.MaxRecord = 64 << 20
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Mode == 0 {
		o.Mode = 0o600
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.openFile == nil {
		o.openFile = os.OpenFile
	}
}
