package redis

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// purge is the space of an erased prefix to reclaim: records read at or before at
// (12 bytes).
type purge struct{ prefix, at string }

// purge reclaims what this process erased, and what others erased and did not get
// to.
func (s *shared) purge() {
	ticker := time.NewTicker(claimAfter)
	defer ticker.Stop()
	for {
		select {
		case <-s.client.ctx.Done():
			return
		case p := <-s.purges:
			s.attempt(func(ctx context.Context, conn rueidis.Client) error { return s.purgeOne(ctx, conn, p) })
		case <-ticker.C:
			s.attempt(func(ctx context.Context, conn rueidis.Client) error { return s.claim(ctx, conn, claimAfter) })
		}
	}
}

// attempt leaves what fails in the queue in Redis, where it is claimed later.
func (s *shared) attempt(do func(context.Context, rueidis.Client) error) {
	conn, err := s.client.connect(s.client.ctx)
	if err == nil {
		err = do(s.client.ctx, conn)
	}
	if err != nil && s.client.ctx.Err() == nil {
		s.client.opts.Logger.Warn("freshet: redis: space of an erased prefix is reclaimed later", "cache", s.name, "error", wording(err))
	}
}

func (s *shared) claim(ctx context.Context, conn rueidis.Client, after time.Duration) error {
	const most = 16
	var pairs []string
	err := s.step(ctx, func(ctx context.Context) (err error) {
		pairs, err = claimScript.Exec(ctx, conn, []string{s.queue()},
			[]string{strconv.FormatInt(after.Milliseconds(), 10), strconv.Itoa(most), s.prefixes()}).AsStrSlice()
		return err
	})
	for i := 0; err == nil && i+1 < len(pairs); i += 2 {
		err = s.purgeOne(ctx, conn, purge{prefix: pairs[i], at: pairs[i+1]})
	}
	return err
}

// purgeOne goes over the keys of every node, purgeStep at a time, and then lets
// the tombstone age.
func (s *shared) purgeOne(ctx context.Context, conn rueidis.Client, p purge) error {
	match, heard := glob.Replace(s.record(p.prefix))+"*", time.Now()
	for _, node := range conn.Nodes() {
		for cursor, first := uint64(0), true; first || cursor != 0; first = false {
			err := s.step(ctx, func(ctx context.Context) error {
				page, err := node.Do(ctx, node.B().Scan().Cursor(cursor).Match(match).Count(purgeStep).Build()).AsScanEntry()
				cursor = page.Cursor
				if err != nil || len(page.Elements) == 0 {
					return err
				}
				return purgeScript.Exec(ctx, conn, page.Elements, []string{p.at}).Error()
			})
			if err == nil && time.Since(heard) > claimAfter/4 {
				heard = time.Now()
				err = s.step(ctx, func(ctx context.Context) error {
					return renewScript.Exec(ctx, conn, []string{s.queue()}, []string{p.prefix}).Error()
				})
			}
			if err != nil {
				return err
			}
		}
	}
	return s.step(ctx, func(ctx context.Context) error {
		return purgedScript.Exec(ctx, conn, []string{s.lengths(), s.queue()},
			[]string{s.prefixes(), p.prefix, p.at, millis(s.client.opts.Tombstones)}).Error()
	})
}

// step bounds one step of a purge; a purge as a whole takes what it takes.
func (s *shared) step(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.client.opts.Timeout)
	defer cancel()
	return do(ctx)
}

// glob escapes what SCAN's MATCH would read as a pattern.
var glob = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`, `^`, `\^`)
