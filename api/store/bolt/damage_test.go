package bolt_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/store/bolt"
)

// filled is a closed file with 300 records.
func filled(t *testing.T) (path string, opts bolt.Options) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "db")
	opts = bolt.Options{SweepEvery: -1}
	db, s := open(t, path, opts)
	fill(t, s, 300, func(i int) freshet.Record { return rec(i, strings.Repeat(fmt.Sprint(i, "."), 50)) })
	require.NoError(t, db.Close())
	return path, opts
}

func TestAnotherProcessHasIt(t *testing.T) {
	path, opts := filled(t)
	db, _ := open(t, path, opts)
	opts.LockTimeout = 50 * time.Millisecond
	_, err := bolt.Open(path, opts) // flock tells apart open files, not processes
	require.ErrorIs(t, err, bolt.ErrLocked)
	require.EqualError(t, err, "freshet: bolt: "+path+": it is open already, in another process or in this one: it was not free within 50ms")
	require.NoError(t, db.Close())
	open(t, path, opts)
}

// bbolt goes by the older meta page where the newer one is of another version of
// its format, whatever that one's checksum says: so does the check.
func TestTheMetaPageThatBboltGoesByIsTheOneThatIsChecked(t *testing.T) {
	path, opts := filled(t)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	size := os.Getpagesize()
	metas := [][]byte{b[16:80], b[size+16 : size+80]}
	if tx := binary.NativeEndian.Uint64; tx(metas[0][48:]) > tx(metas[1][48:]) {
		metas[0], metas[1] = metas[1], metas[0]
	}
	binary.NativeEndian.PutUint64(metas[0][16:], 1<<40) // the older one's root
	binary.NativeEndian.PutUint32(metas[1][4:], 3)
	for _, m := range metas {
		h := fnv.New64a()
		_, _ = h.Write(m[:56])
		binary.NativeEndian.PutUint64(m[56:], h.Sum64())
	}
	require.NoError(t, os.WriteFile(path, b, 0o600))
	_, err = bolt.Open(path, opts)
	require.ErrorIs(t, err, bolt.ErrDamaged)
}

func TestANewerSchemaIsLeftAlone(t *testing.T) {
	path, opts := filled(t)
	raw, err := bbolt.Open(path, 0, nil)
	require.NoError(t, err)
	require.NoError(t, raw.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("freshet")).Put([]byte("schema"), binary.BigEndian.AppendUint32(nil, 2))
	}))
	require.NoError(t, raw.Close())
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	_, err = bolt.Open(path, opts)
	require.ErrorIs(t, err, bolt.ErrSchema)
	require.ErrorContains(t, err, "it is of a newer version: 2, and this program knows 1")
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.True(t, bytes.Equal(before, after))
}

func TestSomebodyElsesFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	raw, err := bbolt.Open(path, 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, raw.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("theirs")); return err }))
	require.NoError(t, raw.Close())
	_, err = bolt.Open(path, bolt.Options{})
	require.ErrorIs(t, err, bolt.ErrDamaged)
	require.ErrorContains(t, err, `a bucket "theirs"`)
	for name, content := range map[string]string{"text": "hello", "long text": strings.Repeat("hello, world\n", 10_000)} {
		path := filepath.Join(t.TempDir(), "db")
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		_, err = bolt.Open(path, bolt.Options{})
		require.ErrorIs(t, err, bolt.ErrDamaged, name)
		left, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, content, string(left), "it was left alone")
	}
	_, err = bolt.Open(t.TempDir(), bolt.Options{})
	require.ErrorContains(t, err, "it is a directory")
}

func TestATruncatedFileIsAClearError(t *testing.T) {
	path, opts := filled(t)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	refused := 0
	for size := 1; size < len(whole); size += 1 + len(whole)/41 {
		cut := filepath.Join(t.TempDir(), "db")
		require.NoError(t, os.WriteFile(cut, whole[:size], 0o600))
		db, err := bolt.Open(cut, opts)
		if err == nil { // only what was never written yet is missing
			s, err := db.Store("users")
			require.NoError(t, err)
			_, err = s.Get(t.Context(), "k/00299")
			require.NoError(t, err)
			require.NoError(t, db.Close())
			continue
		}
		refused++
		require.ErrorIs(t, err, bolt.ErrDamaged, "cut to %d of %d", size, len(whole))
	}
	require.Greater(t, refused, 10)
}

