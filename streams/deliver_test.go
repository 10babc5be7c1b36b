package streams_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/reactivex/rxgo/v2"

	"github.com/freshet-go/freshet/streams"
)

var deliverTo = []int{1, 10, 100}

// BenchmarkDeliver is one writer and n readers, each of which gets every event; one op is one delivery.
func BenchmarkDeliver(b *testing.B) {
	for _, n := range deliverTo {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			l := newLog(b, streams.LogConfig[int]{Cache: "bench", History: 1 << 14})
			per := b.N/n + 1
			var wg sync.WaitGroup
			for range n {
				s, err := l.Subscribe(context.Background())
				if err != nil {
					b.Fatal(err)
				}
				wg.Add(1)
				go func() {
					defer wg.Done()
					got := 0
					for _, err := range s.Events() {
						if err != nil {
							b.Error(err)
							return
						}
						if got++; got == per {
							return
						}
					}
				}()
			}
			e := streams.Event[int]{Key: "k", Kind: streams.Updated}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range per {
				l.Append(&e, 1, nil)
				if i%4096 == 0 { // nobody is to be lapped: the work is to be the same as the other's
					for l.Stats().Lag > 1<<13 {
						runtime.Gosched()
					}
				}
			}
			wg.Wait()
		})
	}
}

// BenchmarkDeliverRxgo is the same work on rxgo's own hot source.
func BenchmarkDeliverRxgo(b *testing.B) {
	for _, n := range deliverTo {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			src := make(chan rxgo.Item)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			obs := rxgo.FromEventSource(src, rxgo.WithContext(ctx))
			per := b.N/n + 1
			var wg sync.WaitGroup
			for range n {
				ch := obs.Observe()
				wg.Add(1)
				go func() {
					defer wg.Done()
					got := 0
					for range ch {
						if got++; got == per {
							return
						}
					}
				}()
			}
			item := rxgo.Of(streams.Event[int]{Key: "k", Kind: streams.Updated})
			b.ReportAllocs()
			b.ResetTimer()
			for range per {
				src <- item
			}
			wg.Wait()
		})
	}
}

// BenchmarkDeliverRx is the same work through the rx face.
func BenchmarkDeliverRx(b *testing.B) {
	for _, n := range deliverTo {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			l := newLog(b, streams.LogConfig[int]{Cache: "bench", History: 1 << 14})
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			per := b.N/n + 1
			var wg sync.WaitGroup
			for range n {
				ch := l.Observable().Observe(rxgo.WithContext(ctx))
				wg.Go(func() {
					got := 0
					for item := range ch {
						if item.E != nil {
							b.Error(item.E)
							return
						}
						if got++; got == per {
							return
						}
					}
				})
			}
			for l.Stats().Subscriptions < n {
				runtime.Gosched()
			}
			e := streams.Event[int]{Key: "k", Kind: streams.Updated}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range per {
				l.Append(&e, 1, nil)
				if i%4096 == 0 {
					for l.Stats().Lag > 1<<13 {
						runtime.Gosched()
					}
				}
			}
			wg.Wait()
		})
	}
}
