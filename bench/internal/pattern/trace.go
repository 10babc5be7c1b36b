package pattern

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// recording is a recorded trace that this package knows of.
type recording struct {
	file, about string
	capacities  []int
	ranges      bool // lines are "start count …", blocks start to start+count-1; else a key each
}

var recordings = []recording{
	{"oltp.gz", "page requests of a database server (ARC paper)", []int{250, 500, 1_000, 2_000}, true},
	{"gli.gz", "glimpse, looping (LIRS paper)", []int{500, 1_000, 1_500, 2_000}, false},
	{"loop.gz", "a pure loop (LIRS paper)", []int{250, 500, 750, 1_000}, false},
	{"sprite.gz", "a network file system (LIRS paper)", []int{100, 250, 500, 1_000}, false},
	{"web12.gz", "a product site in December (cache2k)", []int{100, 500, 1_000, 3_000}, false},
}

// files are the names of all recordings.
func files() []string {
	names := make([]string, 0, len(recordings))
	for _, r := range recordings {
		names = append(names, r.file)
	}
	return names
}

// Missing are the recordings that are not in folder.
func Missing(folder string) []string {
	return slices.DeleteFunc(files(), func(file string) bool {
		_, err := os.Stat(filepath.Join(folder, file))
		return err == nil
	})
}

// Recorded reads the traces that are in folder. It is an error when there is
// none of them.
func Recorded(folder string) ([]Accesses, error) {
	var all []Accesses
	for _, r := range recordings {
		keys, err := r.read(filepath.Join(folder, r.file))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, Accesses{
			Name: strings.TrimSuffix(r.file, ".gz"), About: r.about, Capacities: r.capacities, Keys: keys,
		})
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("none of %s in %s", strings.Join(files(), ", "), folder)
	}
	return all, nil
}

func (r recording) read(path string) (_ []uint32, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	keys, err := r.parse(z)
	if err == nil && len(keys) == 0 {
		err = errors.New("no accesses in it")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return keys, nil
}

func (r recording) parse(in io.Reader) ([]uint32, error) {
	var keys []uint32
	numbers := make(map[string]uint32) // keys need not be numbers
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) == 0 || fields[0] == "*": // LIRS traces end so
			continue
		case !r.ranges:
			key, ok := numbers[fields[0]]
			if !ok {
				key = uint32(len(numbers))
				numbers[fields[0]] = key
			}
			keys = append(keys, key)
			continue
		case len(fields) < 2:
			return nil, fmt.Errorf("line %q: want a start and a count", lines.Text())
		}
		start, err := strconv.ParseUint(fields[0], 10, 32)
		if err != nil {
			return nil, err
		}
		count, err := strconv.ParseUint(fields[1], 10, 16)
		if err != nil {
			return nil, err
		}
		for i := range count {
			keys = append(keys, uint32(start+i))
		}
	}
	return keys, lines.Err()
}
