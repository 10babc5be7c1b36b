package api_test

import (
	"context"
	"fmt"
	"time"

	freshet "github.com/freshet-go/freshet/api"
)

type User struct{ ID, Name string }

// fetchUser stands for a call of the service that owns the users.
func fetchUser(_ context.Context, id string) (User, error) {
	if id != "42" {
		return User{}, fmt.Errorf("user %s: %w", id, freshet.ErrNotFound)
	}
	return User{ID: id, Name: "Ada"}, nil
}

func Example() {
	ctx := context.Background()
	users, err := freshet.New(freshet.Config[User]{
		Name:   "users",
		Source: freshet.Func(fetchUser), // func(ctx, key) (User, error)
		Freshness: freshet.Freshness{
			TTL:          time.Minute, // fresh for a minute,
			Stale:        time.Hour,   // then served while one refresh flies,
			StaleOnError: 24 * time.Hour,
			Failure:      time.Second, // an origin that is down is asked once a second
			Missing:      10 * time.Second,
		},
		MaxEntries: 100_000,
	})
	if err != nil {
		panic(err)
	}
	defer users.Close(ctx)

	user, err := users.Get(ctx, "42") // one origin call, however many ask
	fmt.Println(user.Name, err)

	_ = users.Invalidate(ctx, "42") // an event said that user 42 changed
	user, err = users.Get(ctx, "42")
	fmt.Println(user.Name, err, users.Stats().Flights)
	// Output:
	// Ada <nil>
	// Ada <nil> 2
}

// One future answers everyone who asks while a flight is in the air.
func ExampleCache_Fetch() {
	ctx := context.Background()
	users, _ := freshet.New(freshet.Config[User]{Name: "users", Source: freshet.Func(fetchUser)})
	defer users.Close(ctx)

	first, second := users.Fetch(ctx, "42"), users.Fetch(ctx, "42")
	user, err := second.Await(ctx)
	fmt.Println(first == second, user.Name, err)
	// Output: true Ada <nil>
}

// A missing record is not a failure: errors.Is tells, and GetMany names it.
func ExampleCache_GetMany() {
	ctx := context.Background()
	users, _ := freshet.New(freshet.Config[User]{Name: "users", Source: freshet.Func(fetchUser)})
	defer users.Close(ctx)

	found, err := users.GetMany(ctx, []string{"42", "43"})
	fmt.Println(len(found), err)
	// Output: 1 freshet: 1 of the keys failed; "43": users/43: user 43: not found
}

// A response can carry tags; whatever carries one is invalidated by it.
func ExampleCache_InvalidateTag() {
	ctx := context.Background()
	users, _ := freshet.New(freshet.Config[User]{Name: "users", Source: freshet.Func(fetchUser)})
	defer users.Close(ctx)

	_ = users.Put(ctx, "42", freshet.Response[User]{Value: User{ID: "42"}, Tags: []string{"team:engines"}})
	n, err := users.InvalidateTag(ctx, "team:engines")
	snapshot, _ := users.Peek("42")
	fmt.Println(n, err, snapshot.State)
	// Output: 1 <nil> Stale
}
