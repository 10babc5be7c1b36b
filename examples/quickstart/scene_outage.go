package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/examples/internal/show"
)

// outage: the origin goes down, the cache carries on with what it has, and the
// origin comes back with news.
type outage struct {
	before, during, after []look
	strict                error // of a reload meanwhile
	unheard               error // of a key that was never read
	refused               int   // answers that the origin gave while it was down
}

// look is one read of one record.
type look struct {
	key      string
	snapshot freshet.Snapshot[Airport]
	err      error
}

var outageKeys = []string{"LPB", "NBO", "SYD"}

const unheardKey = "YYZ"

func (*outage) title() string { return "The origin goes down" }

func (o *outage) play(ctx context.Context, st *stage) (err error) {
	st.scr.Story("%d records are read; they are fresh for %g s, and if the origin fails they may serve for %g s more. "+
		"Then its server is closed.", len(outageKeys), ttl.Seconds(), staleOnError.Seconds())
	latencies := make([]time.Duration, 16)
	for i := range latencies {
		latencies[i] = st.uneven(20*time.Millisecond, 120*time.Millisecond)
	}
	st.origin.answerAfter(func(_ string, nth int) time.Duration { return latencies[nth%len(latencies)] })

	if o.before, err = o.read(ctx, st, "up"); err != nil {
		return err
	}
	if err := st.origin.down(); err != nil {
		return err
	}
	for _, key := range outageKeys {
		st.origin.edit(key) // news that nobody can read yet
	}
	asked := st.origin.allRequests()
	if err := o.grownStale(ctx, st); err != nil {
		return err
	}
	if o.during, err = o.read(ctx, st, "down"); err != nil {
		return err
	}
	_, o.strict = st.polite.cache.Get(ctx, outageKeys[0], freshet.ForceReload())
	st.scr.Text("   down   %s  by ForceReload: error, %s", outageKeys[0], reason(o.strict))
	_, o.unheard = st.polite.cache.Get(ctx, unheardKey)
	st.scr.Text("   down   %s  never read before: error, %s", unheardKey, reason(o.unheard))
	o.refused = st.origin.allRequests() - asked

	if err := st.origin.up(); err != nil {
		return err
	}
	o.after, err = o.read(ctx, st, "up")
	return err
}

// grownStale waits until the records are past their TTL.
func (o *outage) grownStale(ctx context.Context, st *stage) error {
	defer st.scr.Wait(func() string { return "the origin is down; waiting for the records to grow stale" }, nil)()
	return until(ctx, func() bool {
		for _, key := range outageKeys {
			if s, _ := st.polite.cache.Peek(key); s.State == freshet.Fresh {
				return false
			}
		}
		return true
	})
}

// read reads every record and prints how that went.
func (o *outage) read(ctx context.Context, st *stage, origin string) ([]look, error) {
	looks := make([]look, len(outageKeys))
	for i, key := range outageKeys {
		snapshot, err := st.polite.cache.Lookup(ctx, key)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		looks[i] = look{key, snapshot, err}
		state := st.scr.Paint(show.Green, fmt.Sprintf("%-5v", snapshot.State))
		if snapshot.State != freshet.Fresh {
			state = st.scr.Paint(show.Red, fmt.Sprintf("%-5v", snapshot.State))
		}
		line := fmt.Sprintf("%-5s  %s  edition %d  %s  %s", origin, key, snapshot.Value.Edition, state, snapshot.Value.City)
		if snapshot.Err != nil {
			line = fmt.Sprintf("%s (refresh failed: %s)", line, reason(snapshot.Err))
		}
		st.scr.Text("   %s", line)
	}
	return looks, nil
}

// reason is the innermost error: what it all came from.
func reason(err error) string {
	if err == nil {
		return "no error"
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

func (o *outage) claims() []show.Claim {
	return []show.Claim{
		show.Claimed(all(o.before, func(l look) bool { return l.snapshot.State == freshet.Fresh && l.snapshot.Value.Edition == 1 }),
			"while the origin was up its records were fresh", "%v", o.before),
		show.Claimed(o.refused == 0 && all(o.during, func(l look) bool {
			return l.snapshot.State == freshet.Stale && l.snapshot.Value.Edition == 1 && unreachable(l.snapshot.Err)
		}), "while it was down the old records went on serving, without an error", "%v", o.during),
		show.Claimed(unreachable(o.strict) && unreachable(o.unheard),
			"who cannot be served with an old record is told what is wrong", "%v; %v", o.strict, o.unheard),
		show.Claimed(all(o.after, func(l look) bool {
			return l.snapshot.State == freshet.Fresh && l.snapshot.Value.Edition == 2 && l.snapshot.Err == nil
		}), "once it was back the next read brought the news", "%v", o.after),
	}
}

// all says whether every record was read, without an error, and is as wanted.
func all(looks []look, wanted func(look) bool) bool {
	for _, l := range looks {
		if l.err != nil || l.snapshot.Value.IATA != l.key || !wanted(l) {
			return false
		}
	}
	return len(looks) == len(outageKeys)
}

// unreachable says whether err is a flight's that could not reach the origin.
func unreachable(err error) bool {
	var flight *freshet.FetchError
	var network *net.OpError
	return errors.As(err, &flight) && errors.As(err, &network)
}
