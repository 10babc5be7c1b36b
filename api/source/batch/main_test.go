package batch_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/source/batch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	bg     = context.Background()
	errBad = errors.New("bad key")
)

type (
	request  = freshet.Request[string]
	response = freshet.Response[string]
	config   = batch.Config[string]
)

// origin keeps the calls that were made of it.
type origin struct {
	mu    sync.Mutex
	calls [][]string
	f     func(ctx context.Context, keys []string) (map[string]string, error)
}

func (o *origin) fetch(ctx context.Context, rs []request) (map[string]response, error) {
	return batch.Keys(func(ctx context.Context, keys []string) (map[string]string, error) {
		o.mu.Lock()
		o.calls = append(o.calls, keys)
		o.mu.Unlock()
		return o.f(ctx, keys)
	})(ctx, rs)
}

func (o *origin) made() [][]string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.calls)
}

func all(_ context.Context, keys []string) (map[string]string, error) {
	values := make(map[string]string)
	for _, key := range keys {
		values[key] = "v" + key
	}
	return values, nil
}

// failing fails every call that has a key of bad in it.
func failing(bad ...string) func(context.Context, []string) (map[string]string, error) {
	return func(ctx context.Context, keys []string) (map[string]string, error) {
		for _, key := range keys {
			if slices.Contains(bad, key) {
				return nil, fmt.Errorf("%w: %s", errBad, key)
			}
		}
		return all(ctx, keys)
	}
}

func bubble(t *testing.T, o *origin, c config, test func(t *testing.T, s *batch.Source[string])) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c.Fetch = o.fetch
		s, err := batch.New(c)
		require.NoError(t, err)
		defer func() {
			require.NoError(t, s.Close(bg))
			require.NoError(t, s.Close(bg), "twice is fine")
		}()
		test(t, s)
	})
}

type reply struct {
	v    response
	err  error
	at   time.Time
	done chan struct{}
}

func ask(ctx context.Context, s *batch.Source[string], key string) *reply {
	r := &reply{done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.v, r.err = s.Fetch(ctx, request{Key: key})
		r.at = time.Now()
	}()
	synctest.Wait() // so that they come in order
	return r
}

func names(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("%03d", i)
	}
	return keys
}
