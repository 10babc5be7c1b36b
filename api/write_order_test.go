package api_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	freshet "github.com/freshet-go/freshet/api"
)

// Behaviour 28.
func TestW2_CommitsOfOneKeyFlyOneAtATimeInOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &clerk{}
		c := serveWrites(t, counting(), w, config{})
		mustGet(t, c, "k", "v1")
		events := watch(t, c)
		var writes []*reply[string]
		for _, s := range []string{"+a", "+b", "+c"} {
			writes = append(writes, mutate(c, "k", appends(s)))
		}
		peeks(t, c, "k", "v1+a+b+c", 3)
		require.Equal(t, 1, w.orders(), "the first alone flies")
		events.tells(t, "Optimistic v1>v1+a", "Optimistic v1+a>v1+a+b", "Optimistic v1+a+b>v1+a+b+c")

		// Each computes on what its predecessor left.
		w.asks(t, 1, "update", "k", "v1+a").store("A")
		gives(t, writes[0], "A")
		require.True(t, writes[1].waiting())
		peeks(t, c, "k", "A+b+c", 2)
		events.tells(t, "Committed v1+a+b+c>A+b+c")
		w.asks(t, 2, "update", "k", "A+b").store("B")
		gives(t, writes[1], "B")
		w.asks(t, 3, "update", "k", "B+c").store("C")
		gives(t, writes[2], "C")
		peeks(t, c, "k", "C", 0)
		events.tells(t, "Committed A+b+c>B+c", "Committed B+c>C")
	})
}

func TestW2_CommitsOfDifferentKeysFlySideBySide(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &clerk{}
		c := serveWrites(t, counting(), w, config{})
		k, l := update(c, "k", "K"), update(c, "l", "L")
		created := create(c, "M")
		require.Equal(t, 3, w.orders())
		created2 := create(c, "N")
		w.asks(t, 4, "create", "", "N").as("n", "N")
		w.asks(t, 3, "create", "", "M").as("m", "M")
		w.asks(t, 2, "update", "l", "L").store("L")
		w.asks(t, 1, "update", "k", "K").store("K")
		gives(t, k, "K")
		gives(t, l, "L")
		require.False(t, created.waiting() || created2.waiting())
		require.Equal(t, []any{nil, nil}, []any{created.err, created2.err})
	})
}

// The value that Commit is given is made of what the origin confirmed, not of
// what was shown when Mutate was called.
func TestW2_CommitGetsWhatApplyMadeOfTheConfirmedValue(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &clerk{}
		c := serveWrites(t, counting(), w, config{})
		mustGet(t, c, "k", "v1")
		first := mutate(c, "k", appends("+a"))
		var given []string
		m := appends("+b")
		m.Commit = func(_ context.Context, v string) (string, error) {
			given = append(given, v)
			return v, nil
		}
		second := mutate(c, "k", m)
		w.order(t, 1).refuse(errOrigin)
		refused(t, first, errOrigin, false)
		gives(t, second, "v1+b")
		require.Equal(t, []string{"v1+b"}, given, "once, and without the one that was refused")
	})
}

// Behaviour 10: an older write that fails does not erase a newer success, for
// the newer one does not fly before.
func TestW2_AnOlderWriteThatFailsDoesNotEraseANewerSuccess(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &clerk{}
		c := serveWrites(t, counting(), w, config{})
		mustGet(t, c, "k", "v1")
		events := watch(t, c)
		older, newer := update(c, "k", "older"), update(c, "k", "newer")
		require.Equal(t, 1, w.orders())
		mustGet(t, c, "k", "newer")
		w.order(t, 1).refuse(errOrigin)
		refused(t, older, errOrigin, false)
		mustGet(t, c, "k", "newer")
		w.order(t, 2).store("newer")
		gives(t, newer, "newer")
		mustGet(t, c, "k", "newer")
		events.tells(t, "Optimistic v1>older", "Optimistic older>newer", "RolledBack newer>newer", "Committed newer>newer")
	})
}

// Behaviour 27: 0 -> 1 -> 2 -> 0.
func TestW3_ARollbackNeverRestoresAnOptimisticValue(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &clerk{}
		c := serveWrites(t, counting(), w, config{})
		require.NoError(t, c.Set(bg, "k", "0"))
		events := watch(t, c)
		first, second := update(c, "k", "1"), update(c, "k", "2")
		w.order(t, 1).refuse(errOrigin)
		refused(t, first, errOrigin, false)
		w.order(t, 2).refuse(errOrigin)
		refused(t, second, errOrigin, false)
		peeks(t, c, "k", "0", 0)
		events.tells(t, "Optimistic 0>1", "Optimistic 1>2", "RolledBack 2>2", "RolledBack 2>0")

		// The other way round: the second shows the first one's result.
		first, second = update(c, "k", "1"), update(c, "k", "2")
		w.order(t, 3).store("one")
		gives(t, first, "one")
		mustGet(t, c, "k", "2")
		w.order(t, 4).refuse(errOrigin)
		refused(t, second, errOrigin, false)
		mustGet(t, c, "k", "one")
		events.tells(t, "Optimistic 0>1", "Optimistic 1>2", "Committed 2>2", "RolledBack 2>one")
	})
}

