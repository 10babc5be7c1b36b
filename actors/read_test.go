package actors

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// F0: the short way of a first Get answers as the way of all others does, also
// whatever is wrong.
func TestF0_AFirstGetAnswersAsAnyOther(t *testing.T) {
	gone, leave := context.WithCancelCause(context.Background())
	leave(errors.New("its user left"))
	for name, ctx := range map[string]context.Context{"none": nil, "background": context.Background(), "ended": gone} {
		for _, key := range []string{"k", "", "a\x00b", "k\xff", strings.Repeat("k", maxKey), strings.Repeat("k", maxKey+1)} {
			for _, closed := range []bool{false, true} {
				var answers [2]string
				for i := range answers {
					table := testTable(t, Config[int]{}, func(context.Context, string) (int, error) { return 7, nil })
					if closed {
						require.NoError(t, table.Close(t.Context()))
					}
					get := func() (int, error) { return table.getNew(ctx, key, table.cells.name(key)) }
					if i > 0 {
						get = func() (int, error) { return table.get(ctx, key, nil) }
					}
					v, err := get()
					if err != nil {
						answers[i] = err.Error()
						require.Zero(t, table.tallies.sum(cFlights))
						require.Zero(t, table.policy.entries.Load(), "there is nothing that it could have made")
					} else {
						require.Equal(t, 7, v)
						require.EqualValues(t, 1, table.tallies.sum(cMisses))
					}
				}
				require.Equal(t, answers[1], answers[0], "%s, %.9q, closed %v", name, key, closed)
				require.Equal(t, answers[0] == "", name != "ended" && !closed && (key == "k" || len(key) == maxKey))
			}
		}
	}
}

// F1: where a cell came to be since Get looked, its flight is joined or its value
// served, and no other cell is left.
func TestF1_AFirstGetFindsTheCellThatCameMeanwhile(t *testing.T) {
	answer := make(chan int)
	table := testTable(t, Config[int]{}, func(context.Context, string) (int, error) { return <-answer, nil })
	n := table.cells.name("k")
	asked := table.Fetch(t.Context(), "k")
	done := make(chan error, 1)
	go func() {
		v, err := table.getNew(context.Background(), "k", n)
		if v != 7 {
			err = errors.Join(err, errors.New("it got something else"))
		}
		done <- err
	}()
	for table.tallies.sum(cCoalesced) == 0 {
		select {
		case err := <-done:
			require.FailNow(t, "it did not wait", err)
		default:
			runtime.Gosched()
		}
	}
	answer <- 7
	require.NoError(t, <-done)
	v, err := asked.Result()
	require.NoError(t, err)
	require.Equal(t, 7, v)
	v, err = table.getNew(t.Context(), "k", n)
	require.NoError(t, err)
	require.Equal(t, 7, v)
	require.EqualValues(t, 1, table.tallies.sum(cFlights))
	require.EqualValues(t, 1, table.tallies.sum(cMisses))
	require.EqualValues(t, 1, table.tallies.sum(cHits))
	require.EqualValues(t, 1, table.policy.entries.Load())
	require.Equal(t, 1, table.policy.queues[young].n)
}
