package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"

	"go.etcd.io/bbolt"
)

// check reads the structure of the file at path, every page of it, before bbolt
// may trust it. bbolt asserts little: a rotten overflow in the header of one page is
// a loop over four billion pages, a branch that leads back to itself a stack
// without end, a page both free and in use the loss of another, keys out of order
// an old record beside the new one. No recover helps there, and bbolt's own
// Check goes the same ways. The file is locked for writers meanwhile.
func check(path string, opts Options) error {
	open := opts.openFile
	if open == nil {
		open = os.OpenFile
	}
	var f *os.File
	db, err := bbolt.Open(path, opts.Mode, &bbolt.Options{
		ReadOnly: true, Timeout: opts.LockTimeout,
		OpenFile: func(name string, flag int, mode os.FileMode) (_ *os.File, err error) {
			f, err = open(name, flag, mode)
			return f, err
		},
	})
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // it was only read
	return checkPages(f, int64(db.Info().PageSize))
}

// The layout of bbolt's file, in bytes and in the byte order of the machine.
const (
	headerSize  = 16 // of a page: id 8, flags 2, count 2, overflow 4
	elementSize = 16 // of a leaf: flags, pos, ksize, vsize, 4 each; of a branch: pos 4, ksize 4, page 8
	metaSize    = 64 // magic, version, page size, flags, 4 each; root, sequence, freelist, pages, txid, checksum, 8 each
	bucketSize  = 16 // root 8, sequence 8; with root 0 a page within the value follows

	metaMagic   = 0xED0CDAED
	metaVersion = 2

	branchPage   = 0x01
	leafPage     = 0x02
	freelistPage = 0x10

	bucketFlag = 0x01 // of a leaf's element

	noFreelist = ^uint64(0)
)

type checker struct {
	file     io.ReaderAt
	pageSize int64
	pages    uint64   // as many the file speaks of
	claimed  []uint64 // a bit for each page: somebody has it
	todo     []subtree
	buf      []byte // of read
}

// subtree is the page of a branch's element, or the root of a bucket. Its keys are
// from min on and below max; nil: no bound.
type subtree struct {
	id       uint64
	min, max []byte
}

func checkPages(file *os.File, pageSize int64) error {
	root, freelist, pages, ok := newestMeta(file, pageSize)
	if !ok {
		return errors.New("neither of its two meta pages is valid")
	}
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if have := info.Size() / pageSize; pages > uint64(have) {
		return fmt.Errorf("it is truncated: %d pages are left of at least %d", have, pages)
	}
	c := &checker{file: file, pageSize: pageSize, pages: pages, claimed: make([]uint64, pages/64+1), todo: []subtree{{id: root}}}
	for id := range uint64(2) { // the metas
		if err := c.claim(id); err != nil {
			return err
		}
	}
	if freelist != noFreelist {
		if err := c.freelist(freelist); err != nil {
			return err
		}
	}
	for len(c.todo) > 0 {
		next := c.todo[len(c.todo)-1]
		c.todo = c.todo[:len(c.todo)-1]
		if err := c.tree(next); err != nil {
			return err
		}
	}
	return nil
}

// newestMeta is the one that bbolt goes by: the valid one of the later transaction.
func newestMeta(file io.ReaderAt, pageSize int64) (root, freelist, pages uint64, ok bool) {
	newest := uint64(0)
	for _, at := range []int64{0, pageSize} {
		var b [headerSize + metaSize]byte
		if _, err := file.ReadAt(b[:], at); err != nil {
			continue
		}
		m := b[headerSize:]
		h := fnv.New64a()
		_, _ = h.Write(m[:metaSize-8])
		if binary.NativeEndian.Uint32(m) != metaMagic || binary.NativeEndian.Uint32(m[4:]) != metaVersion ||
			binary.NativeEndian.Uint64(m[56:]) != h.Sum64() {
			continue
		}
		if tx := binary.NativeEndian.Uint64(m[48:]); !ok || tx > newest {
			newest, ok = tx, true
			root, freelist, pages = binary.NativeEndian.Uint64(m[16:]), binary.NativeEndian.Uint64(m[32:]), binary.NativeEndian.Uint64(m[40:])
		}
	}
	return root, freelist, pages, ok
}

// claim takes page id for one owner.
func (c *checker) claim(id uint64) error {
	if id >= c.pages {
		return fmt.Errorf("page %d is beyond the last, %d", id, c.pages-1)
	}
	if c.claimed[id/64]&(1<<(id%64)) != 0 {
		return fmt.Errorf("page %d is in use twice", id)
	}
	c.claimed[id/64] |= 1 << (id % 64)
	return nil
}

// page claims page id with all that it overflows to. It returns its kind, how many
// elements it has, its length in bytes, and its first page.
func (c *checker) page(id uint64) (kind, count int, size int64, first []byte, err error) {
	if err := c.claim(id); err != nil {
		return 0, 0, 0, nil, err
	}
	if first, err = c.read(int64(id)*c.pageSize, c.pageSize); err != nil {
		return 0, 0, 0, nil, err
	}
	if self := binary.NativeEndian.Uint64(first); self != id {
		return 0, 0, 0, nil, fmt.Errorf("page %d says that it is page %d", id, self)
	}
	overflow := uint64(binary.NativeEndian.Uint32(first[12:]))
	for i := range overflow { // no further than the last page
		if err := c.claim(id + 1 + i); err != nil {
			return 0, 0, 0, nil, err
		}
	}
	kind, count = int(binary.NativeEndian.Uint16(first[8:])), int(binary.NativeEndian.Uint16(first[10:]))
	return kind, count, int64(overflow+1) * c.pageSize, first, nil
}

