package peer

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync/atomic"

	"github.com/golang/groupcache"
)

// groupcachePeer can neither set nor delete nor expire: its values are for
// ever, which is its documented bargain.
var groupcachePeer = Peer{
	Name: "groupcache", Module: "github.com/golang/groupcache", New: newGroupcache,
}

// groupcacheCache holds bytes; a value is eight of them.
type groupcacheCache struct {
	group *groupcache.Group
	bytes int64
}

var groupcacheCount atomic.Uint64

// groupcacheFlush is the key whose value is larger than the whole cache. NUL
// keeps it apart from the keys of workloads.
const groupcacheFlush = "\x00flush"

// groupcacheEntry is how many bytes a key and its value count for.
const groupcacheEntry = 32

func newGroupcache(o Options) (Cache, error) {
	c := &groupcacheCache{bytes: int64(o.Capacity) * groupcacheEntry}
	get := func(ctx context.Context, key string, dest groupcache.Sink) error {
		if key == groupcacheFlush {
			return dest.SetBytes(make([]byte, c.bytes+1))
		}
		value, err := o.Source(ctx, key)
		if err != nil {
			return err
		}
		return dest.SetBytes(binary.LittleEndian.AppendUint64(nil, value))
	}
	name := fmt.Sprint("bench", groupcacheCount.Add(1))
	c.group = groupcache.NewGroup(name, c.bytes, groupcache.GetterFunc(get))
	return c, nil
}

func (c *groupcacheCache) Get(ctx context.Context, key string) (uint64, error) {
	var view groupcache.ByteView
	if err := c.group.Get(ctx, key, groupcache.ByteViewSink(&view)); err != nil {
		return 0, err
	}
	var raw [8]byte
	view.Copy(raw[:])
	return binary.LittleEndian.Uint64(raw[:]), nil
}

// Close pushes everything out, as a group can't be given up: its package keeps
// all that were ever made.
func (c *groupcacheCache) Close() {
	var view groupcache.ByteView
	_ = c.group.Get(context.Background(), groupcacheFlush, groupcache.ByteViewSink(&view))
}
