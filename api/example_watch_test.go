package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/streams"
)

// changes serves the changes of a cache as server-sent events. A browser that
// lost its connection comes back with the last id that it saw, and goes on there;
// where that is too long ago a Gap tells it to drop what it has, for the snapshot
// that follows does not say what was deleted meanwhile.
//
// NOTE: http.Server.Shutdown waits for such a request and does not end it. Give
// the server a BaseContext, and its RegisterOnShutdown what cancels that.
func changes(users *freshet.Cache[User]) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		from := streams.WithSnapshot()
		if last := r.Header.Get("Last-Event-ID"); last != "" {
			from = streams.Since(streams.Token(last))
		}
		sub, err := users.Watch(r.Context(), from)
		lost := false
		switch {
		case errors.Is(err, streams.ErrCompacted), // it was away for longer than Config.History goes back,
			errors.Is(err, streams.ErrEpoch), errors.Is(err, streams.ErrFuture), // or this process is a new one,
			errors.Is(err, streams.ErrToken): // or the id is none of ours
			lost = true
			sub, err = users.Watch(r.Context(), streams.WithSnapshot())
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		defer sub.Close()
		w.Header().Set("Content-Type", "text/event-stream")
		if lost {
			_, _ = fmt.Fprintf(w, "id:\nevent: %s\ndata: null\n\n", streams.Gap)
		}
		_ = http.NewResponseController(w).Flush() // or the browser waits for the first event to be connected
		for e, err := range sub.Events() {
			if err != nil {
				return // it left, or it was too slow (ErrLagged): it comes back
			}
			data, _ := json.Marshal(map[string]any{"key": e.Key, "value": e.After}) // null: it is gone
			// Before Synced the token is empty: who leaves then begins anew.
			_, _ = fmt.Fprintf(w, "id: %s\nevent: %s\ndata: %s\n\n", e.Token(), e.Kind, data)
			_ = http.NewResponseController(w).Flush()
		}
	}
}

// Watch as server-sent events that a browser can resume.
func ExampleCache_Watch() {
	ctx := context.Background()
	users, _ := freshet.New(freshet.Config[User]{Name: "users", Source: freshet.Func(fetchUser)})
	defer users.Close(ctx)
	server := httptest.NewServer(changes(users))
	defer server.Close()

	// listen prints so many events, and returns the last one's id.
	listen := func(events int, last string) string {
		r, _ := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
		if last != "" {
			r.Header.Set("Last-Event-ID", last)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return err.Error()
		}
		defer answer.Body.Close()
		for lines := bufio.NewScanner(answer.Body); events > 0 && lines.Scan(); {
			field, value, _ := strings.Cut(lines.Text(), ": ")
			switch field {
			case "id":
				last = value
			case "event":
				fmt.Print(value, " ")
			case "data":
				fmt.Println(value)
				events--
			}
		}
		return last
	}

	_, _ = users.Get(ctx, "42")
	last := listen(2, "")
	_ = users.Set(ctx, "42", User{ID: "42", Name: "Grace"}) // while nobody listens
	_ = users.Invalidate(ctx, "42")
	listen(2, last)
	fmt.Println("-- and with an id of a process that is gone")
	listen(3, strings.Repeat("A", len(last)))
	// Output:
	// Loaded {"key":"42","value":{"ID":"42","Name":"Ada"}}
	// Synced {"key":"","value":null}
	// Updated {"key":"42","value":{"ID":"42","Name":"Grace"}}
	// Invalidated {"key":"42","value":{"ID":"42","Name":"Grace"}}
	// -- and with an id of a process that is gone
	// Gap null
	// Loaded {"key":"42","value":{"ID":"42","Name":"Grace"}}
	// Synced {"key":"","value":null}
}