// read returns size bytes at off, which are good until the next read.
func (c *checker) read(off, size int64) ([]byte, error) {
	if int64(cap(c.buf)) < size {
		c.buf = make([]byte, size)
	}
	b := c.buf[:size]
	_, err := c.file.ReadAt(b, off)
	return b, err
}

func (c *checker) freelist(id uint64) error {
	kind, count, size, first, err := c.page(id)
	if err != nil {
		return err
	}
	if kind != freelistPage {
		return fmt.Errorf("page %d is of kind %#x, not the list of free pages", id, kind)
	}
	free, skip := uint64(count), int64(headerSize)
	if count == 0xFFFF { // the count did not fit the header
		free, skip = binary.NativeEndian.Uint64(first[headerSize:]), headerSize+8
	}
	if free > uint64(size-skip)/8 {
		return fmt.Errorf("page %d has no room for %d free pages", id, free)
	}
	ids, err := c.read(int64(id)*c.pageSize+skip, int64(free)*8)
	if err != nil {
		return err
	}
	for ; len(ids) > 0; ids = ids[8:] {
		if err := c.claim(binary.NativeEndian.Uint64(ids)); err != nil {
			return fmt.Errorf("of the free pages: %w", err)
		}
	}
	return nil
}

// tree checks the page of s and leaves what is below it to be done.
func (c *checker) tree(s subtree) error {
	kind, count, size, b, err := c.page(s.id)
	if err != nil {
		return err
	}
	if size > c.pageSize {
		want := size
		if count == 1 { // a large record: only its key is wanted
			want = min(size, headerSize+elementSize+bbolt.MaxKeySize)
		}
		if b, err = c.read(int64(s.id)*c.pageSize, want); err != nil {
			return err
		}
	}
	switch kind {
	case branchPage:
		err = c.branch(b, count, size, s)
	case leafPage:
		err = c.leaf(b, count, size, s)
	default:
		err = fmt.Errorf("it is of kind %#x, neither a branch nor a leaf", kind)
	}
	if err != nil {
		return fmt.Errorf("page %d: %w", s.id, err)
	}
	return nil
}

func (c *checker) branch(b []byte, count int, size int64, s subtree) error {
	if count == 0 {
		return errors.New("the branch is empty")
	}
	b = bytes.Clone(b) // the bounds of those below are keys of this page
	first := len(c.todo)
	return elements(b, branchPage, count, size, s, func(e element) error {
		if n := len(c.todo); n > first {
			c.todo[n-1].max = e.key
		}
		c.todo = append(c.todo, subtree{id: e.page, min: e.key, max: s.max})
		return nil
	})
}

func (c *checker) leaf(b []byte, count int, size int64, s subtree) error {
	return elements(b, leafPage, count, size, s, func(e element) error {
		switch e.flags {
		case 0:
			return nil
		case bucketFlag:
			return c.bucket(e.value)
		}
		return fmt.Errorf("it has the unknown flags %#x", e.flags)
	})
}

// bucket checks the value of a bucket.
func (c *checker) bucket(v []byte) error {
	if len(v) < bucketSize {
		return fmt.Errorf("a bucket of %d bytes", len(v))
	}
	if root := binary.NativeEndian.Uint64(v); root != 0 {
		c.todo = append(c.todo, subtree{id: root})
		return nil
	}
	v = v[bucketSize:] // a page
	if len(v) < headerSize || binary.NativeEndian.Uint16(v[8:]) != leafPage {
		return errors.New("a bucket without a root")
	}
	count := int(binary.NativeEndian.Uint16(v[10:]))
	return elements(v, leafPage, count, int64(len(v)), subtree{}, func(e element) error {
		if e.flags != 0 {
			return errors.New("it is a bucket, in one that has no page of its own")
		}
		return nil
	})
}

// element of a page of the tree.
type element struct {
	key   []byte
	flags uint32 // of a leaf's
	value []byte // of a leaf's; as much of it as there was of the page
	page  uint64 // of a branch's
}

// elements calls each with what is in a page of size bytes, of which b are the
// first: more than one element only if they are all. They lie behind each
// other, within the page, their keys ascending and within the bounds of s.
func elements(b []byte, kind, count int, size int64, s subtree, each func(element) error) error {
	end := headerSize + elementSize*int64(count)
	if end > int64(len(b)) {
		return fmt.Errorf("it has no room for its %d elements", count)
	}
	last := []byte(nil)
	for i := range count {
		at := headerSize + elementSize*int64(i)
		raw := b[at : at+elementSize]
		word := func(n int) int64 { return int64(binary.NativeEndian.Uint32(raw[4*n:])) }
		var e element
		var pos, key, value int64
		if kind == branchPage {
			pos, key, e.page = word(0), word(1), binary.NativeEndian.Uint64(raw[8:])
		} else {
			e.flags, pos, key, value = uint32(word(0)), word(1), word(2), word(3)
		}
		start := at + pos
		var wrong string
		switch {
		case key == 0:
			wrong = "its key is empty"
		case start < end:
			wrong = "it overlaps the one before"
		case start+key+value > size || start+key > int64(len(b)):
			wrong = "it goes beyond the page"
		default:
			e.key, e.value = b[start:start+key], b[start+key:min(start+key+value, int64(len(b)))]
			switch {
			case last != nil && bytes.Compare(e.key, last) <= 0, last == nil && bytes.Compare(e.key, s.min) < 0:
				wrong = "its key is out of order"
			case s.max != nil && bytes.Compare(e.key, s.max) >= 0:
				wrong = "its key belongs to the next page"
			}
		}
		if wrong != "" {
			return fmt.Errorf("element %d: %s", i, wrong)
		}
		if err := each(e); err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
		end, last = start+key+value, e.key
	}
	return nil
}
