// Package peer puts freshet and the caches that a user would pick instead
// behind one small interface, one file each, every one configured as its own
// documentation advises.
package peer

import (
	"context"
	"time"
)

// Source is an origin: it returns the version of a record. Values are plain
// numbers so that no cache pays for a codec or a copy.
type Source func(ctx context.Context, key string) (uint64, error)

// Options say what a workload needs of a cache.
type Options struct {
	Source   Source
	Capacity int           // entries; every peer is bounded
	TTL      time.Duration // 0: values are kept until they are deleted
	Stale    time.Duration // on top of TTL: serve the old value and refresh, where a cache can
	// Exact asks for eviction on the caller's goroutine where there is a
	// choice, so that hit ratios do not depend on scheduling.
	Exact bool
	// Storm asks for as many overlapping reloads as a cache allows.
	Storm int
}

// Cache is what all have in common: a read that loads what is absent, once for
// all who ask meanwhile.
type Cache interface {
	Get(ctx context.Context, key string) (uint64, error)
	Close()
}

// Setter is a Cache that can be told a value.
type Setter interface {
	Set(key string, value uint64)
}

// Deleter is a Cache that can be told that a value is void.
type Deleter interface{ Delete(key string) }

// Reloader is a Cache that can be told to ask the origin again; Reload returns
// the answer that it got.
type Reloader interface {
	Reload(ctx context.Context, key string) (uint64, error)
}

// Settler is a Cache that applies writes later; Settle waits for that.
type Settler interface{ Settle() }

// Can is what a peer is able to do, for workloads that need it.
type Can uint8

const (
	// CanSet says that Cache is a Setter.
	CanSet Can = 1 << iota
	// CanDelete says that Cache is a Deleter.
	CanDelete
	// CanReload says that Cache is a Reloader by a call of its own.
	CanReload
	// CanExpire says that the cache keeps TTLs of milliseconds.
	CanExpire
	// CanBound says that it evicts what is over a number of entries.
	CanBound
)

// Peer is a way to make a cache.
type Peer struct {
	Name   string
	Module string // whose version the report states
	Can    Can
	New    func(Options) (Cache, error)
}

// Bare says that it is no cache: it grows without end.
func (p Peer) Bare() bool { return p.Name == singleflightPeer.Name || p.Name == DoChan.Name }

// Ours is the name of this project's peer, and begins the names of its variants.
const Ours = "freshet"

// All are the peers in the order in which reports list them.
func All() []Peer {
	return []Peer{
		freshetPeer, otterPeer, sturdycPeer, theinePeer, ttlcachePeer, hotPeer,
		ristrettoPeer, singleflightPeer, groupcachePeer,
	}
}

// With are the peers that can do all of what.
func With(what Can) []Peer {
	var able []Peer
	for _, p := range All() {
		if p.Can&what == what {
			able = append(able, p)
		}
	}
	return able
}

// Named are the peers of these names, in the order of All.
func Named(names ...string) []Peer {
	var found []Peer
	for _, p := range All() {
		for _, name := range names {
			if p.Name == name {
				found = append(found, p)
			}
		}
	}
	return found
}
