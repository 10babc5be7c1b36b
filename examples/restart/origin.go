package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Light is a record of the origin: a lighthouse.
type Light struct {
	ID      string `json:"id"`
	Edition int    `json:"edition"`
	Notes   string `json:"notes"`
}

// The records come in three kinds.
const (
	steady = "steady" // for an hour; nobody edits them
	brief  = "brief"  // for a second
	busy   = "busy"   // for a second, and edited all the time
)

var howMany = map[string]int{steady: 120, brief: 120, busy: 24}

const (
	allRecords = 120 + 120 + 24
	briefAge   = time.Second // max-age has no less
)

func keysOf(kind string) (keys []string) {
	for i := range howMany[kind] {
		keys = append(keys, fmt.Sprintf("%s-%03d", kind, i))
	}
	return keys
}

// counts is what the origin answered.
type counts struct {
	requests, full, unchanged, conditional int
	bytes                                  int // of bodies
}

func (c *counts) add(d counts) {
	c.requests += d.requests
	c.full += d.full
	c.unchanged += d.unchanged
	c.conditional += d.conditional
	c.bytes += d.bytes
}

// origin is a JSON origin over HTTP that knows ETags and counts.
type origin struct {
	listener net.Listener
	server   *http.Server
	done     chan struct{}

	mu       sync.Mutex
	editions map[string]int
	counted  map[string]counts // by kind, since the last count
}

func openOrigin() (*origin, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	o := &origin{listener: l, done: make(chan struct{}), editions: map[string]int{}, counted: map[string]counts{}}
	for kind := range howMany {
		for _, key := range keysOf(kind) {
			o.editions[key] = 1
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /lights/{id}", o.light)
	o.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(o.done)
		_ = o.server.Serve(l)
	}()
	return o, nil
}

func (o *origin) url() string { return "http://" + o.listener.Addr().String() }

func (o *origin) close() {
	_ = o.server.Close()
	<-o.done
}

func (o *origin) light(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	kind, _, _ := strings.Cut(id, "-")
	o.mu.Lock()
	defer o.mu.Unlock()
	edition, ok := o.editions[id]
	if !ok {
		http.NotFound(w, r)
		return
	}
	c := counts{requests: 1}
	maxAge := briefAge
	if kind == steady {
		maxAge = time.Hour
	}
	tag := fmt.Sprintf(`"%s.%d"`, id, edition)
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", fmt.Sprintf("max-age=%d", int(maxAge.Seconds())))
	asked := r.Header.Get("If-None-Match")
	if asked != "" {
		c.conditional = 1
	}
	if asked == tag {
		c.unchanged = 1
		w.WriteHeader(http.StatusNotModified)
	} else {
		body, err := json.Marshal(Light{ID: id, Edition: edition, Notes: strings.Repeat("Fl(2) W 10s. ", 80)})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		c.full, c.bytes = 1, len(body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	}
	sum := o.counted[kind]
	sum.add(c)
	o.counted[kind] = sum
}

// edit makes a new edition of each key.
func (o *origin) edit(keys ...string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, key := range keys {
		o.editions[key]++
	}
}

func (o *origin) edition(key string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.editions[key]
}

// count returns what was answered, by kind, and begins to count anew.
func (o *origin) count() map[string]counts {
	o.mu.Lock()
	defer o.mu.Unlock()
	counted := o.counted
	o.counted = map[string]counts{}
	return counted
}

// answered is how many requests of a kind were answered since the last count.
func (o *origin) answered(kind string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.counted[kind].requests
}