func TestACorruptRecordIsAMissAndReported(t *testing.T) {
	var told atomic.Value
	db, s := open(t, filepath.Join(t.TempDir(), "db"), bolt.Options{SweepEvery: -1, Logger: quiet, OnCorrupt: func(cache, key string, err error) {
		told.Store(fmt.Sprint(cache, "/", key, ": ", err))
	}})
	for name, change := range map[string]func([]byte) []byte{
		"a bit":       func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"its end":     func(b []byte) []byte { return b[:len(b)-1] },
		"all":         func([]byte) []byte { return nil },
		"its version": func(b []byte) []byte { b[2] = 9; return b },
	} {
		require.NoError(t, s.Set(t.Context(), name, rec(1, "v")))
		require.NoError(t, s.Raw(name, change))
		_, err := s.Get(t.Context(), name)
		require.ErrorIs(t, err, freshet.ErrNotFound)
		require.Contains(t, told.Load(), "users/"+name+": the record is ")
	}
	require.EqualValues(t, 4, db.Corrupt())
	removed, _, err := s.SweepPass()
	require.NoError(t, err)
	require.Equal(t, 3, removed, "what is of a newer version stays for who can read it")
	require.NoError(t, s.Set(t.Context(), "its version", rec(2, "w")))
	_, err = s.Get(t.Context(), "its version")
	require.NoError(t, err)
}

// Whatever the disk did to the file: Open fails with a sentence, or a Get has the
// record, or a miss, and what is written then is read. It never panics, never
// hangs, never takes memory without bound and never has another's bytes.
func TestD2_BitRotIsNeverFatalToReads(t *testing.T) {
	path, opts := filled(t)
	opts.Logger = quiet
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	refused, missed, read, written, reported := 0, 0, 0, 0, int64(0)
	value := func(i int) string { return strings.Repeat(fmt.Sprint(i, "."), 50) }
	for range 150 {
		rotten := bytes.Clone(whole)
		for range 1 + rng.IntN(20) {
			at := rng.IntN(len(rotten))
			if rng.IntN(10) == 0 { // where the structure is
				at = at/os.Getpagesize()*os.Getpagesize() + rng.IntN(128)
			}
			for i := range rotten[at:min(len(rotten), at+1+rng.IntN(64))] {
				rotten[at+i] = byte(rng.Uint32())
			}
		}
		rot := filepath.Join(t.TempDir(), "db")
		require.NoError(t, os.WriteFile(rot, rotten, 0o600))
		db, err := bolt.Open(rot, opts)
		if err != nil {
			require.ErrorContains(t, err, "freshet: bolt: "+rot)
			refused++
			continue
		}
		s, err := db.Store("users")
		if err != nil {
			require.NoError(t, db.Close())
			refused++
			continue
		}
		for i := range 300 {
			r, err := s.Get(t.Context(), fmt.Sprintf("k/%05d", i))
			if err == nil {
				require.Equal(t, value(i), string(r.Value))
				read++
			} else {
				require.ErrorIs(t, err, freshet.ErrNotFound)
				missed++
			}
		}
		for i := 0; i < 300; i += 7 {
			key := fmt.Sprintf("k/%05d", i)
			if err := s.Set(t.Context(), key, rec(1000+i, "new")); err != nil {
				require.ErrorIs(t, err, bolt.ErrCorrupt)
				continue
			}
			r, err := s.Get(t.Context(), key)
			require.NoError(t, err)
			require.Equal(t, "new", string(r.Value))
			written++
		}
		reported += db.Corrupt()
		require.NoError(t, db.Close())
	}
	t.Logf("%d refused to open; %d records read, %d missed, %d written, %d reports", refused, read, missed, written, reported)
	require.NotZero(t, read)
	require.NotZero(t, missed)
	require.NotZero(t, written)
}

