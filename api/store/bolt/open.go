package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
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
	opts.setDefaults()
	if path == "" {
		return nil, errors.New("freshet: bolt: the path is empty")
	}
	if err := checkLength(path); err != nil {
		return nil, fmt.Errorf("freshet: bolt: %s: %w", path, err)
	}
	var file *bbolt.DB
	err := guard(func() (err error) {
		file, err = bbolt.Open(path, opts.Mode, &bbolt.Options{
			Timeout: opts.LockTimeout, FreelistType: bbolt.FreelistMapType, OpenFile: opts.openFile,
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("freshet: bolt: %s: %w", path, openError(err, opts))
	}
	if err := guard(func() error { return file.Update(initialize) }); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("freshet: bolt: %s: %w", path, systemError(err))
	}
	return newDB(path, file, opts), nil
}

// initialize writes the schema into an empty file, and checks that of another.
func initialize(tx *bbolt.Tx) error {
	meta := tx.Bucket(metaBucket)
	if meta == nil {
		if name, _ := tx.Cursor().First(); name != nil {
			return fmt.Errorf("%w: it is a bolt file of something else, with a bucket %.40q", ErrDamaged, name)
		}
		meta, err := tx.CreateBucket(metaBucket)
		if err != nil {
			return err
		}
		return meta.Put(schemaKey, binary.BigEndian.AppendUint32(nil, schema))
	}
	switch v := meta.Get(schemaKey); {
	case len(v) != 4:
		return fmt.Errorf("%w: its schema version has %d bytes", ErrDamaged, len(v))
	case binary.BigEndian.Uint32(v) > schema:
		return fmt.Errorf("%w: %d, and this program knows %d; it was left alone", ErrSchema, binary.BigEndian.Uint32(v), schema)
	}
	return nil
}

func openError(err error, opts Options) error {
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return fmt.Errorf("%w: it was not free within %v", ErrLocked, opts.LockTimeout)
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum),
		errors.Is(err, bolterrors.ErrVersionMismatch), errors.Is(err, bolterrors.ErrInvalidMapping),
		errors.Is(err, ErrCorrupt), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return systemError(err)
}

// systemError says in words what the system's error means for the user.
func systemError(err error) error {
	// bbolt keeps only the words of some of them.
	is := func(errno syscall.Errno) bool {
		return errors.Is(err, errno) || err != nil && strings.Contains(err.Error(), errno.Error())
	}
	switch {
	case is(syscall.ENOSPC), is(syscall.EDQUOT), is(syscall.EFBIG):
		return fmt.Errorf("there is no room to write: %w", err)
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("the file cannot be written by this process: %w", err)
	}
	return err
}

// checkLength finds a truncated file before it is mapped: reading a page beyond its
// end would be a fault of memory. The metas are read first and the length
// afterwards, since a process that has the file open grows it before it says so.
func checkLength(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return systemError(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	want, found := int64(0), false
	for _, pageSize := range []int64{0, int64(os.Getpagesize()), 4096, 1 << 14, 1 << 16} {
		if size, ok := metaLength(f, pageSize, &want); ok {
			found = true
			if pageSize == 0 && size != int64(os.Getpagesize()) {
				_, _ = metaLength(f, size, &want)
			}
		}
	}
	info, err := f.Stat()
	if err != nil {
		return systemError(err)
	}
	switch {
	case info.IsDir():
		return fmt.Errorf("it is a directory: %w", fs.ErrInvalid)
	case info.Size() == 0:
		return nil
	case !found:
		return fmt.Errorf("%w: neither of its two meta pages is valid", ErrDamaged)
	case info.Size() < want:
		return fmt.Errorf("%w: it is truncated: %d bytes are left of at least %d", ErrDamaged, info.Size(), want)
	}
	return nil
}

// metaLength reads the meta page at off; where it is valid it raises want to the
// length of the file that it speaks of.
func metaLength(f *os.File, off int64, want *int64) (pageSize int64, ok bool) {
	const header, size, magic = 16, 64, 0xED0CDAED
	var b [header + size]byte
	if _, err := f.ReadAt(b[:], off); err != nil {
		return 0, false
	}
	m := b[header:]
	h := fnv.New64a()
	_, _ = h.Write(m[:size-8])
	if binary.NativeEndian.Uint32(m) != magic || binary.NativeEndian.Uint64(m[size-8:]) != h.Sum64() {
		return 0, false
	}
	pageSize = int64(binary.NativeEndian.Uint32(m[8:]))
	pages := binary.NativeEndian.Uint64(m[40:])
	if pages < 1<<40 {
		*want = max(*want, int64(pages)*pageSize)
	}
	return pageSize, true
}