func TestW3_OnlyTheRefusedMutationIsTakenOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &clerk{}
		c := serveWrites(t, counting(), w, config{})
		mustGet(t, c, "k", "v1")
		a, b, d := mutate(c, "k", appends("+a")), mutate(c, "k", appends("+b")), mutate(c, "k", appends("+d"))
		w.order(t, 1).store("v1+a")
		gives(t, a, "v1+a")
		events := watch(t, c)
		no := errors.New("no")
		w.order(t, 2).refuse(no)
		refused(t, b, no, false)
		peeks(t, c, "k", "v1+a+d", 1)
		events.tells(t, "RolledBack v1+a+b+d>v1+a+d")
		w.asks(t, 3, "update", "k", "v1+a+d").store("D")
		gives(t, d, "D")
	})
}

// A queued mutation whose Apply can't be done on what its predecessor left is
// taken out, and its origin is never asked.
func TestW3_AnApplyThatFailsOnReplayTakesItsMutationOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &clerk{}
		c := serveWrites(t, counting(), w, config{})
		mustGet(t, c, "k", "v1")
		events := watch(t, c)
		full := errors.New("it is full")
		picky := mutation{Apply: func(v string) (string, error) {
			if v == "FULL" {
				return "", full
			}
			return v + "+b", nil
		}}
		a, b, d := mutate(c, "k", appends("+a")), mutate(c, "k", picky), mutate(c, "k", appends("+d"))
		w.order(t, 1).store("FULL")
		gives(t, a, "FULL")
		refused(t, b, full, false)
		events.tells(t, "Optimistic v1>v1+a", "Optimistic v1+a>v1+a+b", "Optimistic v1+a+b>v1+a+b+d",
			"Committed v1+a+b+d>FULL+d", "RolledBack FULL+d>FULL+d")
		w.asks(t, 2, "update", "k", "FULL+d").store("end")
		gives(t, d, "end")
		peeks(t, c, "k", "end", 0)
	})
}

// Behaviour 13: one Committed event and one answer for each write.
func TestW3_SuccessIsToldOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serveWrites(t, counting(), obliging(), config{})
		events := watch(t, c)
		gives(t, update(c, "k", "a"), "a")
		gives(t, update(c, "k", "a"), "a")
		gives(t, mutate(c, "k", appends("b")), "ab")
		events.tells(t, "Optimistic ->a", "Committed a>a", "Optimistic a>a", "Committed a>a", "Optimistic a>ab", "Committed ab>ab")
	})
}

// The events of one mutation carry one Seq, whatever else is told meanwhile,
// and those of two carry two.
func TestW2_TheEventsOfAMutationCarryItsNumber(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &clerk{}
		c := serveWrites(t, counting(), w, config{})
		mustGet(t, c, "k", "v1")
		events := watch(t, c)
		a, b := mutate(c, "k", appends("+a")), mutate(c, "k", appends("+b"))
		w.order(t, 1).store("A")
		w.order(t, 2).refuse(errOrigin)
		gives(t, a, "A")
		refused(t, b, errOrigin, false)
		told := events.take()
		require.Len(t, told, 4)
		require.Equal(t, told[0].Seq, told[2].Seq, "Optimistic and Committed of the first")
		require.Equal(t, told[1].Seq, told[3].Seq, "Optimistic and RolledBack of the second")
		require.NotEqual(t, told[0].Seq, told[1].Seq)
		require.ErrorIs(t, told[3].Err, errOrigin)
		require.NoError(t, told[2].Err)
	})
}

func TestW2_AWriteIsNeverRetried(t *testing.T) {
	for name, err := range map[string]error{"refused": errOrigin, "unknown": freshet.ErrUnknown} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := &clerk{auto: func(int, *order) (string, string, error) { return "", "", err }}
				c := serveWrites(t, counting(), w, config{})
				refused(t, update(c, "k", "v"), err, name == "unknown")
				require.Error(t, c.Delete(bg, "l"))
				_, _, failed := c.Create(bg, "v")
				require.Error(t, failed)
				require.Equal(t, 3, w.orders())
			})
		})
	}
}
