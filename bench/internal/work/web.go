package work

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/freshet-go/freshet/bench/internal/pattern"
	"github.com/freshet-go/freshet/bench/internal/peer"
)

// webs go all the way to an origin on the network.
func webs() []Workload {
	return []Workload{{
		Name: "web/loopback",
		About: "64 callers read 200 records (Zipf) of a real HTTP origin on loopback that takes 1 ms, with a TTL of 100 ms " +
			"and, where a cache can, 2 s of stale-while-revalidate. A caller sleeps 1 ms after every 20 reads.",
		Columns: []Column{
			{Name: "reads", Unit: "/s", Better: Higher}, {Name: "p50", Unit: "ns"}, {Name: "p99", Unit: "ns"},
			{Name: "p99.9", Unit: "ns"}, {Name: "requests"}, {Name: "failed", Wrong: true},
		},
		Ops: 300_000, Quick: 40_000, Seconds: 0.6,
		Contenders: of(peer.With(peer.CanExpire), func(p peer.Peer) (Run, error) {
			o, err := startWebOrigin(time.Millisecond)
			if err != nil {
				return Run{}, err
			}
			return Run{
				Do:    func(ops int) ([]float64, error) { return readWeb(p, o, ops) },
				Close: o.stop,
			}, nil
		}),
	}}
}

func readWeb(p peer.Peer, o *webOrigin, ops int) ([]float64, error) {
	const callers, keyCount = 64, 200
	cache, err := p.New(peer.Options{
		Source: o.get, Capacity: 2 * keyCount, TTL: 100 * time.Millisecond, Stale: 2 * time.Second,
	})
	if err != nil {
		return nil, err
	}
	defer cache.Close()
	keys, order := pattern.Keys(keyCount), pattern.ZipfOrder(keyCount, skew)
	requests := o.requests.Load()
	var failed atomic.Int64
	var mu sync.Mutex
	latencies := make([]time.Duration, 0, ops)
	took := crowd(callers, ops, func(from, to int) {
		mine := make([]time.Duration, 0, to-from)
		for i := from; i < to; i++ {
			began := time.Now()
			if _, err := cache.Get(context.Background(), keys[order.At(i)]); err != nil {
				if failed.Add(1) == 1 {
					fmt.Fprintf(os.Stderr, "\nweb/loopback: %s failed after %v: %v\n", p.Name, time.Since(began), err)
				}
			}
			mine = append(mine, time.Since(began))
			if i%20 == 19 {
				time.Sleep(time.Millisecond)
			}
		}
		mu.Lock()
		latencies = append(latencies, mine...)
		mu.Unlock()
	})
	slices.Sort(latencies)
	return []float64{
		float64(ops) / took.Seconds(), quantile(latencies, 0.5), quantile(latencies, 0.99), quantile(latencies, 0.999),
		float64(o.requests.Load() - requests), float64(failed.Load()),
	}, nil
}

// webOrigin is a server of records and the client that its callers share.
type webOrigin struct {
	server   http.Server
	client   http.Client
	base     string
	delay    time.Duration
	requests atomic.Int64
}

type webRecord struct {
	ID      string `json:"id"`
	Version uint64 `json:"version"`
}

func startWebOrigin(delay time.Duration) (*webOrigin, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	o := &webOrigin{base: "http://" + listener.Addr().String() + "/", delay: delay}
	o.client.Transport = &http.Transport{MaxIdleConnsPerHost: 256}
	o.server.Handler = http.HandlerFunc(o.serve)
	go func() { _ = o.server.Serve(listener) }()
	return o, nil
}

func (o *webOrigin) serve(w http.ResponseWriter, r *http.Request) {
	time.Sleep(o.delay)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(webRecord{ID: r.URL.Path[1:], Version: uint64(o.requests.Add(1))})
}

func (o *webOrigin) get(ctx context.Context, key string) (uint64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, o.base+url.PathEscape(key), nil)
	if err != nil {
		return 0, err
	}
	response, err := o.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("origin: %s", response.Status)
	}
	var record webRecord
	err = json.NewDecoder(response.Body).Decode(&record)
	return record.Version, err
}

func (o *webOrigin) stop() {
	o.client.CloseIdleConnections()
	_ = o.server.Close()
}
