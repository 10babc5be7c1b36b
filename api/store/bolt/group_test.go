package bolt_test

import (
	"errors"
	"sync"
)

// group runs many at once and collects what failed.
type group struct {
	sync.WaitGroup
	mu   sync.Mutex
	errs []error
}

func newGroup() *group { return &group{} }

func (g *group) Go(do func() error) {
	g.WaitGroup.Go(func() {
		if err := do(); err != nil {
			g.mu.Lock()
			g.errs = append(g.errs, err)
			g.mu.Unlock()
		}
	})
}

func (g *group) Wait() error {
	g.WaitGroup.Wait()
	return errors.Join(g.errs...)
}
