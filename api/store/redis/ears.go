package redis

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/store/internal/usercode"
)

// Invalidation is what other processes erased or replaced.
type Invalidation = freshet.Invalidation

// OnInvalidate implements freshet.Invalidator: a cache on this Store calls it by
// itself, and expires what it is told of.
//
// It has f told of what other processes do to the records of this
// name, until stop is called or the Client is closed. f is called from one
// goroutine, one call at a time; it may take its time, but what comes meanwhile
// beyond 4,096 messages is Lost. A panic or runtime.Goexit of f is logged; f goes on being
// called, next with Lost, as does whoever else listens. After
// stop returned f is not called any more; f itself must not call stop.
//
// It uses one connection of its own for each name. Until the first connection is
// made nothing is heard; Lost is told when it is there. An erased key is told
// whether or not this process holds it. With Options.NoTracking f is never called.
func (s *Store) OnInvalidate(f func(Invalidation)) (stop func()) { return s.shared.ears.add(f) }

// heard is one message: a key of Redis as it came, a key of ours that was
// overtaken by what is of that time, or that messages were lost.
type heard struct {
	key  string
	by   string
	lost bool
}

// ears listen for one name. They begin with the first listener and stay.
type ears struct {
	shared *shared
	heard  chan heard
	lost   atomic.Bool
	begun  atomic.Bool
	// For tell alone: tombstones that were told, and what overtook what was
	// written here.
	erases, overtook map[string]string

	mu        sync.Mutex // held while listeners are told
	next      int
	listeners map[int]*listener
}

// listener is who is told.
type listener struct {
	f      func(Invalidation)
	missed bool // what it was told last, it did not take in
}

func (e *ears) add(f func(Invalidation)) (stop func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.shared.client
	if !e.begun.Load() && !c.opts.NoTracking {
		c.mu.Lock()
		if !c.closed {
			e.listeners = map[int]*listener{}
			e.begun.Store(true)
			c.work.Go(e.listen)
			c.work.Go(e.tell)
		}
		c.mu.Unlock()
	}
	if !e.begun.Load() {
		return func() {}
	}
	id := e.next
	e.next++
	e.listeners[id] = &listener{f: f}
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.listeners, id)
	}
}

