package batch

import (
	"context"
	"sync"

	freshet "github.com/freshet-go/freshet/api"
)

// FetchMany calls for rs at once, in calls of at most Config.Max keys, side by
// side. What failed is named in a *ManyError; what an answer leaves out is left
// out here too, unless Config.AbsentIsMissing.
func (s *Source[V]) FetchMany(ctx context.Context, rs []freshet.Request[V]) (map[string]freshet.Response[V], error) {
	s.mu.Lock()
	if s.life.Err() != nil {
		s.mu.Unlock()
		return nil, freshet.ErrClosed
	}
	s.calls.Add(1)
	s.mu.Unlock()
	defer s.calls.Done()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.life, func() { cancel(freshet.ErrClosed) })()

	var (
		mu    sync.Mutex
		found = make(map[string]freshet.Response[V], len(rs))
		errs  = make(map[string]error)
		side  sync.WaitGroup
	)
	chunk := func(rs []freshet.Request[V]) {
		told := make(map[string]bool, len(rs))
		tell := func(key string, r freshet.Response[V], err error) {
			mu.Lock()
			defer mu.Unlock()
			told[key] = true
			if err != nil {
				errs[key] = err
			} else {
				found[key] = r
			}
		}
		returned := false
		defer func() {
			if returned {
				return
			}
			err := caught(recover())
			for _, r := range rs {
				if !told[r.Key] {
					tell(r.Key, freshet.Response[V]{}, err)
				}
			}
		}()
		i := &inquiry[V]{config: &s.config, ctx: ctx, tell: tell, extra: s.config.Extra,
			wanted: func(rs []freshet.Request[V]) []freshet.Request[V] { return rs }}
		i.ask(rs)
		returned = true
	}
	rs = unique(rs)
	for len(rs) > 0 {
		n := min(len(rs), s.config.Max)
		part := rs[:n:n]
		rs = rs[n:]
		side.Go(func() { chunk(part) }) // also where it is the only one: a Goexit ends a goroutine
	}
	side.Wait()
	if len(errs) > 0 {
		return found, &freshet.ManyError{Errs: errs}
	}
	return found, nil
}

// unique is rs without repeated keys.
func unique[V any](rs []freshet.Request[V]) []freshet.Request[V] {
	seen := make(map[string]bool, len(rs))
	kept := make([]freshet.Request[V], 0, len(rs))
	for _, r := range rs {
		if !seen[r.Key] {
			seen[r.Key] = true
			kept = append(kept, r)
		}
	}
	return kept
}
