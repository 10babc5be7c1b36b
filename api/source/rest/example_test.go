package rest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/source/rest"
)

func Example() {
	ctx := context.Background()
	// Stands for the service that owns the users.
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Etag", `"v1"`)
		if r.Header.Get("If-None-Match") == `"v1"` {
			fmt.Println("304 to", r.Header.Get("Authorization"))
			w.WriteHeader(http.StatusNotModified)
			return
		}
		fmt.Println("200 to", r.Header.Get("Authorization"))
		fmt.Fprint(w, `{"id":"42","name":"Ada"}`)
	}))
	defer service.Close()

	origin, err := rest.New(rest.Config[User]{
		Base: service.URL,
		Item: "/users/{key}",
		Prepare: func(_ context.Context, r *http.Request) error {
			r.Header.Set("Authorization", "this service")
			return nil
		},
	})
	if err != nil {
		panic(err)
	}
	defer origin.Close()
	users, err := freshet.New(freshet.Config[User]{Name: "users", Source: origin})
	if err != nil {
		panic(err)
	}
	defer users.Close(ctx)

	for range 2 { // the second is a hit: max-age
		user, err := users.Get(ctx, "42")
		fmt.Println(user.Name, err)
	}
	_ = users.Invalidate(ctx, "42")
	user, err := users.Get(ctx, "42") // asked again, with the ETag
	fmt.Println(user.Name, err)
	// Output:
	// 200 to this service
	// Ada <nil>
	// Ada <nil>
	// 304 to this service
	// Ada <nil>
}

// Keys that hold a namespace, a query and an identity.
func ExampleKey() {
	key := rest.Key{
		Namespace: "users", ID: "a/b",
		Query:    url.Values{"lang": {"de"}, "fields": {"name", "mail"}},
		Identity: rest.Digest(http.Header{"Authorization": {"Bearer sesame"}}, "Authorization"),
	}
	fmt.Println(key)
	// Output: users/a%2Fb?fields=name&fields=mail&lang=de#1b1aa02710b7cb60f285c768a9e14cc7
}

// A mutation whose commit sends only what it changes.
func ExampleOrigin_Patch() {
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := make([]byte, r.ContentLength)
		_, _ = r.Body.Read(body)
		fmt.Println(r.Method, string(body))
		fmt.Fprint(w, `{"id":"42","name":"Ada"}`)
	}))
	defer service.Close()
	origin, _ := rest.New(rest.Config[User]{Base: service.URL, Item: "/users/{key}"})
	defer origin.Close()

	commit := func(ctx context.Context, optimistic User) (User, error) { // a Mutation's Commit
		return origin.Patch(ctx, "42", map[string]string{"name": optimistic.Name})
	}
	user, err := commit(context.Background(), User{Name: "Ada"})
	fmt.Println(user, err)
	// Output:
	// PATCH {"name":"Ada"}
	// {42 Ada} <nil>
}
