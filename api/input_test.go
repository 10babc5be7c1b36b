package api_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/streams"
)

type nilSource struct{ v string }

func (s *nilSource) Fetch(context.Context, freshet.Request[string]) (freshet.Response[string], error) {
	return freshet.Response[string]{Value: s.v}, nil
}

type mapSource map[string]string

func (s mapSource) Fetch(_ context.Context, r freshet.Request[string]) (freshet.Response[string], error) {
	return freshet.Response[string]{Value: s[r.Key]}, nil
}

func TestNew_SaysWhatIsWrong(t *testing.T) {
	source := freshet.Func(func(context.Context, string) (string, error) { return "", nil })
	for want, c := range map[string]config{
		"Name is required":       {Source: source},
		"Name \"a/b\"":           {Source: source, Name: "a/b"},
		"Name \"A\"":             {Source: source, Name: "A"},
		"Name \"a b\"":           {Source: source, Name: "a b"},
		"Name \"ä\"":             {Source: source, Name: "ä"},
		"Source is required":     {Name: "a"},
		"Freshness.TTL":          {Name: "a", Source: source, Freshness: freshet.Freshness{TTL: -1}},
		"Freshness.Stale is":     {Name: "a", Source: source, Freshness: freshet.Freshness{Stale: -1}},
		"Freshness.StaleOnError": {Name: "a", Source: source, Freshness: freshet.Freshness{StaleOnError: -1}},
		"Freshness.Missing":      {Name: "a", Source: source, Freshness: freshet.Freshness{Missing: -1}},
		"Freshness.Failure":      {Name: "a", Source: source, Freshness: freshet.Freshness{Failure: -1}},
		"Freshness.Ahead":        {Name: "a", Source: source, Freshness: freshet.Freshness{Ahead: 1.01}},
		"Freshness.Jitter":       {Name: "a", Source: source, Freshness: freshet.Freshness{Jitter: math.NaN()}},
		"Timeout is negative":    {Name: "a", Source: source, Timeout: -1},
		"StoreTimeout":           {Name: "a", Source: source, StoreTimeout: -1},
		"MaxSupersede":           {Name: "a", Source: source, MaxSupersede: -1},
		"MaxFlights":             {Name: "a", Source: source, MaxFlights: -1},
		"MaxEntries":             {Name: "a", Source: source, MaxEntries: -1},
		"History":                {Name: "a", Source: source, History: -1},
		"Reload":                 {Name: "a", Source: source, Reload: 2},
		"MaxWeight needs Weigh":  {Name: "a", Source: source, MaxWeight: 1},
		"Codec is a nil":         {Name: "a", Source: source, Codec: (*nilCodec)(nil)},
	} {
		c, err := freshet.New(c)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "freshet: ")
		require.NotContains(t, err.Error(), "\n\n")
		require.Nil(t, c, want)
	}
	for _, fraction := range []float64{-0.1, 1.1, math.Inf(1), math.Inf(-1), math.NaN()} {
		_, err := freshet.New(config{Name: "a", Source: source, Freshness: freshet.Freshness{Ahead: fraction}})
		require.ErrorContains(t, err, "Freshness.Ahead", "%v", fraction)
		_, err = freshet.New(config{Name: "a", Source: source, Freshness: freshet.Freshness{Jitter: fraction}})
		require.ErrorContains(t, err, "Freshness.Jitter", "%v", fraction)
	}
}

func TestNew_ANilSourceInAnyGuise(t *testing.T) {
	for name, source := range map[string]freshet.Source[string]{
		"nil": nil, "typed nil pointer": (*nilSource)(nil), "typed nil map": mapSource(nil), "nil Func": freshet.Func[string](nil),
	} {
		_, err := freshet.New(config{Name: "a", Source: source})
		require.ErrorContains(t, err, "Source is required", name)
	}
}

func TestNew_NamesEveryWrongFieldInOneError(t *testing.T) {
	_, err := freshet.New(config{
		Name: "a/b", Timeout: -1, Freshness: freshet.Freshness{TTL: -1, Ahead: 2, Jitter: math.NaN()}, Reload: 9, MaxWeight: 1,
		MaxEntries: -1,
	})
	for _, field := range []string{"Name", "Source", "Timeout", "Freshness.TTL", "Freshness.Ahead", "Freshness.Jitter", "Reload", "MaxWeight", "MaxEntries"} {
		require.ErrorContains(t, err, field)
	}
}

func TestNew_AllDefaults(t *testing.T) {
	c, err := freshet.New(config{Name: "a.b_c-1", Source: mapSource{"k": "v"}, Freshness: freshet.Freshness{Ahead: 1, Jitter: 1}})
	require.NoError(t, err)
	mustGet(t, c, "k", "v")
	require.NoError(t, c.Close(bg))
}

