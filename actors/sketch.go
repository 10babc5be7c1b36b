package actors

import "math/bits"

// sketch estimates how often a key was asked for lately, whether it is resident
// or not: a count-min sketch with counters of 4 bits, four a key, all of them in
// one cache line. It takes 4 to 8 bytes an entry and grows with the cache.
//
// Only the least of a key's counters are raised (a conservative update), so that
// what shares a counter with others is overrated as little as can be.
type sketch struct {
	lines [][8]uint64 // a power of two of them; none: nothing was counted yet
	added int         // since the counters were halved, about
}

const (
	entriesPerLine = 16
	// A small cache gets twice as many lines, which costs it little: the keys
	// that are not resident are many times as many as those that are.
	fewestLines, doubledLines = 64, 1024

	mostCounted = 15
	// memory is for how many counts per entry the sketch remembers: then all is
	// halved, so that what was popular once does not stay so.
	memory = 10
)

// fit makes the sketch large enough for as many entries. Every line is doubled
// with what it counted.
func (s *sketch) fit(entries int) {
	want := max(fewestLines, entries/entriesPerLine, min(2*entries/entriesPerLine, doubledLines))
	if s.lines == nil {
		s.lines = make([][8]uint64, 1<<bits.Len(uint(want-1)))
	}
	for len(s.lines) < want {
		s.lines = append(s.lines, s.lines...)
	}
}

// counters are where a hash is counted: a line, and in each quarter of it one of
// 32 counters.
func (s *sketch) counters(hash uint64) (line *[8]uint64, at uint64) {
	hash *= 0x9e3779b97f4a7c15 // the index sorts by the same hash
	hash ^= hash >> 32
	return &s.lines[hash&uint64(len(s.lines)-1)], hash * 0xd6e8feb86659fd93 >> 32
}

// slot is the i-th of the counters at: the word that it is in, and its place.
func slot(i int, at uint64) (word int, shift uint64) {
	at >>= 5 * i
	return 2*i + int(at>>4&1), at & 15 * 4
}

// count is about how often hash was added.
func (s *sketch) count(hash uint64) int {
	if s.lines == nil {
		return 0
	}
	line, at := s.counters(hash)
	least := uint64(mostCounted)
	for i := range 4 {
		word, shift := slot(i, at)
		least = min(least, line[word]>>shift&mostCounted)
	}
	return int(least)
}

// add counts hash once more, for a cache of as many entries.
func (s *sketch) add(hash uint64, entries int) {
	s.fit(entries)
	count := uint64(s.count(hash))
	if count == mostCounted {
		return
	}
	line, at := s.counters(hash)
	for i := range 4 {
		if word, shift := slot(i, at); line[word]>>shift&mostCounted == count {
			line[word] += 1 << shift
		}
	}
	if s.added++; s.added >= memory*max(entries, 1) {
		s.halve()
	}
}

func (s *sketch) halve() {
	for i := range s.lines {
		for j := range s.lines[i] {
			s.lines[i][j] = s.lines[i][j] >> 1 & 0x7777777777777777
		}
	}
	s.added /= 2
}
