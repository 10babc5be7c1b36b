package rest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/source/rest"
)

// says makes an origin that answers everything with reply, whatever that is,
// and then leaves the connection open.
func says(t *testing.T, reply string, c config) *rest.Origin[User] {
	t.Helper()
	c.Base = "http://origin.test"
	c.Transport = &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		t.Cleanup(func() { _ = theirs.Close() })
		go func() {
			_, _ = http.ReadRequest(bufio.NewReader(theirs)) // or the answer would be unsolicited
			go func() { _, _ = io.Copy(io.Discard, theirs) }()
			_, _ = io.WriteString(theirs, reply)
		}()
		return ours, nil
	}}
	return origin(t, nil, c)
}

// Bad input: an answer that is no HTTP is not repeated by the error.
func TestNoErrorTellsAMalformedAnswer(t *testing.T) {
	for name, reply := range map[string]string{
		"a header without colon": "HTTP/1.1 200 OK\r\nSet-Cookie sesame\r\n\r\n{}",
		"a first line of blanks": "HTTP/1.1 200 OK\r\n sesame\r\n\r\n{}",
		"a bad length":           "HTTP/1.1 200 OK\r\nContent-Length: sesame\r\n\r\n{}",
		"a bad encoding":         "HTTP/1.1 200 OK\r\nTransfer-Encoding: sesame\r\n\r\n{}",
		"a bad status":           "HTTP/1.1 sesame\r\n\r\n",
		"no HTTP":                "sesame \\\" sesame\r\n\r\n",
		"a bad trailer":          "HTTP/1.1 200 OK\r\nTrailer: A\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA sesame\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, err := fetch(says(t, reply, config{}), "42")
				require.Error(t, err)
				require.NotContains(t, err.Error(), "sesame")
			})
		})
	}
}

type account struct {
	Limit  int8           `json:"limit"`
	At     time.Time      `json:"at"`
	ByYear map[int]string `json:"byYear"`
	Sum    json.Number    `json:"sum"`
	Token  token          `json:"token"`
}

type token struct{}

func (*token) UnmarshalText(b []byte) error { return errors.New("no token: " + string(b)) }

// Bad input: what a decoder says of a body is not in the message, for it
// repeats the body; errors.As finds it.
func TestNoErrorTellsABody(t *testing.T) {
	for body, want := range map[string]string{
		`{"limit":4111111111111111}`:          `"limit" cannot be of type int8`,
		`[4111111111111111]`:                  `wanted: it cannot be of type rest_test.account`,
		`{"byYear":{"4111111111111111x":""}}`: `"byYear" cannot be of type int`,
		`{"at":"4111111111111111"}`:           "not the record that was wanted",
		`{"sum":"4111111111111111x"}`:         "not the record that was wanted",
		`{"token":"4111111111111111"}`:        "not the record that was wanted",
		`{"limit":1}4111111111111111`:         "not JSON",
	} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
		o, err := rest.New(rest.Config[account]{Base: s.URL, Item: "/{key}"})
		require.NoError(t, err)
		t.Cleanup(o.Close)
		_, err = o.Fetch(bg, freshet.Request[account]{Key: "x"})
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "11111111", body)
		var bad *rest.BodyError
		require.ErrorAs(t, err, &bad)
		require.Error(t, bad.Err)
		require.Equal(t, body, string(bad.Body))
	}
}

// Bad input: after a 101 the body is the bare connection, which neither a
// timeout nor a context ends.
func TestC2_SwitchingProtocolsHoldsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := says(t, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", config{})
		_, err := fetch(o, "42")
		var status *rest.StatusError
		require.ErrorAs(t, err, &status)
		require.Equal(t, 101, status.Status)
		_, err = o.Update(bg, "42", User{})
		require.ErrorIs(t, err, freshet.ErrUnknown)
	})
}

// Bad input: a Content-Length takes no memory before its bytes are there,
// and a MaxBody of everything is no MaxBody of nothing.
func TestALengthIsNotBelieved(t *testing.T) {
	for _, most := range []int64{math.MaxInt64, 1 << 42} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, User{ID: "42"}) })
		r, err := fetch(origin(t, s, config{MaxBody: most}), "42")
		require.NoError(t, err)
		require.Equal(t, "42", r.Value.ID)
		synctest.Test(t, func(t *testing.T) {
			_, err := fetch(says(t, "HTTP/1.1 200 OK\r\nContent-Length: 4000000000000\r\n\r\n{}", config{MaxBody: most}), "42")
			require.ErrorIs(t, err, freshet.ErrTimeout)
		})
	}
}

// W3: what was certainly not sent is refused.
func TestW3_AContextThatHasEndedSendsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(bg)
	s := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("it was sent") })
	o := origin(t, s, config{Prepare: func(context.Context, *http.Request) error { cancel(); return nil }})
	for range 2 { // while it is made, and before
		_, err := o.Update(ctx, "42", User{})
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, freshet.ErrUnknown)
	}
}
