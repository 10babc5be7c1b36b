package cbor_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/codec/cbor"
	"github.com/freshet-go/freshet/api/store/memory"
)

type Reading struct {
	Station string    `json:"station"`
	Celsius []float64 `json:"celsius"`
	Raw     []byte    `json:"raw"`
}

// A second tier that keeps its values as CBOR: the second cache finds there what
// the first one read.
func Example() {
	ctx := context.Background()
	store := memory.New(memory.Options{})
	calls := 0
	source := freshet.Func(func(_ context.Context, key string) (Reading, error) {
		calls++
		return Reading{Station: key, Celsius: []float64{18.5, 19, 21.25}, Raw: []byte{0xca, 0xfe}}, nil
	})
	for range 2 {
		cache, err := freshet.New(freshet.Config[Reading]{
			Name: "weather", Source: source, Store: store, Codec: cbor.New[Reading](),
		})
		if err != nil {
			log.Fatal(err)
		}
		r, err := cache.Get(ctx, "Locarno")
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s %v %x, origin calls so far: %d\n", r.Station, r.Celsius, r.Raw, calls)
		if err := cache.Close(ctx); err != nil { // which writes what is owed to the store
			log.Fatal(err)
		}
	}
	// Output:
	// Locarno [18.5 19 21.25] cafe, origin calls so far: 1
	// Locarno [18.5 19 21.25] cafe, origin calls so far: 1
}

// The same value in both encodings.
func ExampleNew() {
	r := Reading{Station: "Locarno", Celsius: []float64{18.5, 19, 21.25}, Raw: make([]byte, 64)}
	compact, err := cbor.New[Reading]().Marshal(r)
	if err != nil {
		log.Fatal(err)
	}
	plain, err := json.Marshal(r)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("CBOR %d bytes, JSON %d bytes\n", len(compact), len(plain))
	// Output: CBOR 108 bytes, JSON 144 bytes
}
