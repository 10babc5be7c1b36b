package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// origin is the system that owns the todos: a REST API on the loopback
// interface, with a switch that makes it refuse writes. It keeps a record of
// what went over the wire.
type origin struct {
	server *http.Server
	served chan error
	url    string

	mu      sync.Mutex
	todos   []Todo // in order
	made    int    // the last id
	refusal string // why it refuses writes; "": it does not
	gates   []*gate
	wire    []string // what was answered
}

func startOrigin(texts ...string) (*origin, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("the origin cannot start: %w", err)
	}
	o := &origin{served: make(chan error, 1), url: "http://" + l.Addr().String()}
	for _, text := range texts {
		o.create("", Todo{List: "home", Text: text})
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /todos", o.reads(o.list))
	mux.HandleFunc("GET /todos/{id}", o.reads(o.get))
	mux.HandleFunc("POST /todos", o.writes(o.create))
	mux.HandleFunc("PUT /todos/{id}", o.writes(o.update))
	mux.HandleFunc("DELETE /todos/{id}", o.writes(o.remove))
	o.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { o.served <- o.server.Serve(l) }()
	return o, nil
}

func (o *origin) close() error {
	err := o.server.Close()
	if serveErr := <-o.served; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	return err
}

// reply is an answer: a status and what goes with it.
type reply struct {
	status int
	body   any    // a record, records, or words
	todos  []Todo // what it tells of
}

// reads serves a GET. It is answered with what was there when it came in,
// however long it is held: a slow answer is an old one.
func (o *origin) reads(f func(r *http.Request) reply) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		o.mu.Lock()
		answer := f(r)
		o.mu.Unlock()
		if g := o.gate(r); g.pass(r.Context()) {
			o.send(w, r, g, answer)
		}
	}
}

// writes serves what is no GET, when its gate opens and if the switch lets it.
func (o *origin) writes(f func(id string, sent Todo) reply) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var sent Todo
		if r.Method != http.MethodDelete {
			if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
		}
		g := o.gate(r)
		if !g.pass(r.Context()) {
			return
		}
		o.mu.Lock()
		answer := reply{status: http.StatusLocked, body: o.refusal}
		if o.refusal == "" {
			answer = f(r.PathValue("id"), sent)
		}
		o.mu.Unlock()
		o.send(w, r, g, answer)
	}
}

// send answers, and writes down what it answered before anybody can know.
func (o *origin) send(w http.ResponseWriter, r *http.Request, g *gate, a reply) {
	outcome := strconv.Itoa(a.status)
	switch reason, refused := a.body.(string); {
	case g != nil && g.lose:
		outcome = "done, but the answer is lost"
	case refused:
		outcome += " " + reason
	case r.PathValue("id") == "" && r.Method == http.MethodGet:
		outcome += fmt.Sprintf(" with %d todos", len(a.todos))
	}
	o.mu.Lock()
	if g != nil {
		g.said = a.todos
	}
	o.wire = append(o.wire, fmt.Sprintf("%s -> %s", request(r), outcome))
	o.mu.Unlock()
	if g != nil && g.lose {
		panic(http.ErrAbortHandler) // the server breaks the connection
	}
	switch body := a.body.(type) { // where the client went away there is nobody to tell
	case nil:
		w.WriteHeader(a.status)
	case string:
		http.Error(w, body, a.status)
	default:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(a.status)
		_ = json.NewEncoder(w).Encode(body)
	}
}

// request is "ann GET /todos/1".
func request(r *http.Request) string {
	return r.Header.Get("From") + " " + r.Method + " " + r.URL.RequestURI()
}

// What follows runs under the lock.

func (o *origin) list(r *http.Request) reply {
	found := []Todo{}
	for _, t := range o.todos {
		if t.List == r.URL.Query().Get("list") {
			found = append(found, t)
		}
	}
	return reply{http.StatusOK, found, found}
}

func (o *origin) get(r *http.Request) reply {
	at := o.find(r.PathValue("id"))
	if at < 0 {
		return reply{status: http.StatusNotFound}
	}
	return one(http.StatusOK, o.todos[at])
}

func (o *origin) create(_ string, sent Todo) reply {
	o.made++
	sent.ID = strconv.Itoa(o.made)
	o.todos = append(o.todos, sent)
	return one(http.StatusCreated, sent)
}

func (o *origin) update(id string, sent Todo) reply {
	at := o.find(id)
	if at < 0 {
		return reply{status: http.StatusNotFound}
	}
	sent.ID = id
	o.todos[at] = sent
	return one(http.StatusOK, sent)
}

func (o *origin) remove(id string, _ Todo) reply {
	at := o.find(id)
	if at < 0 {
		return reply{status: http.StatusNotFound}
	}
	o.todos = slices.Delete(o.todos, at, at+1)
	return reply{status: http.StatusNoContent}
}

func one(status int, t Todo) reply { return reply{status, t, []Todo{t}} }

func (o *origin) find(id string) int {
	return slices.IndexFunc(o.todos, func(t Todo) bool { return t.ID == id })
}

// What follows is the show's side.

// refuse turns the switch: writes are refused for this reason, from now on
// until it is "".
func (o *origin) refuse(reason string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.refusal = reason
}

// hold holds the next such request that no other gate holds.
func (o *origin) hold(request string) *gate {
	o.mu.Lock()
	defer o.mu.Unlock()
	g := &gate{request: request, arrived: make(chan struct{}), opened: make(chan struct{})}
	o.gates = append(o.gates, g)
	return g
}

// gate is the one that r has to pass; nil: none.
func (o *origin) gate(r *http.Request) *gate {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, g := range o.gates {
		if g.request == request(r) && !g.isThere() {
			close(g.arrived)
			return g
		}
	}
	return nil
}

// held are the requests that the origin has and does not answer.
func (o *origin) held() (requests []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, g := range o.gates {
		if g.isThere() && !g.isOpen() {
			requests = append(requests, g.request)
		}
	}
	return requests
}

// answered is what went over the wire after the first n answers.
func (o *origin) answered(n int) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.wire[n:])
}

// all are the todos as they are.
func (o *origin) all() []Todo {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.todos)
}
