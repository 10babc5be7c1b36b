package storetest

import (
	"context"
	"errors"
	"sync"
	"time"

	freshet "github.com/freshet-go/freshet/api"
)

var lifetimeTests = []test{
	{"CloseTwice", func(p *probe) {
		p.set("key", p.read(1, "v"))
		for range 3 {
			if err := p.Close(); err != nil {
				p.Fatalf("Close: %v", err)
			}
		}
	}},
	{"UseAfterClose", func(p *probe) {
		p.set("key", p.read(1, "v"))
		if err := p.Close(); err != nil {
			p.Fatalf("Close: %v", err)
		}
		for call, err := range p.calls(p.Context(), "key") {
			if !errors.Is(err, freshet.ErrClosed) || errors.Is(err, freshet.ErrNotFound) {
				p.Errorf("%s after Close: %v, want ErrClosed", call, err)
			}
		}
	}},
	{"CloseDuringUse", func(p *probe) {
		var users, used sync.WaitGroup
		closed := make(chan struct{})
		for i := range 4 {
			used.Add(1)
			users.Go(func() {
				used := sync.OnceFunc(used.Done)
				defer used() // a store that fails at once holds nobody
				key := string(rune('a' + i))
				for last := false; !last; used() {
					select {
					case <-closed:
						last = true
					default:
					}
					for call, err := range p.calls(p.Context(), key) {
						if errors.Is(err, freshet.ErrClosed) {
							return
						}
						if err != nil && !errors.Is(err, freshet.ErrNotFound) {
							p.Errorf("%s while Close runs: %v", call, err)
							return
						}
					}
				}
				p.Error("after Close the store answers as before")
			})
		}
		used.Wait()
		var closers sync.WaitGroup
		for range 2 {
			closers.Go(func() {
				if err := p.Close(); err != nil {
					p.Errorf("Close: %v", err)
				}
			})
		}
		closers.Wait()
		close(closed)
		users.Wait()
	}},
	{"AnEndedContext", func(p *probe) {
		p.set("key", p.read(1, "v"))
		gone, cancel := context.WithCancel(p.Context())
		cancel()
		for call, err := range p.calls(gone, "key") {
			if !errors.Is(err, context.Canceled) {
				p.Errorf("%s with a cancelled context: %v", call, err)
			}
		}
		late, cancel := context.WithDeadline(p.Context(), time.Now().Add(-time.Second))
		defer cancel()
		for call, err := range p.calls(late, "key") {
			if !errors.Is(err, context.DeadlineExceeded) {
				p.Errorf("%s after its deadline: %v", call, err)
			}
		}
	}},
}
