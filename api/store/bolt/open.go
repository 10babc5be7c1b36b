package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// schema is the version of the layout: bucket "freshet" with the key "schema";
// of each cache "cache/<name>" with the buckets "records" and "prefixes".
const schema = 1

var (
	metaBucket     = []byte("freshet")
	schemaKey      = []byte("schema")
	cachePrefix    = "cache/"
	recordsBucket  = []byte("records")
	prefixesBucket = []byte("prefixes")
)

// Open opens or creates the store at path, for this process alone.
func Open(path string, opts Options) (*DB, error) {
	if path == "" {
		return nil, errors.New("freshet: bolt: the path is empty")
	}
	if err := opts.check(); err != nil {
		return nil, err
	}
	opts.setDefaults()
	fresh, err := isFresh(path)
	if err != nil {
		return nil, fmt.Errorf("freshet: bolt: %s: %w", path, systemError(err))
	}
	if !fresh {
		if err := guard(func() error { return check(path, opts) }); err != nil {
			return nil, fmt.Errorf("freshet: bolt: %s: %w", path, openError(err, opts))
		}
	}
	var file *bbolt.DB
	err = guard(func() (err error) {
		file, err = bbolt.Open(path, opts.Mode, &bbolt.Options{
			Timeout: opts.LockTimeout, FreelistType: bbolt.FreelistMapType, OpenFile: opts.openFile,
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("freshet: bolt: %s: %w", path, openError(err, opts))
	}
	if err := guard(func() error { return initialize(file) }); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("freshet: bolt: %s: %w", path, systemError(err))
	}
	return newDB(path, file, opts), nil
}

// isFresh tells whether Open makes the file: there is none, or an empty one.
func isFresh(path string) (bool, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return true, nil
	case err != nil:
		return false, err
	case info.IsDir():
		return false, fmt.Errorf("it is a directory: %w", fs.ErrInvalid)
	}
	return info.Size() == 0, nil
}

// initialize checks the schema, and writes it into a file that has none.
func initialize(file *bbolt.DB) error {
	empty := false
	err := file.View(func(tx *bbolt.Tx) error {
		meta := tx.Bucket(metaBucket)
		if meta == nil {
			empty = true
			if name, _ := tx.Cursor().First(); name != nil {
				return fmt.Errorf("%w: it is a bolt file of something else, with a bucket %.40q", ErrDamaged, name)
			}
			return nil
		}
		switch v := meta.Get(schemaKey); {
		case len(v) != 4:
			return fmt.Errorf("%w: its schema version has %d bytes", ErrDamaged, len(v))
		case binary.BigEndian.Uint32(v) > schema:
			return fmt.Errorf("%w: %d, and this program knows %d; it was left alone", ErrSchema, binary.BigEndian.Uint32(v), schema)
		}
		return nil
	})
	if err != nil || !empty {
		return err
	}
	return file.Update(func(tx *bbolt.Tx) error {
		meta, err := tx.CreateBucket(metaBucket)
		if err != nil {
			return err
		}
		return meta.Put(schemaKey, binary.BigEndian.AppendUint32(nil, schema))
	})
}

// openError says what an error of Open means. What is none of the system's is one of
// the file: bbolt and check read it and did not find what has to be there.
func openError(err error, opts Options) error {
	if errors.Is(err, bolterrors.ErrTimeout) {
		return fmt.Errorf("%w: it was not free within %v", ErrLocked, opts.LockTimeout)
	}
	if errno := syscall.Errno(0); errors.As(err, &errno) || noRoom(err) {
		return systemError(err)
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

// systemError says in words what the system's error means for the user.
func systemError(err error) error {
	switch {
	case noRoom(err):
		return fmt.Errorf("there is no room to write: %w", err)
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("the file cannot be written by this process: %w", err)
	}
	return err
}

// noRoom tells of some of the system's errors, of which bbolt may have kept only the
// words.
func noRoom(err error) bool {
	for _, errno := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if errors.Is(err, errno) || err != nil && strings.Contains(err.Error(), errno.Error()) {
			return true
		}
	}
	return false
}
