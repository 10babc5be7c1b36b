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

// origin is the system that owns the records: an HTTP server on the loopback
// interface. It reads a record when the request comes in and answers when its
// latency has passed, so a slow answer is an old one.
type origin struct {
	mu      sync.Mutex
	records map[string]Airport
	asked   map[string]int // requests by record
	total   int
	written int            // requests to write
	cut     map[string]int // requests whose client went away before the answer
	latency func(iata string, nth int) time.Duration
	turn    turn
	nth     int           // requests since the latency was set
	news    chan struct{} // closed, and replaced, whenever a request comes in

	address string
	server  *http.Server // nil: down
	served  chan error
}

// turn holds the nth answer back, when its latency has passed, until it may go.
// A busy machine can be late by more than any latency: what has to come first is
// waited for.
type turn func(ctx context.Context, nth int) error

const anyPort = "127.0.0.1:0"

// startOrigin starts an origin of records that answers at once.
func startOrigin(records []Airport) (*origin, error) {
	o := &origin{
		records: make(map[string]Airport, len(records)),
		asked:   make(map[string]int),
		cut:     make(map[string]int),
		latency: func(string, int) time.Duration { return 0 },
		news:    make(chan struct{}),
		address: anyPort,
	}
	for _, r := range records {
		o.records[r.IATA] = r
	}
	return o, o.up()
}

// up starts the server, on the port that it had before where that is free.
func (o *origin) up() error {
	l, err := net.Listen("tcp", o.address)
	if err != nil { // somebody took the port meanwhile: clients ask url anew
		l, err = net.Listen("tcp", anyPort)
	}
	if err != nil {
		return fmt.Errorf("the origin cannot start: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /airports/{iata}", o.serve)
	mux.HandleFunc("PUT /airports/{iata}", o.write)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()

	o.mu.Lock()
	defer o.mu.Unlock()
	o.address, o.server, o.served = l.Addr().String(), server, served
	return nil
}

// down closes the server and every connection to it.
func (o *origin) down() error {
	o.mu.Lock()
	server, served := o.server, o.served
	o.server = nil
	o.mu.Unlock()
	if server == nil {
		return nil
	}
	err := server.Close()
	if serveErr := <-served; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	return err
}

// url is where the origin is, or was before it went down.
func (o *origin) url() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return "http://" + o.address
}

func (o *origin) serve(w http.ResponseWriter, r *http.Request) {
	iata := r.PathValue("iata")
	o.mu.Lock()
	record, ok := o.records[iata]
	latency := o.nextLocked(iata)
	o.total++
	o.asked[iata]++
	close(o.news)
	o.news = make(chan struct{})
	o.mu.Unlock()

	if err := latency(r.Context()); err != nil {
		o.mu.Lock()
		o.cut[iata]++
		o.mu.Unlock()
		return
	}
	if !ok {
		http.Error(w, "there is no airport "+iata, http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(record) // the client went away: nobody to tell
}

// nextLocked is what the next request waits for before it is answered.
func (o *origin) nextLocked(iata string) func(context.Context) error {
	wait, turn, nth := o.latency(iata, o.nth), o.turn, o.nth
	o.nth++
	return func(ctx context.Context) error {
		if err := rest(ctx, wait); err != nil || turn == nil {
			return err
		}
		return turn(ctx, nth)
	}
}

// highest is how high an airport can be: nobody has built one above.
const highest = 14_472

// write takes a record, if it can be true, as its new edition.
func (o *origin) write(w http.ResponseWriter, r *http.Request) {
	var record Airport
	if err := json.NewDecoder(r.Body).Decode(&record); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	iata := r.PathValue("iata")
	o.mu.Lock()
	latency := o.nextLocked(iata)
	o.written++
	o.mu.Unlock()
	if latency(r.Context()) != nil {
		return
	}
	if record.ElevationFt > highest {
		http.Error(w, "no airport is that high", http.StatusUnprocessableEntity)
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	record.IATA, record.Edition = iata, o.records[iata].Edition+1
	o.records[iata] = record
	_ = json.NewEncoder(w).Encode(record)
}

// record is what the origin has now, and writes how often it was asked for
// another.
func (o *origin) record(iata string) (r Airport, writes int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.records[iata], o.written
}

// edit makes a new edition of a record, as its owner would, and returns its
// number.
func (o *origin) edit(iata string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.records[iata]
	r.Edition++
	o.records[iata] = r
	return r.Edition
}

// answerAfter sets the latency of the requests to come; nth counts them from 0.
func (o *origin) answerAfter(latency func(iata string, nth int) time.Duration) {
	o.answerInTurn(latency, nil)
}

// answerInTurn is answerAfter for answers that have to wait for their turn too.
func (o *origin) answerInTurn(latency func(iata string, nth int) time.Duration, turn turn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.latency, o.turn, o.nth = latency, turn, 0
}

// requests is how many requests for a record have come in.
func (o *origin) requests(iata string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.asked[iata]
}

// allRequests is how many requests have come in.
func (o *origin) allRequests() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.total
}

// cutShort is how many requests for a record ended before their answer.
func (o *origin) cutShort(iata string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.cut[iata]
}

// awaitRequests waits until n requests for a record have come in.
func (o *origin) awaitRequests(ctx context.Context, iata string, n int) error {
	for {
		o.mu.Lock()
		asked, news := o.asked[iata], o.news
		o.mu.Unlock()
		if asked >= n {
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
