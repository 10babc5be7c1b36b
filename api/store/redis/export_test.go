package redis

import (
	"context"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/freshet-go/freshet/api/store/internal/record"
)

// Prepare is DeletePrefix of a process that dies before its purge.
func (s *Store) Prepare(ctx context.Context, prefix string, at time.Time) error {
	return s.shared.client.call(ctx, func(ctx context.Context, conn rueidis.Client) error {
		return deletePrefixScript.Exec(ctx, conn, []string{s.shared.lengths(), s.shared.queue()},
			[]string{s.shared.prefixes(), prefix, string(record.AppendTime(nil, at)), millis(s.shared.client.opts.Tombstones),
				s.shared.client.writer, strconv.Itoa(maxLengths)}).Error()
	})
}

// Claim takes over every purge that is in the queue.
func (s *Store) Claim(ctx context.Context) error {
	return s.shared.client.call(ctx, func(ctx context.Context, conn rueidis.Client) error {
		if err := renewScript.Exec(ctx, conn, []string{s.shared.queue()}, []string{"not there"}).Error(); err != nil {
			return err // it must not queue what is not queued
		}
		return s.shared.claim(ctx, conn, 0)
	})
}
