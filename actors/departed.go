package actors

import (
	"sync"
	"sync/atomic"
)

// departed remembers how new the knowledge was that is not held any more, because it
// was evicted or was not to be kept. A Create's answer that took off before it may be
// older, and must not follow it (W5); every other flight keeps its cell, which knows.
//
// It remembers while Creates are in the air, and nothing else.
type departed struct {
	creates atomic.Int64 // in the air

	mu   sync.Mutex
	seqs map[string]uint64 // by key
	rest uint64            // of the keys that there was no room for
}

// mostDeparted bounds the keys that are told apart.
const mostDeparted = 4096

// begin is called before a Create takes its stamp, and end when it has landed.
func (d *departed) begin() { d.creates.Add(1) }

func (d *departed) end() {
	if d.creates.Add(-1) > 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.creates.Load() == 0 {
		d.seqs, d.rest = nil, 0
	}
}

func (d *departed) note(key string, seq uint64) {
	if d.creates.Load() == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.seqs) >= mostDeparted {
		for _, seq := range d.seqs {
			d.rest = max(d.rest, seq)
		}
		d.seqs = nil
	}
	if d.seqs == nil {
		d.seqs = make(map[string]uint64)
	}
	d.seqs[key] = max(d.seqs[key], seq)
}

// newest is the stamp of the newest that may have been known of key, 0 if nothing was.
func (d *departed) newest(key string) uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return max(d.rest, d.seqs[key])
}
