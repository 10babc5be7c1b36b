package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	freshet "github.com/freshet-go/freshet/api"
)

// client is a freshet.Source: it reads one record from the origin over HTTP.
type client struct {
	url  func() string
	http *http.Client
	// deaf is a client as many are: it does not heed its context, so that the
	// answers of flights that nobody waits for any more come in all the same.
	deaf bool

	mu      sync.Mutex
	flights []flight
}

// flight is one origin call as the client saw it.
type flight struct {
	seq     uint64    // freshet's number of it (O1)
	off     time.Time // when it took off
	back    time.Time // when its answer was in; zero: not yet, or it failed
	edition int       // of the record that it brought
}

func newClient(url func() string, deaf bool) *client {
	return &client{url: url, http: &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}, deaf: deaf}
}

// Fetch implements freshet.Source.
func (c *client) Fetch(ctx context.Context, r freshet.Request[Airport]) (freshet.Response[Airport], error) {
	if c.deaf {
		ctx = context.WithoutCancel(ctx)
	}
	c.mu.Lock()
	n := len(c.flights)
	c.flights = append(c.flights, flight{seq: r.Seq, off: time.Now()})
	c.mu.Unlock()

	record, err := c.read(ctx, r.Key)
	if err != nil {
		return freshet.Response[Airport]{}, err
	}
	c.mu.Lock()
	c.flights[n].back, c.flights[n].edition = time.Now(), record.Edition
	c.mu.Unlock()
	return freshet.Response[Airport]{Value: record}, nil
}

func (c *client) read(ctx context.Context, iata string) (Airport, error) {
	var record Airport
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url()+"/airports/"+iata, nil)
	if err != nil {
		return record, err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return record, err
	}
	defer func() { _ = res.Body.Close() }() // it was only read
	switch res.StatusCode {
	case http.StatusOK:
		return record, json.NewDecoder(res.Body).Decode(&record)
	case http.StatusNotFound:
		return record, fmt.Errorf("%s: %w", iata, freshet.ErrNotFound)
	default:
		return record, fmt.Errorf("%s: the origin said %s", iata, res.Status)
	}
}

// write has the origin take a record, and returns it as the origin has it then.
func (c *client) write(ctx context.Context, record Airport) (stored Airport, err error) {
	body, err := json.Marshal(record)
	if err != nil {
		return stored, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, c.url()+"/airports/"+record.IATA, bytes.NewReader(body))
	if err != nil {
		return stored, err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return stored, err
	}
	defer func() { _ = res.Body.Close() }() // it was only read
	if res.StatusCode == http.StatusOK {
		return stored, json.NewDecoder(res.Body).Decode(&stored)
	}
	why, err := io.ReadAll(io.LimitReader(res.Body, 1<<10))
	if err != nil {
		return stored, err
	}
	return stored, &refusedError{res.StatusCode, strings.TrimSpace(string(why))}
}

// refusedError is the origin's no to a write.
type refusedError struct {
	status int
	why    string
}

func (e *refusedError) Error() string { return fmt.Sprintf("the origin said %d: %s", e.status, e.why) }

// log is what flew so far, in the order of take-off.
func (c *client) log() []flight {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.flights)
}
