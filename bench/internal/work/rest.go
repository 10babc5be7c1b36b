package work

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/source/rest"
)

// rests are what the REST source adds to a request.
func rests() []Workload {
	return []Workload{{
		Name: "rest/loopback",
		About: "One caller reads a record of 80 bytes again and again over one connection of loopback, without a cache: the REST source " +
			"beside a bare net/http client that reads the body and decodes it. The server's time is in both; it states max-age and an ETag.",
		Columns: []Column{
			{Name: "time/op", Unit: "ns"}, {Name: CPU, Unit: "ns"}, {Name: "allocs/op"}, {Name: "bytes/op", Unit: "B"},
			{Name: "connections", Better: Neither},
		},
		Scales: true, Ops: 20_000, Quick: 4_000, Seconds: 1.5,
		Contenders: []Contender{
			{Name: "freshet's rest source", Module: freshetModule, Prepare: throughSource},
			{Name: "net/http", Prepare: throughBareClient},
		},
	}}
}

type restRecord struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

const restBody = `{"id":"42","name":"Ada Lovelace","email":"ada.lovelace@analytical-engine.org"}`

func throughSource() (Run, error) {
	return restRun(func(base string) (func() (restRecord, error), func(), error) {
		o, err := rest.New(rest.Config[restRecord]{Base: base, Item: "/users/{key}"})
		if err != nil {
			return nil, nil, err
		}
		return func() (restRecord, error) {
			r, err := o.Fetch(context.Background(), freshet.Request[restRecord]{Key: "42"})
			return r.Value, err
		}, o.Close, nil
	})
}

func throughBareClient() (Run, error) {
	return restRun(func(base string) (func() (restRecord, error), func(), error) {
		client := http.Client{Transport: &http.Transport{}}
		return func() (v restRecord, err error) {
			response, err := client.Get(base + "/users/42")
			if err != nil {
				return v, err
			}
			defer func() { _ = response.Body.Close() }()
			if response.StatusCode != http.StatusOK {
				return v, fmt.Errorf("origin: %s", response.Status)
			}
			data, err := io.ReadAll(response.Body)
			if err != nil {
				return v, err
			}
			return v, json.Unmarshal(data, &v)
		}, client.CloseIdleConnections, nil
	})
}

// restRun prepares a server of its own and a client of it, which has connected.
func restRun(connect func(base string) (get func() (restRecord, error), leave func(), err error)) (Run, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return Run{}, err
	}
	var connections atomic.Int64
	server := http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Cache-Control", "max-age=60")
			w.Header().Set("Etag", `"v1"`)
			_, _ = io.WriteString(w, restBody)
		}),
		ConnState: func(_ net.Conn, s http.ConnState) {
			if s == http.StateNew {
				connections.Add(1)
			}
		},
	}
	go func() { _ = server.Serve(listener) }()
	get, leave, err := connect("http://" + listener.Addr().String())
	if err == nil {
		_, err = get()
	}
	if err != nil {
		_ = server.Close()
		return Run{}, err
	}
	return Run{
		Do: func(ops int) ([]float64, error) {
			collect()
			spent := countExpense()
			var err error
			took := alone(func() {
				for range ops {
					var v restRecord
					if v, err = get(); err == nil && v.ID != "42" {
						err = fmt.Errorf("origin: %+v", v)
					}
					if err != nil {
						return
					}
				}
			})
			cpu, allocs, bytes := spent.perOp(ops)
			return []float64{perOp(took, ops), cpu, allocs, bytes, float64(connections.Load())}, err
		},
		Close: func() {
			leave()
			_ = server.Close()
		},
	}, nil
}
