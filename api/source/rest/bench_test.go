package rest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	freshet "github.com/freshet-go/freshet/api"
)

// What the source adds to a bare request of net/http, per request.
func BenchmarkFetch(b *testing.B) {
	s := serve(b, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("Etag", `"v1"`)
		_, _ = io.WriteString(w, `{"id":"42","name":"Ada"}`)
	})
	b.Run("net-http", func(b *testing.B) {
		b.ReportAllocs()
		client := s.Client()
		for b.Loop() {
			r, err := client.Get(s.URL + "/users/42")
			if err != nil {
				b.Fatal(err)
			}
			data, err := io.ReadAll(r.Body)
			_ = r.Body.Close()
			var u User
			if err != nil || json.Unmarshal(data, &u) != nil || r.StatusCode != http.StatusOK {
				b.Fatal(err)
			}
		}
		client.CloseIdleConnections()
	})
	b.Run("source", func(b *testing.B) {
		b.ReportAllocs()
		o := origin(b, s, config{})
		for b.Loop() {
			if _, err := o.Fetch(bg, freshet.Request[User]{Key: "42"}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