// What no recover could help with, bbolt must not come to see.
func TestABrokenStructureIsRefused(t *testing.T) {
	path, opts := filled(t)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	size := os.Getpagesize()
	const branch, leaf, freelist = 1, 2, 16
	page := func(b []byte, id int) []byte { return b[id*size : (id+1)*size] }
	// The metas end with their transaction and a checksum; the later one holds.
	meta := page(whole, 0)[16:]
	if other := page(whole, 1)[16:]; binary.NativeEndian.Uint64(other[48:]) > binary.NativeEndian.Uint64(meta[48:]) {
		meta = other
	}
	f := int(binary.NativeEndian.Uint64(meta[32:]))
	require.Equal(t, uint16(freelist), binary.NativeEndian.Uint16(page(whole, f)[8:]))
	free := map[int]bool{}
	for i := range binary.NativeEndian.Uint16(page(whole, f)[10:]) {
		free[int(binary.NativeEndian.Uint64(page(whole, f)[16+8*i:]))] = true
	}
	b := 2
	for free[b] || binary.NativeEndian.Uint16(page(whole, b)[8:]) != branch {
		b++
	}
	l := int(binary.NativeEndian.Uint64(page(whole, b)[16+8:]))
	require.Equal(t, uint16(leaf), binary.NativeEndian.Uint16(page(whole, l)[8:]))
	put16, put32, put64 := binary.NativeEndian.PutUint16, binary.NativeEndian.PutUint32, binary.NativeEndian.PutUint64
	for name, c := range map[string]struct {
		damage func(file []byte)
		says   string
	}{
		"a list of free pages that goes on for ever": {func(x []byte) { put32(page(x, f)[12:], 1<<32-1) }, "is in use twice|is beyond the last"},
		"a leaf that goes on for ever":               {func(x []byte) { put32(page(x, l)[12:], 1<<32-1) }, "is in use twice|is beyond the last"},
		"more free pages than the list has room for": {func(x []byte) { put16(page(x, f)[10:], 0xFFFE) }, fmt.Sprintf("page %d has no room for 65534 free pages", f)},
		"as many as 64 bits can say":                 {func(x []byte) { put16(page(x, f)[10:], 0xFFFF); put64(page(x, f)[16:], 1<<63) }, "has no room for 9223372036854775808 free pages"},
		"a page both free and in use":                {func(x []byte) { put64(page(x, f)[16:], uint64(l)) }, fmt.Sprintf("page %d is in use twice", l)},
		"a free page that there is not":              {func(x []byte) { put64(page(x, f)[16:], 1<<40) }, "of the free pages: page 1099511627776 is beyond the last"},
		"a list of free pages that is another page":  {func(x []byte) { put16(page(x, f)[8:], leaf) }, fmt.Sprintf("page %d is of kind 0x2, not the list of free pages", f)},
		"a branch that leads to itself":              {func(x []byte) { put64(page(x, b)[16+8:], uint64(b)) }, fmt.Sprintf("page %d is in use twice", b)},
		"two ways to one page":                       {func(x []byte) { put64(page(x, b)[32+8:], uint64(l)) }, fmt.Sprintf("page %d is in use twice|page %d: element 0: its key is out of order", l, l)},
		"a branch to where nothing is":               {func(x []byte) { put64(page(x, b)[16+8:], 1<<50) }, "is beyond the last"},
		"an empty branch":                            {func(x []byte) { put16(page(x, b)[10:], 0) }, fmt.Sprintf("page %d: the branch is empty", b)},
		"a key before the one before":                {func(x []byte) { p := page(x, l); p[32+binary.NativeEndian.Uint32(p[32+4:])] = 0 }, "element 1: its key is out of order"},
		"a key of the next page":                     {func(x []byte) { p := page(x, l); p[32+binary.NativeEndian.Uint32(p[32+4:])] = 'z' }, "element 1: its key belongs to the next page"},
		"a page that is another":                     {func(x []byte) { put64(page(x, l), uint64(l+1)) }, fmt.Sprintf("page %d says that it is page %d", l, l+1)},
		"a page of no kind":                          {func(x []byte) { put16(page(x, l)[8:], 7) }, fmt.Sprintf("page %d: it is of kind 0x7", l)},
		"more elements than there is room for":       {func(x []byte) { put16(page(x, l)[10:], 0xFFFF) }, fmt.Sprintf("page %d: it has no room for its 65535 elements", l)},
		"a value of four gigabytes":                  {func(x []byte) { put32(page(x, l)[16+12:], 1<<32-1) }, "element 0: it goes beyond the page"},
		"a key in another page":                      {func(x []byte) { put32(page(x, b)[16:], 1<<31) }, "element 0: it goes beyond the page"},
		"an empty key":                               {func(x []byte) { put32(page(x, l)[16+8:], 0) }, "element 0: its key is empty"},
		"one record within another":                  {func(x []byte) { put32(page(x, l)[32+4:], 16) }, "element 1: it overlaps the one before"},
		"a record that is a bucket":                  {func(x []byte) { put32(page(x, l)[16:], 1) }, fmt.Sprintf("page %d: a bucket|is beyond the last", l)},
		"a record of unknown flags":                  {func(x []byte) { put32(page(x, l)[16:], 8) }, "element 0: it has the unknown flags 0x8"},
	} {
		x := bytes.Clone(whole)
		c.damage(x)
		rot := filepath.Join(t.TempDir(), "db")
		require.NoError(t, os.WriteFile(rot, x, 0o600))
		_, err := bolt.Open(rot, opts)
		require.ErrorIs(t, err, bolt.ErrDamaged, name)
		require.Regexp(t, c.says, err.Error(), name)
		left, err := os.ReadFile(rot)
		require.NoError(t, err)
		require.True(t, bytes.Equal(x, left), "%s: it was left alone", name)
	}
}

func TestOpenWithoutAPathSaysSo(t *testing.T) {
	_, err := bolt.Open("", bolt.Options{})
	require.EqualError(t, err, "freshet: bolt: the path is empty")
}

func TestOpenNamesEveryWrongOption(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	_, err := bolt.Open(path, bolt.Options{LockTimeout: -1, Tombstones: -1, MaxRecord: -1, Mode: fs.ModeDir | 0o600})
	require.EqualError(t, err, "freshet: bolt: Options: LockTimeout is negative: -1ns\nTombstones is negative: -1ns\n"+
		"MaxRecord is negative: -1\nMode is more than permissions: drw-------")
	require.NoFileExists(t, path)
	for want, opts := range map[string]bolt.Options{
		"LockTimeout": {LockTimeout: -1}, "Tombstones": {Tombstones: -time.Second}, "MaxRecord": {MaxRecord: -1}, "Mode": {Mode: fs.ModeSticky},
	} {
		_, err := bolt.Open(path, opts)
		require.ErrorContains(t, err, "freshet: bolt: Options: "+want+" is ")
	}
}
