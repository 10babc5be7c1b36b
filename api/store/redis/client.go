package redis

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/freshet-go/freshet/api/store/internal/record"
)

// Client is a connection to Redis that serves the stores of several caches.
type Client struct {
	opts   Options
	option rueidis.ClientOption
	writer string // of this process: it does not hear its own news

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	conn    rueidis.Client
	dialing chan struct{} // closed when the attempt in the air is over
	failed  error         // of the last attempt
	retry   time.Time     // when the next attempt may be made
	stores  map[string]*shared

	corrupt atomic.Int64
}

// Open returns a Client. It does not connect: the first call does, and when Redis
// is away then or later, calls fail and a cache goes on without them. Ask Ping to
// know at start.
func Open(opts Options) (*Client, error) {
	option, err := opts.option()
	if err != nil {
		return nil, err
	}
	option.DisableCache = true
	// The client's own retry may recycle a command that the writer of the broken
	// connection still reads (v1.0.79): call tries again instead.
	option.DisableRetry = true
	ctx, cancel := context.WithCancel(context.Background())
	return &Client{opts: opts, option: option, writer: rand.Text(), ctx: ctx, cancel: cancel, stores: map[string]*shared{}}, nil
}

// Ping asks Redis for an answer.
func (c *Client) Ping(ctx context.Context) error {
	return c.call(ctx, func(ctx context.Context, conn rueidis.Client) error {
		return conn.Do(ctx, conn.B().Ping().Build()).Error()
	})
}

// Store returns the store of the cache of that name: 1 to 128 of a-z, 0-9, dot,
// underscore and hyphen. Two of one name are the same records.
func (c *Client) Store(name string) (*Store, error) {
	if err := record.CheckName("redis", name); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, record.Closed("redis")
	}
	s := c.stores[name]
	if s == nil {
		s = newShared(c, name)
		c.stores[name] = s
		c.work.Go(s.purge)
	}
	return &Store{shared: s}, nil
}

// Close ends the goroutines and the connections; purges under way are left to
// other processes, or to the next one. Closing twice is fine.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closed = true
	conn := c.conn
	c.mu.Unlock()
	c.cancel()
	c.work.Wait()
	if conn != nil {
		conn.Close() // may be closed twice
	}
	return nil
}

// Corrupt is how many records were not readable.
func (c *Client) Corrupt() int64 { return c.corrupt.Load() }

// call runs do with a connection, within the timeout, and words its error.
func (c *Client) call(ctx context.Context, do func(context.Context, rueidis.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	conn, err := c.connect(ctx)
	if err != nil {
		return err
	}
	err = do(ctx, conn)
	for tries := 1; tries < maxTries && broken(err) && ctx.Err() == nil && c.ctx.Err() == nil; tries++ {
		err = do(ctx, conn) // all we do may be done twice
	}
	if err != nil && c.ctx.Err() != nil {
		return record.Closed("redis")
	}
	return wording(err)
}

// maxTries bounds how often a call whose connection broke is made.
const maxTries = 3

// broken says that err is not Redis's word.
func broken(err error) bool {
	if err == nil || rueidis.IsRedisNil(err) {
		return false
	}
	_, spoken := rueidis.IsRedisErr(err)
	return !spoken
}

// connect returns the connection, or makes it. One attempt is made for all who
// ask, and none for a while after one that failed.
func (c *Client) connect(ctx context.Context) (rueidis.Client, error) {
	for {
		c.mu.Lock()
		switch {
		case c.closed:
			c.mu.Unlock()
			return nil, record.Closed("redis")
		case c.conn != nil:
			defer c.mu.Unlock()
			return c.conn, nil
		case c.dialing == nil && time.Now().Before(c.retry):
			defer c.mu.Unlock()
			return nil, c.failed
		case c.dialing == nil:
			c.dialing = make(chan struct{})
			c.work.Go(c.dial)
		}
		dialing := c.dialing
		c.mu.Unlock()
		select {
		case <-dialing:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w yet: %w", ErrUnreachable, ctx.Err())
		}
	}
}

func (c *Client) dial() {
	conn, err := rueidis.NewClient(c.option)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.failed = fmt.Errorf("%w: %w", ErrUnreachable, wording(err))
		c.retry = time.Now().Add(c.opts.RetryEvery)
	} else {
		c.conn = conn
		if c.closed {
			c.conn = nil
			conn.Close()
		}
	}
	close(c.dialing)
	c.dialing = nil
}
