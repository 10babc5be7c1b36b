package actors

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// tagIndex finds the resources that carry a tag, and keeps the tags' barriers
// for knowledge that is still on its way (O0).
type tagIndex[V any] struct {
	newest atomic.Uint64 // the newest barrier of any tag

	mu   sync.Mutex
	tags map[string]*tag[V]
	most int // tags since the map was made: it keeps the room that it once needed
	// A tag that nobody carries is kept for its barrier among the last few;
	// then its barrier is folded into the floor, which covers every tag that
	// is not in the map.
	idle    []string
	floor   uint64
	floorAt time.Time
}

type tag[V any] struct {
	barrier uint64
	at      time.Time // when it was raised, for a Store's records
	cells   map[*cell[V]]struct{}
	idle    bool // stands in tagIndex.idle
}

const idleTags = 1024

// enter puts c under its tags and returns the highest barrier that covers one.
// Putting it there and reading the barrier are one step, so that whoever
// raises it either finds the cell or is heeded.
func (x *tagIndex[V]) enter(c *cell[V], tags []string) (cover uint64) {
	if len(tags) == 0 {
		return 0
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, name := range tags {
		t := x.tagLocked(name)
		t.cells[c] = struct{}{}
		cover = max(cover, t.barrier)
	}
	return cover
}

// barrier is the highest barrier of tags.
func (x *tagIndex[V]) barrier(tags []string) (highest uint64) {
	if len(tags) == 0 {
		return 0
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, name := range tags {
		if t := x.tags[name]; t != nil {
			highest = max(highest, t.barrier)
		}
	}
	return highest
}

func (x *tagIndex[V]) tagLocked(name string) *tag[V] {
	t := x.tags[name]
	if t == nil {
		if x.tags == nil {
			x.tags = make(map[string]*tag[V])
		}
		t = &tag[V]{barrier: x.floor, at: x.floorAt, cells: make(map[*cell[V]]struct{})}
		x.tags[name] = t
		x.most = max(x.most, len(x.tags))
	}
	return t
}

// leaveAll takes c from under those of tags that it does not keep.
func (x *tagIndex[V]) leaveAll(c *cell[V], tags, keep []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, name := range tags {
		t := x.tags[name]
		if t == nil || slices.Contains(keep, name) {
			continue
		}
		delete(t.cells, c)
		if len(t.cells) == 0 {
			t.cells = make(map[*cell[V]]struct{}) // that of many keeps their room
			x.retireLocked(name)
		}
	}
}

// retireLocked keeps a tag that nobody carries for a while.
func (x *tagIndex[V]) retireLocked(name string) {
	if t := x.tags[name]; !t.idle {
		t.idle = true
		x.idle = append(x.idle, name)
	}
	for len(x.idle) > idleTags {
		oldest := x.idle[0]
		x.idle = x.idle[1:]
		t := x.tags[oldest]
		if t.idle = false; len(t.cells) == 0 {
			x.floor = max(x.floor, t.barrier)
			if t.at.After(x.floorAt) {
				x.floorAt = t.at
			}
			delete(x.tags, oldest)
		}
	}
	if 8*len(x.tags) < x.most {
		x.most = len(x.tags)
		tags := make(map[string]*tag[V], x.most)
		maps.Copy(tags, x.tags)
		x.tags = tags
	}
}

// raise gives the tags a new barrier, and returns it and who carries them. The
// number is taken after the time was noted, in one step: a look-up above the
// barrier then sees that time and takes no older record of another process
// (since), and one that looked before it is below the barrier.
func (x *tagIndex[V]) raise(names []string, now func() time.Time, number func() uint64) (barrier uint64, covered map[*cell[V]]struct{}) {
	covered = make(map[*cell[V]]struct{})
	x.mu.Lock()
	defer x.mu.Unlock()
	at := now()
	barrier = number()
	x.newest.Store(barrier)
	for _, name := range names {
		t := x.tagLocked(name)
		t.barrier, t.at = barrier, at
		if len(t.cells) == 0 {
			x.retireLocked(name)
		}
		for c := range t.cells {
			covered[c] = struct{}{}
		}
	}
	return barrier, covered
}

// since says whether one of tags was invalidated at or after readAt, in the
// life of this process: then a Store's record that was read then is void.
func (x *tagIndex[V]) since(tags []string, readAt time.Time) bool {
	if len(tags) == 0 {
		return false
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, name := range tags {
		at := x.floorAt
		if t := x.tags[name]; t != nil {
			at = t.at
		}
		if !at.IsZero() && !readAt.After(at) {
			return true
		}
	}
	return false
}
