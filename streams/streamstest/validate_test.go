package streamstest_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/freshet-go/freshet/streams"
	"github.com/freshet-go/freshet/streams/streamstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type (
	event  = streams.Event[string]
	record = streamstest.Record[string]
)

// story is a small true history and an honest record of it, for tests to spoil.
func story(t *testing.T, opts ...streams.Option) (truth []event, r record) {
	t.Helper()
	visible := map[string]event{}
	log, err := streams.NewLog(streams.LogConfig[string]{
		Cache: "story", History: 8,
		Scan: func(keys []string, _ string) iter.Seq[event] {
			return func(yield func(event) bool) {
				for _, key := range []string{"a", "b", "c"} {
					e, ok := visible[key]
					if ok && (len(keys) == 0 || slices.Contains(keys, key)) && !yield(e) {
						return
					}
				}
			}
		},
	})
	require.NoError(t, err)
	change := func(key, value string) {
		e := event{Key: key, Kind: streams.Updated, After: &value}
		if value == "" {
			e.Kind, e.After = streams.Deleted, nil
		}
		e.Revision = log.Append(&e, 0, nil)
		truth = append(truth, e)
		if e.Kind = streams.Loaded; e.After != nil {
			visible[key] = e
		} else {
			delete(visible, key)
		}
	}
	change("a", "1")
	change("b", "1")
	change("c", "1")
	change("c", "")
	s, err := log.Subscribe(context.Background(), opts...)
	require.NoError(t, err)
	defer s.Close()
	about := record{Name: "story", After: log.Revision(), Snapshot: len(opts) > 0}
	change("a", "2") // newer than the boundary when it is scanned
	rec := streamstest.NewRecorder(about)
	read := func(n int) {
		for range n {
			e, err := s.Next(t.Context())
			require.NoError(t, err)
			rec.AddAt(e, s.Token())
		}
	}
	if len(opts) > 0 {
		read(3) // two values, Synced
	} else {
		read(1)
	}
	change("b", "2")
	change("c", "2")
	change("b", "")
	read(3)
	return truth, rec.Record()
}

func check(r record, truth []event) map[string]error {
	return map[string]error{
		"Ordered":          streamstest.Ordered(r),
		"Unique":           streamstest.Unique(r),
		"ReliableOrTold":   streamstest.ReliableOrTold(r, truth),
		"SnapshotThenTail": streamstest.SnapshotThenTail(r, truth),
		"Resumable":        streamstest.Resumable([]record{r}, truth),
	}
}

func TestHonestRecordsPass(t *testing.T) {
	for _, opts := range [][]streams.Option{nil, {streams.WithSnapshot()}} {
		truth, r := story(t, opts...)
		for name, err := range check(r, truth) {
			require.NoError(t, err, name)
		}
	}
}

