package batch_test

import (
	"context"
	"fmt"
	"sync"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/source/batch"
)

// Three callers, who know nothing of each other, cost one query.
func Example() {
	ctx := context.Background()
	rows := map[string]string{"1": "Ada", "2": "Bob"}
	source, err := batch.New(batch.Config[string]{
		Fetch: batch.Keys(func(_ context.Context, ids []string) (map[string]string, error) {
			fmt.Println("SELECT of", len(ids), "rows")
			found := make(map[string]string)
			for _, id := range ids {
				if name, ok := rows[id]; ok {
					found[id] = name
				}
			}
			return found, nil
		}),
		Max:             3, // and so without waiting for the window
		Window:          1 << 40,
		AbsentIsMissing: true,
	})
	if err != nil {
		panic(err)
	}
	users, err := freshet.New(freshet.Config[string]{Name: "users", Source: source})
	if err != nil {
		panic(err)
	}
	var callers sync.WaitGroup
	for _, id := range []string{"1", "2", "3"} {
		callers.Go(func() { _, _ = users.Get(ctx, id) })
	}
	callers.Wait()
	for _, id := range []string{"1", "2", "3"} {
		s, _ := users.Peek(id)
		fmt.Println(id, s.State, s.Value)
	}
	_ = users.Close(ctx)
	_ = source.Close(ctx)
	// Output:
	// SELECT of 3 rows
	// 1 Fresh Ada
	// 2 Fresh Bob
	// 3 Missing
}
