package streams_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/freshet-go/freshet/streams"
)

// S0, S1: several events are one critical section, in their order, and whoever
// wanted one of them is woken.
func TestS0_AppendAllIsOneCriticalSection(t *testing.T) {
	log, err := streams.NewLog(streams.LogConfig[int]{Cache: "toy", History: 4})
	require.NoError(t, err)
	all, err := log.Subscribe(t.Context())
	require.NoError(t, err)
	b, err := log.Subscribe(t.Context(), streams.Keys("b"))
	require.NoError(t, err)
	one := 1
	require.EqualValues(t, 1, log.Append(&streams.Event[int]{Key: "a", Kind: streams.Loaded, After: &one}, 5, nil))
	published := uint64(0)
	events := []streams.Event[int]{
		{Key: "a", Kind: streams.Updated, After: &one}, {Key: "b", Kind: streams.Loaded, After: &one}, {Key: "a", Kind: streams.Evicted},
	}
	first := log.AppendAll(events, []uint32{7, 11, 0}, func(first uint64) {
		published = first
		require.EqualValues(t, 1, log.Revision(), "nobody sees any of them yet")
	})
	require.EqualValues(t, 2, first)
	require.EqualValues(t, 2, published)
	require.EqualValues(t, 4, log.Revision())
	require.EqualValues(t, 5+7+11, log.Weight())
	require.Zero(t, events[0].Revision, "they are copied")
	for i, want := range []streams.Kind{streams.Loaded, streams.Updated, streams.Loaded, streams.Evicted} {
		e, err := all.Next(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, e.Kind)
		require.EqualValues(t, i+1, e.Revision)
		require.Equal(t, "toy", e.Cache)
	}
	e, err := b.Next(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 3, e.Revision)

	require.Panics(t, func() { log.AppendAll(events, []uint32{1, 1, 1}, func(uint64) { panic("wild") }) })
	require.EqualValues(t, 4, log.Revision(), "if it panics, nothing was appended")
	log.Close()
	require.EqualValues(t, 5, log.AppendAll(events, []uint32{1, 1, 1}, nil))
	require.EqualValues(t, 8, log.AppendAll(events[:1], []uint32{1}, nil))
}

func TestKindIsItsNameInJSON(t *testing.T) {
	for kind := streams.Loaded; kind <= streams.Bookmark; kind++ {
		text, err := json.Marshal(kind)
		require.NoError(t, err)
		require.Equal(t, `"`+kind.String()+`"`, string(text))
		var back streams.Kind
		require.NoError(t, json.Unmarshal(text, &back))
		require.Equal(t, kind, back)
	}
	var kind streams.Kind
	require.ErrorContains(t, json.Unmarshal([]byte(`"Exploded"`), &kind), `"Exploded" is no kind`)
}
