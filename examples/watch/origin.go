package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// origin serves the market over HTTP on the loopback interface. An answer
// carries an ETag, and who has the price already is told 304.
type origin struct {
	market    *market
	server    *http.Server
	served    chan error
	url       string
	requests  atomic.Uint64
	unchanged atomic.Uint64 // of them: 304
}

func startOrigin(m *market) (*origin, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("the origin cannot start: %w", err)
	}
	o := &origin{market: m, served: make(chan error, 1), url: "http://" + l.Addr().String()}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /quotes/{name}", o.serve)
	o.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { o.served <- o.server.Serve(l) }()
	return o, nil
}

func (o *origin) serve(w http.ResponseWriter, r *http.Request) {
	o.requests.Add(1)
	q, ok := o.market.quote(r.PathValue("name"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	tag := fmt.Sprintf("%q", fmt.Sprintf("%s-%d", q.Name, q.Move))
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		o.unchanged.Add(1)
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(q) // the client went away: nobody to tell
}

func (o *origin) close() error {
	err := o.server.Close()
	if serveErr := <-o.served; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	return err
}
