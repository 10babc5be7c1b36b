package bolt_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/store/bolt"
)

// What was known is known after a restart, with its true age.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "freshet")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "cache.db")

	db, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		panic(err)
	}
	users, err := db.Store("users")
	if err != nil {
		panic(err)
	}
	readAt := time.Now().Add(-time.Minute)
	_ = users.Set(ctx, "42", freshet.Record{Value: []byte("Ada"), ReadAt: readAt, Validator: `"v1"`})
	_ = db.Close()

	db, err = bolt.Open(path, bolt.Options{})
	if err != nil {
		panic(err)
	}
	defer db.Close()
	users, err = db.Store("users")
	if err != nil {
		panic(err)
	}
	r, err := users.Get(ctx, "42")
	fmt.Println(string(r.Value), r.Validator, r.ReadAt.Equal(readAt), err)
	// Output: Ada "v1" true <nil>
}
