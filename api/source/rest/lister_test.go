package rest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/source/rest"
)

func TestListReadsAnArrayOrAnEnvelope(t *testing.T) {
	var body, asked string
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.RequestURI + r.Header.Get("Authorization")
		_, _ = io.WriteString(w, body)
	})
	array := `[{"id":"2","name":"b"},{"id":"1","name":"a"}]`
	want := []freshet.Item[User]{{Key: "2", Value: User{ID: "2", Name: "b"}}, {Key: "1", Value: User{ID: "1", Name: "a"}}}
	for envelope, text := range map[string]string{"": array, "items": `{"items":` + array + `}`, "data.users": `{"data":{"users":` + array + `}}`} {
		body = text
		items, err := origin(t, s, config{KeyOf: idOf, Envelope: envelope}).List(bg, "team=7&sort=name")
		require.NoError(t, err)
		require.Equal(t, want, items)
		require.Equal(t, "/users?sort=name&team=7", asked)
	}
	body = "[]"
	items, err := origin(t, s, config{KeyOf: idOf}).List(bg, "")
	require.NoError(t, err)
	require.NotNil(t, items)
	require.Empty(t, items)

	body = array
	o := origin(t, s, config{KeyOf: idOf, Composite: true, Item: "/{namespace}/{key}", Identity: rest.FromContext})
	query := rest.Key{Namespace: "users", Query: url.Values{"team": {"7"}}, Identity: "ada"}.String()
	items, err = o.List(rest.WithIdentity(bg, "ada", http.Header{"Authorization": {"sesame"}}), query)
	require.NoError(t, err)
	require.Equal(t, "/users?team=7sesame", asked)
	require.Equal(t, "users/2#ada", items[0].Key)
	_, err = o.List(context.Background(), query)
	require.ErrorIs(t, err, rest.ErrIdentity)

	for text, why := range map[string]string{
		"": "empty", "null": "null", `{"items":[]}`: "no array", "<html>": "HTML", `[{"id":"1"}`: "breaks off", `[{"id":"1"}]]`: "not JSON",
		`[{"id":"1"},{"id":"1"}]`: "the key of another", `[{"id":""}]`: "no key", `[null]`: "null", `[7]`: "record 0",
	} {
		body = text
		_, err := origin(t, s, config{KeyOf: idOf}).List(bg, "")
		require.ErrorContains(t, err, why, text)
	}
	body = `{"data":{"users":null}}`
	for _, envelope := range []string{"items", "data", "data.users"} {
		_, err := origin(t, s, config{KeyOf: idOf, Envelope: envelope}).List(bg, "")
		require.Error(t, err, envelope)
	}
	_, err = origin(t, s, config{KeyOf: idOf}).List(bg, "a=%zz")
	require.ErrorIs(t, err, freshet.ErrBadKey)
	_, err = origin(t, s, config{}).List(bg, "")
	require.ErrorContains(t, err, "KeyOf")
	_, err = origin(t, s, config{KeyOf: idOf, Item: "/user?id={key}"}).List(bg, "")
	require.ErrorContains(t, err, "need rest.Config.Collection")
}

func TestAListThatIsRefused(t *testing.T) {
	for code, missing := range map[int]bool{400: false, 403: false, 404: true, 410: true, 500: false, 204: false, 304: false} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
		items, err := origin(t, s, config{KeyOf: idOf}).List(bg, "")
		require.Nil(t, items)
		var status *rest.StatusError
		require.ErrorAs(t, err, &status)
		require.Equal(t, code, status.Status)
		require.Equal(t, missing, errors.Is(err, freshet.ErrNotFound))
	}
}

func TestC2_AListHasTheTimeoutOfItsSource(t *testing.T) {
	within(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, config{KeyOf: idOf},
		func(t *testing.T, o *rest.Origin[User]) {
			begun := time.Now()
			_, err := o.List(bg, "")
			require.Equal(t, 10*time.Second, time.Since(begun))
			require.ErrorIs(t, err, freshet.ErrTimeout)
		})
}
