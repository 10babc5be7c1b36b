package actors

import "sync/atomic"

// departed remembers how new the knowledge was that is not held any more, because it
// was evicted or was not to be kept. A Create's answer that took off before it may be
// older, and must not follow it (W5); every other flight keeps its cell, which knows.
//
// It remembers by a hash of the key, for there is no end of keys: a record that was
// made is read once more than it had to be where another key's place is its own.
type departed struct {
	hash   func(key string) uint64
	places []atomic.Uint64 // nil: nobody creates here
}

const departedPlaces = 256

func (d *departed) place(key string) *atomic.Uint64 {
	return &d.places[d.hash(key)%departedPlaces]
}

func (d *departed) note(key string, seq uint64) {
	if d.places == nil {
		return
	}
	place := d.place(key)
	for {
		newest := place.Load()
		if newest >= seq || place.CompareAndSwap(newest, seq) {
			return
		}
	}
}

// newest is the stamp of the newest that may have been known of key, 0 if nothing was.
func (d *departed) newest(key string) uint64 {
	if d.places == nil {
		return 0
	}
	return d.place(key).Load()
}
