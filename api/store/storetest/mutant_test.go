package storetest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	freshet "github.com/freshet-go/freshet/api"
	"github.com/freshet-go/freshet/api/store/memory"
	"github.com/freshet-go/freshet/api/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// mutant is a good store with one bug in it.
type mutant struct {
	*memory.Store
	bug string
}

func (m *mutant) Get(ctx context.Context, key string) (freshet.Record, error) {
	r, err := m.Store.Get(ctx, key)
	switch m.bug {
	case "an ended context is a miss":
		if ctx.Err() != nil {
			return r, freshet.ErrNotFound
		}
	case "milliseconds":
		r.ReadAt = r.ReadAt.Truncate(time.Millisecond)
	case "keys are trimmed":
		r, err = m.Store.Get(ctx, key[:min(len(key), 4095)])
	case "what is absent is an error of its own":
		if errors.Is(err, freshet.ErrNotFound) {
			err = errors.New("no such key")
		}
	case "what is absent is a zero record":
		if errors.Is(err, freshet.ErrNotFound) {
			err = nil
		}
	}
	return r, err
}

func (m *mutant) Set(ctx context.Context, key string, r freshet.Record) error {
	switch m.bug {
	case "the last to arrive wins":
		old, err := m.Store.Get(ctx, key)
		if err == nil && old.ReadAt.After(r.ReadAt) {
			r.ReadAt = old.ReadAt
		}
	case "an equal record is ignored":
		if old, err := m.Store.Get(ctx, key); err == nil && old.ReadAt.Equal(r.ReadAt) {
			return nil
		}
	case "the expiry is a second write that is lost":
		r.ExpiresAt = time.Time{}
	case "an expired record is not worth writing":
		if !r.ExpiresAt.IsZero() && !time.Now().Before(r.ExpiresAt) {
			return nil
		}
	case "tags are lost":
		r.Tags = nil
	case "keys are trimmed":
		key = key[:min(len(key), 4095)]
	}
	return m.Store.Set(ctx, key, r)
}

func (m *mutant) Delete(ctx context.Context, key string, at time.Time) error {
	switch m.bug {
	case "no tombstones":
		at = at.Add(-time.Hour)
		if old, err := m.Store.Get(ctx, key); err == nil {
			at = old.ReadAt
		}
	case "a deletion spares its own instant":
		at = at.Add(-1)
	case "a deletion of what is absent is nothing":
		if _, err := m.Store.Get(ctx, key); err != nil {
			return err
		}
	case "a deletion erases the later too":
		at = at.Add(time.Hour)
	}
	return m.Store.Delete(ctx, key, at)
}

func (m *mutant) DeletePrefix(ctx context.Context, prefix string, at time.Time) error {
	switch m.bug {
	case "a prefix is a pattern":
		prefix, _, _ = strings.Cut(prefix, "*")
	case "the empty prefix is nothing":
		if prefix == "" {
			return nil
		}
	case "prefixes keep nothing out":
		return ctx.Err()
	case "a prefix takes the place of its keys' tombstones":
		m.Store = memory.New(memory.Options{})
	}
	return m.Store.DeletePrefix(ctx, prefix, at)
}

func (m *mutant) Close() error {
	if m.bug == "close leaves it open" || m.bug == "close does nothing" {
		return nil
	}
	return m.Store.Close()
}

// TestTheSuiteCatches runs the suite, in a process of its own, on stores with
// one planted bug each: it has to fail, in the test that is about that bug.
func TestTheSuiteCatches(t *testing.T) {
	if bug := os.Getenv("FRESHET_STORETEST_BUG"); bug != "" {
		storetest.Run(t, func(*testing.T) freshet.Store {
			return &mutant{Store: memory.New(memory.Options{}), bug: bug}
		})
		return
	}
	self, err := os.Executable()
	require.NoError(t, err)
	for bug, caughtBy := range map[string]string{
		"an ended context is a miss":                       "Lifetime/AnEndedContext",
		"milliseconds":                                     "Record/D3_RoundTrip",
		"keys are trimmed":                                 "Keys/EveryValidKey",
		"the last to arrive wins":                          "Order/D5_TheLaterWins",
		"an equal record is ignored":                       "Order/D5_AnEqualOneReplaces",
		"the expiry is a second write that is lost":        "Expiry/D3_GoneAtItsExpiry",
		"an expired record is not worth writing":           "Expiry/D3_ExpiredOnArrival",
		"tags are lost":                                    "Record/D3_ManyTags",
		"no tombstones":                                    "Tombstones/D5_DeleteKeepsOlder",
		"a deletion spares its own instant":                "Tombstones/D5_DeleteErases",
		"a deletion of what is absent is nothing":          "Tombstones/D5_DeleteOfAnAbsentKey",
		"a deletion erases the later too":                  "Tombstones/D5_DeleteLeavesTheLater",
		"a prefix is a pattern":                            "Prefixes/D5_PrefixesAreNoPatterns",
		"the empty prefix is nothing":                      "Prefixes/D5_TheEmptyPrefix",
		"prefixes keep nothing out":                        "Prefixes/D5_DeletePrefixErases",
		"close leaves it open":                             "Lifetime/UseAfterClose",
		"close does nothing":                               "Lifetime/CloseDuringUse",
		"what is absent is an error of its own":            "Lifetime/CloseDuringUse",
		"what is absent is a zero record":                  "Walk/D5_FromManyGoroutines",
		"a prefix takes the place of its keys' tombstones": "Prefixes/D5_PrefixesWithinPrefixes",
	} {
		t.Run(bug, func(t *testing.T) {
			run := exec.CommandContext(t.Context(), self, "-test.run", "^TestTheSuiteCatches$/"+caughtBy, "-test.timeout", "20s")
			run.Env = append(os.Environ(), "FRESHET_STORETEST_BUG="+bug)
			out, err := run.CombinedOutput()
			require.Error(t, err, "the suite passed")
			require.Contains(t, string(out), "--- FAIL: TestTheSuiteCatches/"+caughtBy)
			require.NotContains(t, string(out), "panic:")
		})
	}
}

// A group that there is none of is a mistake, not a wish.
func TestWithoutAGroupThatThereIsNot(t *testing.T) {
	if group := os.Getenv("FRESHET_STORETEST_WITHOUT"); group != "" {
		storetest.Run(t, func(*testing.T) freshet.Store { return memory.New(memory.Options{}) },
			storetest.Without("it is not needed here", "Lifetime", group))
		return
	}
	self, err := os.Executable()
	require.NoError(t, err)
	for group, want := range map[string]string{"Tombstone": `no group "Tombstone"`, "Walk": "ok"} {
		run := exec.CommandContext(t.Context(), self, "-test.run", "^TestWithoutAGroupThatThereIsNot$/^Lifetime$", "-test.timeout", "20s")
		run.Env = append(os.Environ(), "FRESHET_STORETEST_WITHOUT="+group)
		out, err := run.CombinedOutput()
		require.Equal(t, want == "ok", err == nil, "%s", out)
		if want != "ok" {
			require.Contains(t, string(out), want)
		}
	}
}
