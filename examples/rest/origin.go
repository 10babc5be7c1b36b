package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Tide is the record: how high the water stands.
type Tide struct {
	Harbour string  `json:"harbour"`
	Metres  float64 `json:"metres"`
}

func (t Tide) String() string { return fmt.Sprintf("%.1f m", t.Metres) }

// harbour is an origin as the web has them: an HTTP server with ETags, that
// keeps an account of what it answered.
type harbour struct {
	server *http.Server
	addr   string
	served chan error

	mu     sync.Mutex
	metres float64
	down   bool
	count  int
	sent   int
	lines  []string
}

func openHarbour() (*harbour, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	h := &harbour{addr: l.Addr().String(), metres: 1, served: make(chan error, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /tides/{harbour}", h.tide)
	h.server = &http.Server{Handler: mux, ReadHeaderTimeout: time.Second}
	go func() { h.served <- h.server.Serve(l) }()
	return h, nil
}

func (h *harbour) tide(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.count++
	etag := fmt.Sprintf(`"%v"`, h.metres)
	asked := r.Header.Get("If-None-Match")
	note := func(status int, body []byte) {
		condition := ""
		if asked != "" {
			condition = " If-None-Match: " + asked
		}
		h.sent += len(body)
		h.lines = append(h.lines, fmt.Sprintf("GET %s%s -> %d, %d bytes", r.URL.Path, condition, status, len(body)))
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}
	if h.down {
		note(http.StatusServiceUnavailable, []byte("the tide gauge is being painted"))
		return
	}
	w.Header().Set("Etag", etag)
	w.Header().Set("Cache-Control", "max-age=1")
	if asked == etag {
		note(http.StatusNotModified, nil)
		return
	}
	body, err := json.Marshal(Tide{r.PathValue("harbour"), h.metres})
	if err != nil {
		note(http.StatusInternalServerError, nil)
		return
	}
	note(http.StatusOK, body)
}

func (h *harbour) url() string { return "http://" + h.addr }

func (h *harbour) rise()          { h.mu.Lock(); defer h.mu.Unlock(); h.metres++ }
func (h *harbour) fail(down bool) { h.mu.Lock(); defer h.mu.Unlock(); h.down = down }
func (h *harbour) calls() int     { h.mu.Lock(); defer h.mu.Unlock(); return h.count }
func (h *harbour) bytes() int     { h.mu.Lock(); defer h.mu.Unlock(); return h.sent }

// take returns what was answered since the last take.
func (h *harbour) take() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	lines := h.lines
	h.lines = nil
	return lines
}

func (h *harbour) close() error {
	err := h.server.Close()
	if served := <-h.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