func TestKeys_BadOnes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := counting()
		c := serve(t, o, config{})
		for i := range 1000 { // hardly any part of the index is without a key
			require.NoError(t, c.Set(bg, fmt.Sprint("resident ", i), "v"))
		}
		for name, key := range map[string]string{
			"empty": "", "4097 bytes": strings.Repeat("k", 4097), "a megabyte": strings.Repeat("k", 1<<20),
			"not UTF-8": "k\xff", "half a rune": "é"[:1], "NUL": "a\x00b",
		} {
			_, err := c.Get(bg, key)
			require.ErrorIs(t, err, freshet.ErrBadKey, name)
			require.Less(t, len(err.Error()), 9000, "the key is not all of the error")
			_, err = c.Get(bg, key, freshet.CachedOnly())
			require.ErrorIs(t, err, freshet.ErrBadKey, name)
			_, err = c.Lookup(bg, key)
			require.ErrorIs(t, err, freshet.ErrBadKey, name)
			_, err = c.Fetch(bg, key).Result()
			require.ErrorIs(t, err, freshet.ErrBadKey, name)
			_, err = c.Reload(bg, key).Result()
			require.ErrorIs(t, err, freshet.ErrBadKey, name)
			require.ErrorIs(t, c.Set(bg, key, "v"), freshet.ErrBadKey, name)
			require.ErrorIs(t, c.Put(bg, key, freshet.Response[string]{Unchanged: true}), freshet.ErrBadKey, name)
			_, ok := c.Peek(key)
			require.False(t, ok, name)
			// A bad key keeps no other from its effect.
			for _, call := range []func(context.Context, ...string) error{c.Invalidate, c.Remove, c.Expire} {
				require.NoError(t, c.Set(bg, "good", "v"))
				require.ErrorIs(t, call(bg, key, "good", key), freshet.ErrBadKey, name)
				s, _ := c.Peek("good")
				require.NotEqual(t, freshet.Fresh, s.State, name)
			}
			m, err := c.GetMany(bg, []string{key, "other"})
			require.ErrorIs(t, err, freshet.ErrBadKey, name)
			require.Equal(t, map[string]string{"other": "v1"}, m)
			var many *freshet.ManyError
			require.ErrorAs(t, err, &many)
			require.Contains(t, many.Errs, key)
			require.Len(t, many.Errs, 1)
			for _, opts := range [][]streams.Option{{}, {streams.Live()}, {streams.WithSnapshot()}} {
				opts = append(opts, streams.Keys("good", key))
				_, err = c.Watch(bg, opts...)
				require.ErrorIs(t, err, freshet.ErrBadKey, name)
				for item := range c.Observe(opts...).Observe() {
					require.ErrorIs(t, item.E, freshet.ErrBadKey, name)
				}
			}
			require.Zero(t, c.Stats().Subscriptions)
		}
		for _, key := range []string{"k", strings.Repeat("k", 4096), "käse/\n\t €", "*"} {
			_, err := c.Get(bg, key)
			require.NoError(t, err)
		}
	})
}

// A nil context is context.Background.
func TestNilContexts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		o := counting()
		c := serve(t, o, config{Freshness: freshet.Freshness{TTL: time.Minute, Stale: time.Minute}})
		var none context.Context
		v, err := c.Get(none, "k")
		require.NoError(t, err)
		require.Equal(t, "v1", v)
		_, err = c.Get(none, "k", freshet.CachedOnly())
		require.NoError(t, err)
		_, err = c.Lookup(none, "l")
		require.NoError(t, err)
		_, err = c.Fetch(none, "m").Await(none)
		require.NoError(t, err)
		_, err = c.Reload(none, "m").Await(none)
		require.NoError(t, err)
		_, err = c.GetMany(none, []string{"k", "n"})
		require.NoError(t, err)
		time.Sleep(time.Minute) // a refresh in the background
		_, err = c.Get(none, "k")
		require.NoError(t, err)
		require.NoError(t, c.Set(none, "k", "v"))
		require.NoError(t, c.Put(none, "k", freshet.Response[string]{Value: "v"}))
		require.NoError(t, c.Invalidate(none, "k"))
		_, err = c.InvalidatePrefix(none, "k")
		require.NoError(t, err)
		_, err = c.InvalidateTag(none, "k")
		require.NoError(t, err)
		require.NoError(t, c.Expire(none, "k"))
		require.NoError(t, c.Remove(none, "k"))
		sub, err := c.Watch(none)
		require.NoError(t, err)
		sub.Close()
		o.calls()
		require.NoError(t, c.Close(none))
	})
}

// nilCodec is a Codec that only a pointer is.
type nilCodec struct{ zero string }

func (c *nilCodec) Marshal(string) ([]byte, error)   { return []byte(c.zero), nil }
func (c *nilCodec) Unmarshal([]byte) (string, error) { return c.zero, nil }