// TestEveryValidatorFindsItsFault spoils a record in the ways that a stream can be wrong: each validator is planted a bug
// and must see it.
func TestEveryValidatorFindsItsFault(t *testing.T) {
	other := "other"
	for name, one := range map[string]struct {
		snapshot bool
		spoil    func(r *record)
		finds    []string
	}{
		"swapped": {false, func(r *record) { r.Events[1], r.Events[2] = r.Events[2], r.Events[1] }, []string{"Ordered"}},
		"twice": {false, func(r *record) {
			r.Events, r.Tokens = append(r.Events, r.Events[3]), nil
		}, []string{"Ordered", "Unique", "Resumable"}},
		"left out":        {false, func(r *record) { r.Events = append(r.Events[:1], r.Events[2:]...) }, []string{"ReliableOrTold", "Resumable"}},
		"left out first":  {false, func(r *record) { r.Events = r.Events[1:] }, []string{"ReliableOrTold"}},
		"another value":   {false, func(r *record) { r.Events[0].After = &other }, []string{"ReliableOrTold"}},
		"another key":     {false, func(r *record) { r.Events[0].Key = other }, []string{"ReliableOrTold"}},
		"never happened":  {false, func(r *record) { r.Events[3].Revision = 99 }, []string{"ReliableOrTold"}},
		"not wanted":      {false, func(r *record) { r.Wants = func(e event) bool { return e.Key == "a" } }, []string{"ReliableOrTold"}},
		"before it began": {false, func(r *record) { r.After = 6 }, []string{"Ordered"}},
		"a Gap over what was seen": {false, func(r *record) {
			r.Events = append(r.Events, event{Kind: streams.Gap, Revision: 10, From: 3, To: 10})
		}, []string{"Ordered"}},
		"a Gap the wrong way": {false, func(r *record) {
			r.Events = append(r.Events, event{Kind: streams.Gap, Revision: 9, From: 10, To: 9})
		}, []string{"Ordered"}},
		"a Bookmark behind": {false, func(r *record) {
			r.Events = append(r.Events, event{Kind: streams.Bookmark, Revision: 6})
		}, []string{"Ordered"}},
		"a Bookmark over a loss": {false, func(r *record) {
			r.Events = append(r.Events[:1], event{Kind: streams.Bookmark, Revision: 8})
		}, []string{"ReliableOrTold"}},
		"contained": {true, func(r *record) { r.Events[0].Revision = 6; r.Events[3].Key = "a" }, []string{"Unique"}},
		"a value twice": {true, func(r *record) {
			r.Events, r.Tokens = append([]event{r.Events[0]}, r.Events...), nil
		}, []string{"Unique"}},
		"a value too old": {true, func(r *record) { r.Events[0].After = &other }, []string{"SnapshotThenTail"}},
		"a value too many": {true, func(r *record) {
			e := r.Events[0]
			e.Key = "ghost"
			r.Events, r.Tokens = append([]event{e}, r.Events...), nil
		}, []string{"SnapshotThenTail"}},
		"a value too few": {true, func(r *record) {
			r.Events, r.Tokens = r.Events[1:], nil
		}, []string{"SnapshotThenTail"}},
		"an event before Synced": {true, func(r *record) {
			r.Events[2], r.Events[3] = r.Events[3], r.Events[2]
		}, []string{"SnapshotThenTail", "Ordered"}},
		"a value after Synced": {true, func(r *record) {
			r.Events[1], r.Events[2] = r.Events[2], r.Events[1]
		}, []string{"SnapshotThenTail"}},
		"a token before Synced": {true, func(r *record) { r.Tokens[1] = "x" }, []string{"SnapshotThenTail"}},
		"Synced for nothing":    {true, func(r *record) { r.Snapshot = false }, []string{"SnapshotThenTail"}},
		"a value without one":   {true, func(r *record) { r.Events[0].After = nil }, []string{"SnapshotThenTail"}},
		"below the boundary":    {true, func(r *record) { r.Events[3].Revision = 4 }, []string{"SnapshotThenTail", "ReliableOrTold"}},
	} {
		t.Run(name, func(t *testing.T) {
			var opts []streams.Option
			if one.snapshot {
				opts = append(opts, streams.WithSnapshot())
			}
			truth, r := story(t, opts...)
			one.spoil(&r)
			found := check(r, truth)
			for _, validator := range one.finds {
				require.Error(t, found[validator], validator)
				require.ErrorContains(t, found[validator], "story")
			}
		})
	}
}

func TestResumableFindsWhatComesTwiceAndWhatIsLostBetweenTwo(t *testing.T) {
	truth, r := story(t)
	split := func(first, second int) []record {
		a, b := r, r
		a.Events, a.Tokens = r.Events[:first], nil
		b.Events, b.Tokens = r.Events[second:], nil
		b.After = r.Events[first-1].Revision
		return []record{a, b}
	}
	require.NoError(t, streamstest.Resumable(split(2, 2), truth))
	require.ErrorContains(t, streamstest.Resumable(split(2, 1), truth), "came before")
	require.ErrorContains(t, streamstest.Resumable(split(1, 2), truth), "lost in silence")
	require.NoError(t, streamstest.Resumable[string](nil, truth))
}

func TestRecorderTapsAPipelineOfOnesOwn(t *testing.T) {
	log, err := streams.NewLog(streams.LogConfig[string]{Cache: "tap"})
	require.NoError(t, err)
	s, err := log.Subscribe(t.Context())
	require.NoError(t, err)
	var truth []event
	for i := range 5 {
		e := event{Key: fmt.Sprint("k", i%2), Kind: streams.Updated}
		e.Revision = log.Append(&e, 0, nil)
		truth = append(truth, e)
	}
	log.Close()
	var rec streamstest.Recorder[string]
	seen := 0
	for _, err := range rec.Tap(s.Events()) {
		if err == nil {
			seen++
		}
	}
	r := rec.Record()
	require.Equal(t, 5, seen)
	require.Len(t, r.Events, 5)
	require.True(t, errors.Is(r.Err, streams.ErrClosed))
	for name, err := range check(r, truth) {
		require.NoError(t, err, name)
	}
}
