package resilient_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"github.com/failsafe-go/failsafe-go/timeout"
	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/source/resilient"
	"github.com/freshet-go/freshet/api/source/rest"
)

// pen is a Writer whose nth call fails with the nth error.
type pen struct {
	mu    sync.Mutex
	errs  []error
	calls int
}

func (p *pen) next() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	return p.errs[min(p.calls, len(p.errs))-1]
}
func (p *pen) Create(_ context.Context, v string) (string, string, error) { return "k", v, p.next() }
func (p *pen) Update(_ context.Context, _, v string) (string, error)      { return v, p.next() }
func (p *pen) Delete(context.Context, string) error                       { return p.next() }

// A write is never repeated unless somebody asks for it.
func TestWritesAreNotRepeatedByDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pen{errs: []error{&rest.StatusError{Status: 503}}}
		w := resilient.Writer[string](p, resilient.WriteDefaults[string]()...)
		_, _, err := w.Create(bg, "v")
		require.Error(t, err)
		_, err = w.Update(bg, "k", "v")
		require.Error(t, err)
		require.Error(t, w.Delete(bg, "k"))
		require.Equal(t, 3, p.calls)
		require.NotErrorIs(t, err, freshet.ErrUnknown)
		p.errs = []error{nil}
		key, v, err := w.Create(bg, "v")
		require.NoError(t, err)
		require.Equal(t, []string{"k", "v"}, []string{key, v})
		v, err = w.Update(bg, "k", "v")
		require.NoError(t, err)
		require.Equal(t, "v", v)
		require.NoError(t, w.Delete(bg, "k"))
		require.Equal(t, 6, p.calls)
	})
}

// W3: what one try left open no later refusal settles; an open breaker, which
// lets nothing through, leaves nothing open.
func TestW3_AnUnknownTryMakesTheWriteUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conflict := &rest.StatusError{Status: 409}
		again := retrypolicy.NewBuilder[item]().WithMaxRetries(1).ReturnLastFailure().Build()
		for _, first := range []error{fmt.Errorf("gateway: %w", freshet.ErrUnknown), context.DeadlineExceeded} {
			_, err := resilient.Writer[string](&pen{errs: []error{first, conflict}}, again).Update(bg, "k", "v")
			require.ErrorIs(t, err, conflict)
			require.ErrorIs(t, err, freshet.ErrUnknown)
		}
		_, err := resilient.Writer[string](&pen{errs: []error{conflict}}, again).Update(bg, "k", "v")
		require.NotErrorIs(t, err, freshet.ErrUnknown)
		breaker := circuitbreaker.NewWithDefaults[item]()
		breaker.Open()
		_, err = resilient.Writer[string](&pen{errs: []error{nil}}, breaker).Update(bg, "k", "v")
		require.ErrorIs(t, err, circuitbreaker.ErrOpen)
		require.NotErrorIs(t, err, freshet.ErrUnknown)
	})
}

type slow struct{ pen }

func (*slow) Update(ctx context.Context, _, _ string) (string, error) {
	<-ctx.Done()
	return "", errors.New("some text")
}

func TestW3_ATimeoutPolicyLeavesTheOutcomeOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := resilient.Writer[string](&slow{}, timeout.New[item](time.Second)).Update(bg, "k", "v")
		require.ErrorIs(t, err, timeout.ErrExceeded)
		require.ErrorIs(t, err, freshet.ErrUnknown)
	})
}