// listen holds the tracking connection. rueidis makes it again when a command
// needs it, so it is probed.
func (e *ears) listen() {
	c := e.shared.client
	option := c.option
	option.DisableCache, option.CacheSizeEachConn = false, 1<<16
	option.PipelineMultiplex = -1 // one connection, so that a message comes once
	option.ClientTrackingOptions = []string{
		"PREFIX", e.shared.base + "t:", "PREFIX", e.shared.base + "p:", "PREFIX", e.shared.base + "n:", "BCAST",
	}
	option.OnInvalidations = e.hear
	var conn rueidis.Client
	defer func() {
		if conn != nil {
			conn.Close()
		}
	}()
	ticker := time.NewTicker(listenEvery)
	defer ticker.Stop()
	for listening, warned := false, false; ; {
		var err error
		if conn == nil {
			conn, err = rueidis.NewClient(option)
		}
		if err == nil {
			err = e.probe(conn)
		}
		if c.ctx.Err() != nil {
			return
		}
		if err == nil && !listening {
			e.push(heard{lost: true})
		}
		if err != nil && !warned {
			c.opts.Logger.Warn("freshet: redis: invalidations are not heard for now", "cache", e.shared.name, "error", wording(err))
		}
		listening, warned = err == nil, err != nil
		select {
		case <-c.ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// probe has the connection to the node where the keys are made, and in a cluster
// those to the others: the keys may move there.
func (e *ears) probe(conn rueidis.Client) error {
	ctx, cancel := context.WithTimeout(e.shared.client.ctx, e.shared.client.opts.Timeout)
	defer cancel()
	err := conn.Do(ctx, conn.B().Exists().Key(e.shared.lengths()).Build()).Error()
	if nodes := conn.Nodes(); err == nil && len(nodes) > 1 {
		for _, node := range nodes {
			_ = node.Do(ctx, node.B().Ping().Build()).Error() // one that is down tells nothing
		}
	}
	return err
}

// hear is called by rueidis on the goroutine that reads the connection: it
// must not wait. nil is a lost connection or a flushed database.
func (e *ears) hear(messages []rueidis.RedisMessage) {
	if messages == nil {
		e.push(heard{lost: true})
		return
	}
	for _, m := range messages {
		if key, err := m.ToString(); err == nil {
			e.push(heard{key: key})
		}
	}
}

// overtaken says that a record of key came too late: others erased it since it was
// read, or read something else. They may have told so before it was there to expire.
func (e *ears) overtaken(key, by string) {
	if e.begun.Load() {
		e.push(heard{key: key, by: by})
	}
}

func (e *ears) push(h heard) {
	if h.lost {
		e.lost.Store(true)
	}
	select {
	case e.heard <- h:
	default:
		e.lost.Store(true)
	}
}

// tell looks at what was heard, in batches, and tells the listeners.
func (e *ears) tell() {
	const batch = 256
	c := e.shared.client
	for {
		var batched []heard
		select {
		case <-c.ctx.Done():
			return
		case h := <-e.heard:
			batched = append(batched, h)
		}
	gather:
		for len(batched) < batch {
			select {
			case h := <-e.heard:
				batched = append(batched, h)
			default:
				break gather
			}
		}
		i := Invalidation{Lost: e.lost.Swap(false)}
		if err := e.look(batched, &i); err != nil {
			i.Lost = true // it is not known who did it, so it may be anybody
		}
		if c.ctx.Err() == nil && (i.Lost || len(i.Keys) > 0 || len(i.Prefixes) > 0) {
			e.call(i)
		}
	}
}

// look finds out which of the keys are another process's doing: what this process
// wrote it knows, and what ended by itself is no news.
func (e *ears) look(batched []heard, i *Invalidation) error {
	seen, told := map[string]bool{"": true}, map[string]bool{}
	var asked []string
	for _, h := range batched {
		switch {
		case h.by != "":
			// Once for each that overtakes: where clocks differ it may be in what is
			// the future here, and overtake again what is read again.
			if remember(&e.overtook, h.key, h.by) && !told[h.key] {
				i.Keys = append(i.Keys, h.key)
				told[h.key] = true
			}
		case !seen[h.key] && strings.HasPrefix(h.key, e.shared.base):
			asked = append(asked, h.key)
			seen[h.key] = true
		}
	}
	if len(asked) == 0 {
		return nil
	}
	return e.shared.client.call(e.shared.client.ctx, func(ctx context.Context, conn rueidis.Client) error {
		values, err := conn.Do(ctx, conn.B().Mget().Key(asked...).Build()).ToArray()
		if err != nil {
			return err
		}
		for n, v := range values {
			value, err := v.ToString()
			if err != nil || strings.HasSuffix(value, e.shared.client.writer) {
				continue
			}
			kind, key, _ := strings.Cut(strings.TrimPrefix(asked[n], e.shared.base), ":")
			if kind != "n" && !remember(&e.erases, asked[n], value) {
				continue // only its end was set anew
			}
			switch {
			case kind == "p":
				i.Prefixes = append(i.Prefixes, key)
			case !told[key]:
				i.Keys = append(i.Keys, key)
				told[key] = true
			}
		}
		return nil
	})
}

// remember notes value under key, and says false where that is there already. What
// is noted is bounded: forgetting costs an expiry.
func remember(notes *map[string]string, key, value string) (isNew bool) {
	if (*notes)[key] == value {
		return false
	}
	if *notes == nil || len(*notes) >= maxHeard {
		*notes = map[string]string{}
	}
	(*notes)[key] = value
	return true
}

func (e *ears) call(i Invalidation) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range e.listeners {
		told := i
		told.Lost = told.Lost || l.missed
		why := usercode.Contained(func() { l.f(told) })
		if l.missed = why != ""; l.missed {
			_ = usercode.Contained(func() {
				e.shared.client.opts.Logger.Error("freshet: redis: a listener of invalidations failed", "cache", e.shared.name, "why", why)
			})
		}
	}
}
