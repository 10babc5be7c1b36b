package streams_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/reactivex/rxgo/v2"

	"github.com/freshet-go/freshet/streams"
)

// prices is a log as a cache has one.
func prices(history int) (log *streams.Log[float64], set func(key string, price float64)) {
	visible := map[string]streams.Event[float64]{}
	log, err := streams.NewLog(streams.LogConfig[float64]{
		Cache: "prices", History: history,
		Scan: func(keys []string, _ string) iter.Seq[streams.Event[float64]] {
			return func(yield func(streams.Event[float64]) bool) {
				for _, key := range []string{"gold", "silver", "tin"} {
					if e, ok := visible[key]; ok && !yield(e) {
						return
					}
				}
			}
		},
	})
	if err != nil {
		panic(err)
	}
	return log, func(key string, price float64) {
		e := streams.Event[float64]{Key: key, Kind: streams.Updated, After: &price}
		log.Append(&e, 8, func(revision uint64) {
			e.Revision, e.Kind = revision, streams.Loaded
			visible[key] = e
		})
	}
}

func Example() {
	log, set := prices(0)
	set("gold", 2400)
	sub, err := log.Subscribe(context.Background(), streams.WithSnapshot())
	if err != nil {
		fmt.Println(err)
		return
	}
	set("silver", 30)
	set("gold", 2401)
	log.Close()
	for e, err := range sub.Events() {
		switch {
		case err != nil:
			fmt.Println("end:", err)
		case e.Kind.Control():
			fmt.Println(e.Kind, "at", e.Revision)
		default:
			fmt.Println(e.Revision, e.Kind, e.Key, *e.After)
		}
	}
	// Output:
	// 3 Loaded gold 2401
	// 2 Loaded silver 30
	// Synced at 1
	// end: freshet: the stream is closed
}

func ExampleSince() {
	log, set := prices(4)
	sub, _ := log.Subscribe(context.Background())
	set("gold", 1)
	e, _ := sub.Next(context.Background())
	token := e.Token()
	sub.Close()

	set("gold", 2)
	sub, err := log.Subscribe(context.Background(), streams.Since(token))
	if err != nil {
		fmt.Println(err)
		return
	}
	e, _ = sub.Next(context.Background())
	fmt.Println("goes on with", *e.After)
	sub.Close()

	for range 5 {
		set("gold", 3)
	}
	_, err = log.Subscribe(context.Background(), streams.Since(token))
	var old *streams.CompactedError
	fmt.Println(errors.Is(err, streams.ErrCompacted), errors.As(err, &old), old.Oldest)
	// Output:
	// goes on with 2
	// true true 4
}

func ExampleOnOverflow() {
	log, set := prices(2)
	sub, _ := log.Subscribe(context.Background(), streams.OnOverflow(streams.DropOldest))
	for price := range 5 {
		set("gold", float64(price))
	}
	for range 3 {
		e, _ := sub.Next(context.Background())
		if e.Kind == streams.Gap {
			fmt.Println("lost", e.From, "to", e.To)
			continue
		}
		fmt.Println(e.Revision, *e.After)
	}
	sub.Close()
	// Output:
	// lost 1 to 3
	// 4 3
	// 5 4
}

func ExampleKeys() {
	log, set := prices(2)
	sub, _ := log.Subscribe(context.Background(), streams.Keys("gold"))
	set("gold", 2400)
	for range 1000 {
		set("tin", 30) // neither wakes nor laps it
	}
	e, err := sub.Next(context.Background())
	fmt.Println(e.Key, *e.After, err)
	sub.Close()
	// Output: gold 2400 <nil>
}

func ExampleMerge() {
	metals, set := prices(0)
	others, setOther := prices(0)
	a, _ := metals.Subscribe(context.Background())
	b, _ := others.Subscribe(context.Background())
	set("gold", 1)
	setOther("tin", 2)
	sum := 0.0
	for e, err := range streams.Take(streams.Merge(a.Events(), b.Events()), 2) {
		if err != nil {
			fmt.Println(err)
		}
		sum += *e.After
	}
	fmt.Println(sum, a.Err(), b.Err())
	// Output: 3 freshet: the stream is closed freshet: the stream is closed
}

func ExampleDebounce() {
	log, set := prices(0)
	sub, _ := log.Subscribe(context.Background())
	for price := range 100 {
		set("gold", float64(price))
	}
	set("tin", 7)
	log.Close()
	for e, err := range streams.Debounce(sub.Events(), time.Minute) {
		if err != nil {
			break // what waited came first
		}
		fmt.Println(e.Key, *e.After)
	}
	// Output:
	// gold 99
	// tin 7
}

func ExampleLatest() {
	log, set := prices(0)
	set("gold", 2400)
	sub, _ := log.Subscribe(context.Background(), streams.WithSnapshot(), streams.OnOverflow(streams.Resync))
	view, err := streams.Latest(sub)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer view.Close()
	if err := view.Wait(context.Background()); err != nil {
		fmt.Println(err)
	}
	fmt.Println(view.Get("gold"))
	// Output: 2400 true
}

func ExampleEach() {
	log, set := prices(0)
	sub, _ := log.Subscribe(context.Background())
	set("gold", 2400)
	err := streams.Each(context.Background(), sub, func(e streams.Event[float64]) error {
		panic("what is " + e.Key)
	})
	fmt.Println(err)
	fmt.Println(sub.Err() == err)
	// Output:
	// freshet: the handler panicked: what is gold
	// true
}

func ExampleLog_Observable() {
	log, set := prices(0)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	dear := log.Observable().
		Filter(func(v any) bool { return *v.(streams.Event[float64]).After > 100 }).
		Map(func(_ context.Context, v any) (any, error) { return v.(streams.Event[float64]).Key, nil })
	set("gold", 2400) // before anybody observes: the cursor is taken where the Observable is made
	set("tin", 30)
	set("silver", 101)
	log.Close()
	for item := range dear.Observe(rxgo.WithContext(ctx)) {
		fmt.Println(item.V, item.E)
	}
	// Output:
	// gold <nil>
	// silver <nil>
	// <nil> freshet: the stream is closed
}
