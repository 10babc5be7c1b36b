package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/store/internal/record"
)

// Store is the freshet.Store of one cache in a Client.
type Store struct {
	shared *shared
	closed atomic.Bool
}

var _ freshet.Invalidator = (*Store)(nil)

// shared is what the Stores of one name have in common.
type shared struct {
	client *Client
	name   string
	base   string // of all keys
	purges chan purge
	ears   *ears
}

func newShared(c *Client, name string) *shared {
	s := &shared{client: c, name: name, base: c.opts.Namespace + ":{" + name + "}:", purges: make(chan purge, maxPurges)}
	s.ears = &ears{shared: s, heard: make(chan heard, maxHeard)}
	return s
}

func (s *shared) record(key string) string    { return s.base + "r:" + key }
func (s *shared) tombstone(key string) string { return s.base + "t:" + key }
func (s *shared) news(key string) string      { return s.base + "n:" + key }
func (s *shared) prefixes() string            { return s.base + "p:" }
func (s *shared) lengths() string             { return s.base + "l" }
func (s *shared) queue() string               { return s.base + "q" }

// Get implements freshet.Store. A record that is not readable is ErrNotFound
// and reported.
func (s *Store) Get(ctx context.Context, key string) (freshet.Record, error) {
	var raw []byte
	err := s.call(ctx, "read", key, record.CheckKey("redis", key), func(ctx context.Context, conn rueidis.Client) (err error) {
		raw, err = getScript.Exec(ctx, conn, []string{s.shared.record(key), s.shared.lengths()},
			[]string{s.shared.prefixes(), key}).AsBytes()
		return err
	})
	if err != nil {
		return freshet.Record{}, err
	}
	e, err := record.Decode(key, raw)
	if err != nil {
		s.shared.report(key, err)
		return freshet.Record{}, freshet.ErrNotFound
	}
	r, ok := e.Live(s.shared.client.opts.Now())
	if !ok {
		return freshet.Record{}, freshet.ErrNotFound
	}
	return record.Clone(r), nil
}

// Set implements freshet.Store. A record that has expired already takes the
// place of an older one, for a millisecond.
func (s *Store) Set(ctx context.Context, key string, r freshet.Record) error {
	bad := record.CheckKey("redis", key)
	var raw []byte
	lives := "0"
	if bad == nil {
		raw = record.Encode(key, record.Entry{Record: &r})
		if limit := s.shared.client.opts.MaxRecord; len(raw) > limit {
			bad = fmt.Errorf("freshet: redis: %s: cannot write %.200q: %w: %d bytes, and %d is the most",
				s.shared.name, key, ErrTooLarge, len(raw), limit)
		}
		if !r.ExpiresAt.IsZero() {
			lives = millis(r.ExpiresAt.Sub(s.shared.client.opts.Now()))
		}
	}
	content := len(raw) - len(r.Content())
	return s.call(ctx, "write", key, bad, func(ctx context.Context, conn rueidis.Client) error {
		by, err := setScript.Exec(ctx, conn,
			[]string{s.shared.record(key), s.shared.lengths(), s.shared.tombstone(key), s.shared.news(key)},
			[]string{s.shared.prefixes(), key, rueidis.BinaryString(raw), lives, s.shared.client.writer, millis(newsLive),
				strconv.Itoa(len(raw) - len(r.Value) + 1), strconv.Itoa(content)}).ToString()
		switch {
		case rueidis.IsRedisNil(err):
			return nil
		case err == nil:
			s.shared.ears.overtaken(key, by)
		}
		return err
	})
}

// Delete implements freshet.Store.
func (s *Store) Delete(ctx context.Context, key string, at time.Time) error {
	return s.call(ctx, "erase", key, record.CheckKey("redis", key), func(ctx context.Context, conn rueidis.Client) error {
		return deleteScript.Exec(ctx, conn, []string{s.shared.record(key), s.shared.tombstone(key)},
			[]string{string(record.AppendTime(nil, at)), millis(s.shared.client.opts.Tombstones), s.shared.client.writer}).Error()
	})
}

// DeletePrefix implements freshet.Store; the empty prefix is every key.
func (s *Store) DeletePrefix(ctx context.Context, prefix string, at time.Time) error {
	return s.call(ctx, "erase", prefix, record.CheckPrefix("redis", prefix), func(ctx context.Context, conn rueidis.Client) error {
		answer, err := deletePrefixScript.Exec(ctx, conn, []string{s.shared.lengths(), s.shared.queue()},
			[]string{s.shared.prefixes(), prefix, string(record.AppendTime(nil, at)), millis(s.shared.client.opts.Tombstones),
				s.shared.client.writer, strconv.Itoa(maxLengths)}).AsStrSlice()
		if err != nil {
			return err
		}
		select {
		case s.shared.purges <- purge{prefix: answer[0], at: answer[1]}:
		default: // it is in the queue in Redis and will be claimed
		}
		return nil
	})
}

// Close implements freshet.Store: this Store answers no more. The connection
// stays open for others until Client.Close.
func (s *Store) Close() error {
	s.closed.Store(true)
	return nil
}

func (s *Store) call(ctx context.Context, verb, key string, bad error, do func(context.Context, rueidis.Client) error) error {
	switch {
	case bad != nil:
		return bad
	case s.closed.Load():
		return record.Closed("redis")
	}
	err := ctx.Err()
	if err == nil {
		err = s.shared.client.call(ctx, do)
	}
	switch {
	case err == nil:
		return nil
	case rueidis.IsRedisNil(err):
		return freshet.ErrNotFound
	case errors.Is(err, freshet.ErrClosed):
		return err
	}
	return fmt.Errorf("freshet: redis: %s: cannot %s %.200q: %w", s.shared.name, verb, key, err)
}

// millis is d in whole milliseconds, rounded up: never 0, which would be for
// ever.
func millis(d time.Duration) string {
	return strconv.FormatInt(max(1, int64((d+time.Millisecond-1)/time.Millisecond)), 10)
}

func (s *shared) report(key string, err error) {
	c := s.client
	if n := c.corrupt.Add(1); n%1000 == 1 {
		c.opts.Logger.Warn("freshet: redis: a record is not readable and counts as a miss",
			"cache", s.name, "key", key, "error", err, "times", n)
	}
	if c.opts.OnCorrupt != nil {
		c.opts.OnCorrupt(s.name, key, err)
	}
}
