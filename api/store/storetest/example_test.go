package storetest_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/freshet-go/freshet/api/store/memory"
	"github.com/freshet-go/freshet/api/store/storetest"
)

// A cache goes on when its store does not: here every second call fails.
func ExampleFaulty() {
	ctx := context.Background()
	store := storetest.Faulty(memory.New(memory.Options{}), func(c storetest.Call) (f storetest.Fault) {
		if c.N%2 == 0 {
			f.Err = errors.New("connection refused")
		}
		return f
	})
	defer store.Close()
	for range 3 {
		_, err := store.Get(ctx, "users/42")
		fmt.Println(err)
	}
	// Output:
	// freshet: not found
	// connection refused
	// freshet: not found
}
