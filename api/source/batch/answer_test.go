package batch_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/source/batch"
	"github.com/freshet-go/freshet/api/source/rest"
)

// Behaviour 23: one bad key fails alone, at the price of a bisection; several
// at the price of Extra calls at most.
func TestABadKeyFailsAlone(t *testing.T) {
	keys := names(100)
	for _, bad := range [][]string{{"000"}, {"037"}, {"099"}, {"012", "013"}} {
		o := &origin{f: failing(bad...)}
		bubble(t, o, config{}, func(t *testing.T, s *batch.Source[string]) {
			replies := map[string]*reply{}
			for _, key := range keys {
				replies[key] = ask(bg, s, key)
			}
			for _, key := range keys {
				<-replies[key].done
				if slices.Contains(bad, key) {
					require.ErrorIs(t, replies[key].err, errBad)
				} else {
					require.NoError(t, replies[key].err, key)
				}
			}
			require.LessOrEqual(t, len(o.made()), 1+14)
		})
		// GetMany's way.
		o = &origin{f: failing(bad...)}
		bubble(t, o, config{}, func(t *testing.T, s *batch.Source[string]) {
			found, err := s.FetchMany(bg, requests(keys...))
			require.Len(t, found, 100-len(bad))
			var many *freshet.ManyError
			require.ErrorAs(t, err, &many)
			require.Len(t, many.Errs, len(bad))
		})
	}
}

// An origin that is down is not asked once for each key.
func TestAnOriginThatIsDownIsSpared(t *testing.T) {
	for _, c := range []struct {
		err   error
		extra int
		calls int
	}{
		{errBad, 0, 15},
		{errBad, -1, 1},
		{&rest.StatusError{Status: 503}, 0, 1},
		{&rest.StatusError{Status: 422}, 0, 15},
		{context.DeadlineExceeded, 0, 1},
	} {
		o := &origin{f: func(context.Context, []string) (map[string]string, error) { return nil, c.err }}
		bubble(t, o, config{Extra: c.extra}, func(t *testing.T, s *batch.Source[string]) {
			var replies []*reply
			for _, key := range names(100) {
				replies = append(replies, ask(bg, s, key))
			}
			for _, r := range replies {
				<-r.done
				require.ErrorIs(t, r.err, c.err)
			}
			require.Len(t, o.made(), c.calls)
		})
	}
}

func TestWhatAnAnswerLeavesOutIsAskedForOnceMore(t *testing.T) {
	only := func(keep string) func(context.Context, []string) (map[string]string, error) {
		return func(ctx context.Context, keys []string) (map[string]string, error) {
			if len(keys) == 1 {
				return all(ctx, keys)
			}
			return map[string]string{keep: "v" + keep}, nil
		}
	}
	o := &origin{f: only("a")}
	bubble(t, o, config{}, func(t *testing.T, s *batch.Source[string]) {
		a, b := ask(bg, s, "a"), ask(bg, s, "b")
		<-a.done
		<-b.done
		require.NoError(t, b.err)
		require.Equal(t, [][]string{{"a", "b"}, {"b"}}, o.made())
	})
	o = &origin{f: func(context.Context, []string) (map[string]string, error) { return nil, nil }}
	bubble(t, o, config{}, func(t *testing.T, s *batch.Source[string]) {
		a, b := ask(bg, s, "a"), ask(bg, s, "b")
		<-a.done
		<-b.done
		require.ErrorIs(t, a.err, batch.ErrUnanswered)
		require.NotErrorIs(t, b.err, freshet.ErrNotFound, "it is not thereby missing")
		require.Len(t, o.made(), 2)
		found, err := s.FetchMany(bg, requests("a"))
		require.NoError(t, err, "the cache asks again by itself")
		require.Empty(t, found)
	})
	bubble(t, o, config{AbsentIsMissing: true}, func(t *testing.T, s *batch.Source[string]) {
		a := ask(bg, s, "a")
		<-a.done
		require.ErrorIs(t, a.err, freshet.ErrNotFound)
		_, err := s.FetchMany(bg, requests("a"))
		require.ErrorIs(t, err, freshet.ErrNotFound)
	})
}

func TestAnErrorOfAKeyIsThatKeys(t *testing.T) {
	o := &origin{f: func(context.Context, []string) (map[string]string, error) {
		return map[string]string{"a": "va"}, &freshet.ManyError{Errs: map[string]error{"b": errBad, "c": freshet.ErrNotFound}}
	}}
	bubble(t, o, config{}, func(t *testing.T, s *batch.Source[string]) {
		a, b, c := ask(bg, s, "a"), ask(bg, s, "b"), ask(bg, s, "c")
		<-a.done
		<-b.done
		<-c.done
		require.NoError(t, a.err)
		require.ErrorIs(t, b.err, errBad)
		require.ErrorIs(t, c.err, freshet.ErrNotFound)
		require.Len(t, o.made(), 1)
	})
}

// The requests that Fetch is given are its own: taking out those that it finds
// elsewhere, or adding one, loses nobody's answer.
func TestTheRequestsAreTheFunctionsOwn(t *testing.T) {
	for name, fetch := range map[string]batch.Func[string]{
		"takes out": func(_ context.Context, rs []request) (map[string]response, error) {
			found := map[string]response{rs[0].Key: {Value: "elsewhere"}}
			for _, r := range slices.DeleteFunc(rs, func(r request) bool { return r.Key == rs[0].Key }) {
				found[r.Key] = response{Value: "v"}
			}
			return found, nil
		},
		"adds": func(_ context.Context, rs []request) (map[string]response, error) {
			if len(rs) > 1 {
				return nil, errBad // the halves share an array
			}
			rs = append(rs, request{Key: "another"})
			return map[string]response{rs[0].Key: {Value: "v"}, "another": {}}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, err := batch.New(batch.Config[string]{Fetch: fetch})
				require.NoError(t, err)
				found, err := s.FetchMany(bg, requests("a", "b", "c", "d"))
				require.NoError(t, err)
				require.Len(t, found, 4)
				ctx, cancel := context.WithTimeout(bg, time.Second)
				defer cancel()
				var replies []*reply
				for _, key := range []string{"a", "b", "c", "d"} {
					replies = append(replies, ask(ctx, s, key))
				}
				for _, r := range replies {
					<-r.done
					require.NoError(t, r.err)
				}
				require.NoError(t, s.Close(bg))
			})
		})
	}
}
